/* SPDX-License-Identifier: Apache-2.0 */
/* One write(2) a line, so that lines of several threads never mix. The only file with mutable statics. */
#include "base/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define LOG_LINE_SIZE 1024
#define LOG_STALL_MS  1000
#define LOG_REFILL_NS 1000000000ULL

static enum log_level max_level = LOG_NOTE;
static atomic_bool is_stalled;

void log_set_level(enum log_level level)
{
	max_level = level;
}

/* A stderr that nobody reads must not keep the machine from ending: the first line waits for a while, later ones do
 * not. */
static bool wait_for_reader(void)
{
	struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
	int ready = poll(&fd, 1, atomic_load(&is_stalled) ? 0 : LOG_STALL_MS);

	atomic_store(&is_stalled, ready == 0);
	return ready != 0;
}

static void print_line(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

static void print_line(const char *fmt, va_list ap)
{
	static const char prefix[] = "vmm: ";
	char line[LOG_LINE_SIZE];
	size_t room = sizeof(line) - sizeof(prefix) - 1; /* the newline */
	int n;

	memcpy(line, prefix, sizeof(prefix));
	n = vsnprintf(line + sizeof(prefix) - 1, room, fmt, ap);
	if (n < 0)
		return;
	size_t len = sizeof(prefix) - 1 + ((size_t)n < room ? (size_t)n : room - 1);
	/* One message is one line, whatever a file name or a guest put into it. */
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' && line[i] != '\t')
			line[i] = '?';
	line[len++] = '\n';
	if (!wait_for_reader())
		return;
	/* Nobody is left to tell when stderr itself fails. */
	(void)!write(STDERR_FILENO, line, len);
}

void log_print(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	if (level > max_level)
		return;
	va_start(ap, fmt);
	print_line(fmt, ap);
	va_end(ap);
}

/* Takes a token if there is one. */
static bool limit_allows(struct log_limit *limit)
{
	uint64_t now = monotonic_ns();

	if (!limit->started) {
		*limit = (struct log_limit){.refill_ns = now, .tokens = LOG_LIMIT_BURST, .started = true};
	} else if (now - limit->refill_ns >= LOG_REFILL_NS) {
		limit->refill_ns = now;
		if (limit->tokens == 0)
			limit->tokens = 1;
	}
	if (limit->tokens == 0) {
		limit->suppressed++;
		return false;
	}
	limit->tokens--;
	return true;
}

void log_guest(struct log_limit *limit, const char *fmt, ...)
{
	va_list ap;

	if (LOG_WARN > max_level || !limit_allows(limit))
		return;
	va_start(ap, fmt);
	print_line(fmt, ap);
	va_end(ap);
}
