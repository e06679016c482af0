/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cursor rests below the table and is never hidden: whatever ends us leaves the terminal as it was. A redraw is one
 * write.
 */
#include "matrix/screen.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/file.h"
#include "matrix/log_folder.h"
#include "matrix/table.h"
#include "matrix/verdict.h"

#define DEFAULT_ROWS	24
#define DEFAULT_COLUMNS 80
#define WRITE_PIECE	4096 /* PIPE_BUF: what a pipe takes without waiting when it is writable at all */

#define HOME_AND_ERASE "\033[H\033[J"
#define ERASE_BELOW    "\033[J"

static bool has_terminal(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

static void measure(struct screen *screen)
{
	struct winsize size;

	screen->rows = DEFAULT_ROWS;
	screen->columns = DEFAULT_COLUMNS;
	if (screen->table_fd >= 0 && ioctl(screen->table_fd, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col) {
		screen->rows = size.ws_row;
		screen->columns = size.ws_col;
	}
}

int screen_init(struct screen *screen, const struct plan *plan, int stop_fd, bool quiet)
{
	const char *no_color = getenv("NO_COLOR");

	*screen = (struct screen){.plan = plan, .table_fd = -1, .lines_fd = -1, .stop_fd = stop_fd};
	screen->start_ns = monotonic_ns();
	screen->colour = !no_color || !*no_color;
	if (quiet)
		return 0;
	if (has_terminal(STDERR_FILENO))
		screen->table_fd = STDERR_FILENO;
	else if (has_terminal(STDOUT_FILENO))
		screen->table_fd = STDOUT_FILENO;
	/* The table says it all; standard output may be a file beside it. */
	if (screen->table_fd < 0 || !isatty(STDOUT_FILENO))
		screen->lines_fd = STDOUT_FILENO;
	measure(screen);
	if (screen->table_fd >= 0) {
		screen->text = malloc(TABLE_TEXT_SIZE + 64);
		if (!screen->text)
			return -ENOMEM;
	}
	return 0;
}

void screen_fini(struct screen *screen)
{
	free(screen->text);
	screen->text = NULL;
}

/* A reader that does not read holds us up, but not against a signal. */
static int write_patiently(const struct screen *screen, int fd, const char *text, size_t len)
{
	while (len) {
		struct pollfd fds[] = {{.fd = fd, .events = POLLOUT}, {.fd = screen->stop_fd, .events = POLLIN}};
		size_t piece = len < WRITE_PIECE ? len : WRITE_PIECE;
		int ret;

		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (!fds[0].revents)
			return 0; /* a signal, and the text did not get through */
		ret = write_all(fd, text, piece);
		if (ret)
			return ret;
		text += piece;
		len -= piece;
	}
	return 0;
}

static void ask_what_they_say(const struct plan *plan)
{
	for (unsigned i = 0; i < plan->count; i++)
		if (plan->runs[i].state == PLAN_RUNNING)
			log_folder_said(&plan->runs[i], plan->runs[i].said, sizeof(plan->runs[i].said));
}

static void draw(struct screen *screen, uint64_t now_ns)
{
	const struct table_shape shape = {
		.rows = screen->rows,
		.columns = screen->columns,
		.colour = screen->colour,
		.line_end = "\033[K\n",
		.now_ns = now_ns,
		.start_ns = screen->start_ns,
	};
	int n = 0;

	ask_what_they_say(screen->plan);
	if (screen->drawn)
		n = snprintf(screen->text, 32, "\r\033[%uA", screen->drawn);
	screen->drawn = table_format(screen->plan, &shape, screen->text + n);
	strcat(screen->text, ERASE_BELOW);
	/* A terminal that is gone is told by its hangup, not here. */
	(void)write_patiently(screen, screen->table_fd, screen->text, strlen(screen->text));
	screen->due_ns = now_ns + SCREEN_TICK_NS;
}

void screen_on_tick(void *opaque, uint64_t now_ns)
{
	struct screen *screen = opaque;

	if (screen->table_fd >= 0 && now_ns >= screen->due_ns)
		draw(screen, now_ns);
}

/* The lines above were wrapped anew, nobody knows how: begin on an empty screen. */
void screen_on_resize(void *opaque)
{
	struct screen *screen = opaque;

	if (screen->table_fd < 0)
		return;
	measure(screen);
	(void)write_patiently(screen, screen->table_fd, HOME_AND_ERASE, strlen(HOME_AND_ERASE));
	screen->drawn = 0;
	screen->due_ns = 0;
}

void screen_on_end(void *opaque, struct plan_run *run)
{
	char line[PLAN_REASON_SIZE + 256];
	struct screen *screen = opaque;
	bool passed = run->state == PLAN_PASSED;
	int n;

	screen->ended++;
	if (screen->lines_fd < 0 || screen->is_broken)
		return;
	n = snprintf(line, sizeof(line), "%s %u/%u %s %.1fs%s%s\n", passed ? "ok" : verdict_name(run->state),
		     screen->ended, screen->plan->count, run->name, (double)run->elapsed_ns / 1e9, passed ? "" : ": ",
		     passed ? "" : run->reason);
	screen->is_broken = n > 0 && write_patiently(screen, screen->lines_fd, line, strlen(line)) < 0;
}

void screen_finish(struct screen *screen)
{
	if (screen->table_fd >= 0)
		draw(screen, monotonic_ns());
}
