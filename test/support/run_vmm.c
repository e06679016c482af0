/* SPDX-License-Identifier: Apache-2.0 */
/* One poll loop for all children. No assertion is made while a child lives: cmocka leaves a failed test by longjmp. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/run_vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "support/run_vmm_child.h"

#define TICK_MS 50
#define STUCK_S 1.5 /* enough for a guest to fill vmm's own queue too */

enum stream_id { STREAM_OUT, STREAM_ERR, STREAM_EVENTS, STREAMS };

struct child {
	const struct run_request *request;
	struct run_result *result;
	struct run_child_fds fds; /* ours are the near ends */
	pid_t pid;
	int pidfd;
	int stream_fds[STREAMS]; /* what is read now; -1: ended, or not read */
	struct run_text *texts[STREAMS];
	size_t data_at;
	unsigned step;
	bool ended, timed_out, failed;
	struct timespec start, stuck_since;
	int stuck_at; /* bytes in a stalled output's pipe */
	struct termios before;
};

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static void append(struct run_text *text, const char *bytes, size_t len)
{
	char *grown = realloc(text->bytes, text->len + len + 1);

	if (!grown)
		abort(); /* the children die with us */
	memcpy(grown + text->len, bytes, len);
	text->bytes = grown;
	text->len += len;
	grown[text->len] = 0;
}

/* Reads what is there. */
static void pump_stream(struct child *c, enum stream_id id)
{
	char buf[65536];
	ssize_t n;

	while (c->stream_fds[id] >= 0 && (n = read(c->stream_fds[id], buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			break;
		append(c->texts[id], buf, (size_t)n);
	}
	c->stream_fds[id] = -1;
}

static void pump_input(struct child *c)
{
	const char *data = c->request->data ? c->request->data : "";
	size_t len = strlen(data);
	ssize_t n = 0;

	if (c->fds.input < 0)
		return;
	while (c->data_at < len && (n = write(c->fds.input, data + c->data_at, len - c->data_at)) > 0)
		c->data_at += (size_t)n;
	if (n < 0 && errno == EAGAIN)
		return;
	if (c->request->input == RUN_INPUT_PIPE) {
		close(c->fds.input);
		c->fds.input = -1;
	}
}

static bool was_seen(const struct child *c, const char *pattern)
{
	if (!pattern)
		return true;
	for (unsigned i = 0; i < STREAMS; i++)
		if (c->texts[i]->len && memmem(c->texts[i]->bytes, c->texts[i]->len, pattern, strlen(pattern)))
			return true;
	return false;
}

/* A pipe is full before its size is reached when the next piece does not fit: that nothing moves is the sign. */
static bool is_stuck(struct child *c)
{
	int waiting = 0;

	if (ioctl(c->fds.output, FIONREAD, &waiting) < 0 || waiting == 0 || waiting != c->stuck_at) {
		c->stuck_at = waiting;
		clock_gettime(CLOCK_MONOTONIC, &c->stuck_since);
	}
	return waiting > 0 && seconds_since(&c->stuck_since) > STUCK_S;
}

static void take_steps(struct child *c)
{
	while (c->step < RUN_MAX_STEPS) {
		const struct run_step *step = &c->request->steps[c->step];
		struct termios now;

		if ((!step->signal && !step->keys && !step->read_output) || !was_seen(c, step->after) ||
		    (step->when_stuck && !is_stuck(c)))
			return;
		if (c->fds.terminal >= 0 && tcgetattr(c->fds.terminal, &now) == 0)
			c->result->terminal_was_raw |= !(now.c_lflag & (tcflag_t)ICANON);
		if (step->keys && write(c->fds.input, step->keys, strlen(step->keys)) < 0)
			c->failed = true;
		if (step->read_output)
			c->stream_fds[STREAM_OUT] = c->fds.output;
		if (step->signal)
			kill(c->pid, step->signal);
		c->step++;
	}
}

static void begin(struct child *c, const struct run_request *request, struct run_result *result)
{
	*c = (struct child){.request = request, .result = result, .pidfd = -1};
	c->texts[STREAM_OUT] = &result->out;
	c->texts[STREAM_ERR] = &result->err;
	c->texts[STREAM_EVENTS] = &result->events;
	for (unsigned i = 0; i < STREAMS; i++)
		append(c->texts[i], "", 0);
	clock_gettime(CLOCK_MONOTONIC, &c->start);
	c->pid = run_child_start(request, &c->fds);
	if (c->pid > 0)
		c->pidfd = pidfd_open(c->pid, 0);
	c->failed = c->pid <= 0 || c->pidfd < 0;
	c->ended = c->pid <= 0;
	if (c->fds.terminal >= 0)
		c->before = c->fds.attributes;
	c->stream_fds[STREAM_OUT] = request->output == RUN_OUTPUT_STALLED ? -1 : c->fds.output;
	c->stream_fds[STREAM_ERR] = c->fds.error;
	c->stream_fds[STREAM_EVENTS] = c->fds.events;
}

static void note_status(struct child *c, int status)
{
	c->ended = true;
	c->result->seconds = seconds_since(&c->start);
	c->result->killed = WIFSIGNALED(status);
	c->result->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	/* Its session holds nobody else, or somebody was left behind. */
	c->failed |= kill(-c->pid, SIGKILL) == 0;
}

/* Ends a child that is late, and reaps one that has ended. */
static void look_after(struct child *c)
{
	unsigned limit = c->request->limit_s ? c->request->limit_s : RUN_DEFAULT_LIMIT;
	int status;

	if (!c->timed_out && seconds_since(&c->start) > limit) {
		c->timed_out = true;
		kill(-c->pid, SIGKILL);
		kill(c->pid, SIGKILL);
	}
	if (waitpid(c->pid, &status, WNOHANG) == c->pid)
		note_status(c, status);
}

static void wait_for_something(struct child *children, unsigned count)
{
	struct pollfd fds[RUN_MAX_AT_ONCE * (STREAMS + 2)];
	nfds_t n = 0;

	for (unsigned i = 0; i < count; i++) {
		struct child *c = &children[i];
		bool has_data = c->request->data && c->data_at < strlen(c->request->data);

		if (c->ended)
			continue;
		fds[n++] = (struct pollfd){.fd = c->pidfd, .events = POLLIN};
		for (unsigned s = 0; s < STREAMS; s++)
			fds[n++] = (struct pollfd){.fd = c->stream_fds[s], .events = POLLIN};
		fds[n++] = (struct pollfd){.fd = has_data ? c->fds.input : -1, .events = POLLOUT};
	}
	(void)!poll(fds, n, TICK_MS);
}

static void serve(struct child *c)
{
	if (c->ended)
		return;
	pump_input(c);
	for (unsigned s = 0; s < STREAMS; s++)
		pump_stream(c, s);
	take_steps(c);
	look_after(c);
}

static void find_last_line(struct run_result *r)
{
	const char *start = r->err.bytes, *end = r->err.bytes + r->err.len;

	for (const char *p = start; p < end; p++)
		r->err_lines += *p == '\n';
	if (end > start && end[-1] == '\n')
		end--;
	for (const char *p = start; p < end; p++)
		if (*p == '\n')
			start = p + 1;
	snprintf(r->last_line, sizeof(r->last_line), "%.*s", (int)(end - start), start);
}

static void finish(struct child *c)
{
	struct termios after;

	memset(&after, 0, sizeof(after)); /* its padding is compared too */
	for (unsigned s = 0; s < STREAMS; s++)
		pump_stream(c, s);
	if (c->fds.terminal >= 0 && tcgetattr(c->fds.terminal, &after) == 0)
		c->result->terminal_restored = memcmp(&after, &c->before, sizeof(after)) == 0;
	if (c->fds.setup >= 0 && read(c->fds.setup, &c->result->not_begun, sizeof(int)) != sizeof(int))
		c->result->not_begun = 0;
	run_child_close(&c->fds);
	if (c->pidfd >= 0)
		close(c->pidfd);
	find_last_line(c->result);
}

/* We are the subreaper: a process that outlives its vmm becomes our child. Counts them, and waits for those that end.
 */
static unsigned count_strays(void)
{
	unsigned count = 0;

	/* 0: there are some, and they live. */
	while (waitpid(-1, NULL, WNOHANG) >= 0 && count < 20) {
		count++;
		usleep(TICK_MS * 1000);
	}
	return count;
}

static bool all_ended(const struct child *children, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!children[i].ended)
			return false;
	return true;
}

static void explain(const struct run_result *r, const char *what)
{
	print_error("%s\nstatus %d after %.2fs\n--- stdout (%zu bytes)\n%.2000s\n--- stderr\n%s\n---\n", what,
		    r->status, r->seconds, r->out.len, r->out.bytes, r->err.bytes);
}

void run_all(const struct run_request *requests, struct run_result *results, unsigned count)
{
	struct child children[RUN_MAX_AT_ONCE];
	unsigned files = run_count_scratch(), strays;

	assert_in_range(count, 1, RUN_MAX_AT_ONCE);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	memset(results, 0, count * sizeof(*results));
	for (unsigned i = 0; i < count; i++)
		begin(&children[i], &requests[i], &results[i]);
	while (!all_ended(children, count)) {
		wait_for_something(children, count);
		for (unsigned i = 0; i < count; i++)
			serve(&children[i]);
	}
	strays = count_strays();
	for (unsigned i = 0; i < count; i++) {
		finish(&children[i]);
		files += requests[i].creates;
	}
	for (unsigned i = 0; i < count; i++) {
		if (children[i].timed_out || children[i].failed || strays)
			explain(&results[i],
				children[i].timed_out ? "did not end in time" : "was not run as it should");
		assert_false(children[i].timed_out);
		assert_false(children[i].failed);
	}
	assert_int_equal(strays, 0);
	assert_int_equal(run_count_scratch(), files);
}

void run_one(const struct run_request *request, struct run_result *result)
{
	run_all(request, result, 1);
}

void run_words(struct run_result *result, ...)
{
	struct run_request request = {0};
	unsigned n = 0;
	va_list ap;

	va_start(ap, result);
	for (const char *word = va_arg(ap, const char *); word && n + 1 < RUN_MAX_WORDS;
	     word = va_arg(ap, const char *))
		request.words[n++] = word;
	va_end(ap);
	run_one(&request, result);
}

void run_free(struct run_result *result)
{
	free(result->out.bytes);
	free(result->err.bytes);
	free(result->events.bytes);
	memset(result, 0, sizeof(*result));
}

void run_check_status(const struct run_result *result, int status, const char *file, int line)
{
	if (result->status == status && !result->killed)
		return;
	explain(result, "ended with another status than expected");
	_assert_int_equal((LargestIntegralType)result->status, (LargestIntegralType)status, file, line);
	_fail(file, line);
}

void run_check(const struct run_result *result, int status, const char *pattern, const char *file, int line)
{
	run_check_status(result, status, file, line);
	if (fnmatch(pattern, result->last_line, 0) == 0)
		return;
	explain(result, "stderr's last line does not match:");
	print_error("%s\n", pattern);
	_fail(file, line);
}
