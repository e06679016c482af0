/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/runner.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "matrix/child.h"
#include "matrix/log_folder.h"
#include "matrix/verdict.h"

#define KILL_AFTER_NS (5ULL * 1000000000)
#define NEVER	      UINT64_MAX

static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

enum stage { STAGE_RUNS, STAGE_TOLD, STAGE_KILLED };

struct slot {
	struct plan_run *run; /* NULL: free */
	struct child child;
	enum stage stage;
	bool is_late;	 /* it did not end by itself */
	uint64_t due_ns; /* when the next stage begins */
};

struct work {
	struct runner *runner;
	struct slot *slots;
	struct pollfd *fds; /* the signals, then one for each slot */
	unsigned running, next;
	bool stopping;
	const char *why_stopping;
	sigset_t child_mask;
};

static uint64_t add_ns(uint64_t a, uint64_t b)
{
	return a > NEVER - b ? NEVER : a + b;
}

/* A signal that whoever started us has us ignore (nohup, a shell's background job) stays ignored. */
static bool is_ignored(int signal)
{
	struct sigaction action;

	return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int runner_prepare(struct runner *runner, struct error *err)
{
	sigset_t mask;

	sigemptyset(&mask);
	for (unsigned i = 0; i < ARRAY_SIZE(stop_signals); i++)
		if (!is_ignored(stop_signals[i]))
			sigaddset(&mask, stop_signals[i]);
	sigaddset(&mask, SIGWINCH);
	/* A parent that ignores SIGCHLD passes that on, and ended children would vanish. */
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	runner->signal_fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
	if (runner->signal_fd < 0)
		return error_set(err, -errno, "signalfd: %s", strerror(errno));
	return 0;
}

void runner_finish(struct runner *runner)
{
	close_fd(&runner->signal_fd);
}

static void tell_end(struct work *w, struct plan_run *run)
{
	const struct runner_watch *watch = &w->runner->watch;

	if (w->runner->fail_fast && run->state != PLAN_PASSED && !w->stopping) {
		w->stopping = true;
		w->why_stopping = "not begun: an earlier run did not pass";
	}
	if (watch->ended)
		watch->ended(watch->opaque, run);
}

static void fail_start(struct work *w, struct plan_run *run, const char *why)
{
	run->state = PLAN_ERROR;
	snprintf(run->reason, sizeof(run->reason), "%s", why);
	tell_end(w, run);
}

static void start(struct work *w, struct slot *slot, struct plan_run *run)
{
	const struct runner *runner = w->runner;
	struct error err;
	int fd = log_folder_begin(run, &err);
	const struct child_request request = {
		.program = runner->program, .words = run->words, .output = fd, .mask = &w->child_mask};
	int ret;

	if (fd < 0) {
		fail_start(w, run, err.text);
		return;
	}
	run->start_ns = monotonic_ns();
	ret = child_start(&request, &slot->child);
	close_fd(&fd);
	if (ret) {
		error_set(&err, ret, "cannot start %s: %s", runner->program, strerror(-ret));
		fail_start(w, run, err.text);
		return;
	}
	slot->run = run;
	slot->stage = STAGE_RUNS;
	slot->is_late = false;
	slot->due_ns = run->timeout_ns ? add_ns(add_ns(run->start_ns, run->timeout_ns), runner->grace_ns) : NEVER;
	run->state = PLAN_RUNNING;
	w->running++;
	if (runner->watch.started)
		runner->watch.started(runner->watch.opaque, run);
}

static void fill_slots(struct work *w)
{
	struct plan *plan = w->runner->plan;

	for (unsigned i = 0; i < w->runner->jobs; i++)
		while (!w->slots[i].run && !w->stopping && w->next < plan->count)
			start(w, &w->slots[i], &plan->runs[w->next++]);
}

static void enter_stage(struct slot *slot, enum stage stage, uint64_t now)
{
	slot->stage = stage;
	slot->due_ns = stage == STAGE_TOLD ? add_ns(now, KILL_AFTER_NS) : NEVER;
	child_signal(&slot->child, stage == STAGE_TOLD ? SIGTERM : SIGKILL);
}

static void stop_all(struct work *w, enum stage stage)
{
	uint64_t now = monotonic_ns();

	for (unsigned i = 0; i < w->runner->jobs; i++)
		if (w->slots[i].run && w->slots[i].stage < stage)
			enter_stage(&w->slots[i], stage, now);
}

/* The first tells all to end; a second one does not wait for that. */
static void take_stop_signal(struct work *w, int signal)
{
	if (w->runner->stop_signal) {
		stop_all(w, STAGE_KILLED);
		return;
	}
	w->runner->stop_signal = signal;
	w->stopping = true;
	w->why_stopping = "stopped before it ended";
	stop_all(w, STAGE_TOLD);
}

static void take_signals(struct work *w)
{
	const struct runner_watch *watch = &w->runner->watch;
	struct signalfd_siginfo info;

	while (read(w->runner->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo != SIGWINCH)
			take_stop_signal(w, (int)info.ssi_signo);
		else if (watch->resized)
			watch->resized(watch->opaque);
	}
}

static void take_end(struct work *w, struct slot *slot)
{
	struct plan_run *run = slot->run;
	struct verdict_input input = {
		.is_late = slot->is_late,
		.was_stopped = slot->stage != STAGE_RUNS && !slot->is_late,
		.grace_ns = w->runner->grace_ns,
	};

	input.status = child_collect(&slot->child, &input.signal);
	run->elapsed_ns = monotonic_ns() - run->start_ns;
	log_folder_last_line(run, PLAN_VMM_FILE, input.last_line, sizeof(input.last_line));
	verdict_give(run, &input);
	slot->run = NULL;
	w->running--;
	tell_end(w, run);
}

/* Ends first: a run that has ended cannot be late any more. */
static void look_after_slots(struct work *w)
{
	uint64_t now;

	for (unsigned i = 0; i < w->runner->jobs; i++)
		if (w->slots[i].run && w->fds[i + 1].revents)
			take_end(w, &w->slots[i]);
	now = monotonic_ns();
	for (unsigned i = 0; i < w->runner->jobs; i++) {
		struct slot *slot = &w->slots[i];

		if (!slot->run || now < slot->due_ns)
			continue;
		slot->is_late |= slot->stage == STAGE_RUNS;
		enter_stage(slot, slot->stage == STAGE_RUNS ? STAGE_TOLD : STAGE_KILLED, now);
	}
}

static int milliseconds_until(uint64_t due, uint64_t now)
{
	uint64_t ms = due <= now ? 0 : (due - now) / 1000000 + 1;

	return due == NEVER ? -1 : ms > 1000000 ? 1000000 : (int)ms;
}

static int wait_for_something(struct work *w)
{
	const struct runner *runner = w->runner;
	uint64_t now = monotonic_ns(), due = runner->watch.tick_ns ? add_ns(now, runner->watch.tick_ns) : NEVER;

	w->fds[0] = (struct pollfd){.fd = runner->signal_fd, .events = POLLIN};
	for (unsigned i = 0; i < runner->jobs; i++) {
		const struct slot *slot = &w->slots[i];

		w->fds[i + 1] = (struct pollfd){.fd = slot->run ? slot->child.pidfd : -1, .events = POLLIN};
		if (slot->run && slot->due_ns < due)
			due = slot->due_ns;
	}
	if (poll(w->fds, runner->jobs + 1, milliseconds_until(due, now)) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

static int serve(struct work *w)
{
	const struct runner_watch *watch = &w->runner->watch;

	while (fill_slots(w), w->running) {
		int ret = wait_for_something(w);

		if (ret)
			return ret;
		take_signals(w);
		look_after_slots(w);
		if (watch->tick)
			watch->tick(watch->opaque, monotonic_ns());
	}
	return 0;
}

/* Only when poll(2) itself failed. */
static void kill_rest(struct work *w)
{
	stop_all(w, STAGE_KILLED);
	for (unsigned i = 0; i < w->runner->jobs; i++)
		if (w->slots[i].run)
			take_end(w, &w->slots[i]);
}

static void end_rest(struct work *w)
{
	const struct plan *plan = w->runner->plan;

	for (unsigned i = 0; i < plan->count; i++) {
		struct plan_run *run = &plan->runs[i];

		if (run->state != PLAN_QUEUED)
			continue;
		run->state = PLAN_NOT_RUN;
		snprintf(run->reason, sizeof(run->reason), "%s",
			 w->runner->stop_signal ? "stopped before it began" : w->why_stopping);
	}
}

int runner_run(struct runner *runner, struct error *err)
{
	struct work w = {.runner = runner,
			 .slots = calloc(runner->jobs, sizeof(*w.slots)),
			 .fds = calloc(runner->jobs + 1, sizeof(*w.fds)),
			 .why_stopping = ""};
	int ret = w.slots && w.fds ? 0 : -ENOMEM;

	sigemptyset(&w.child_mask);
	if (!ret)
		ret = serve(&w);
	if (ret) {
		error_set(err, ret, "matrix: cannot wait for the runs: %s", strerror(-ret));
		if (w.slots)
			kill_rest(&w);
	}
	end_rest(&w);
	free(w.slots);
	free(w.fds);
	return ret;
}
