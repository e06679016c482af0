/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the plan: so many at a time, each a process of its own. What one of them does touches no other; none outlives
 * this process. Main thread.
 */
#ifndef VMM_MATRIX_RUNNER_H
#define VMM_MATRIX_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "matrix/plan.h"

/* Whoever shows how it goes. Each may be NULL. */
struct runner_watch {
	void (*started)(void *opaque, struct plan_run *run);
	void (*ended)(void *opaque, struct plan_run *run);
	void (*tick)(void *opaque, uint64_t now_ns); /* at least every tick_ns while something runs */
	void (*resized)(void *opaque);		     /* the terminal */
	uint64_t tick_ns;			     /* 0: no ticks */
	void *opaque;
};

struct runner {
	struct plan *plan;
	const char *program; /* what the runs' words are given to */
	unsigned jobs;
	bool fail_fast;	   /* nothing more is begun after the first that did not pass */
	uint64_t grace_ns; /* how long behind its timeout a run may take to end by itself */
	struct runner_watch watch;

	int signal_fd;	 /* set by runner_prepare; readable: we are told to stop */
	int stop_signal; /* which one it was; 0: none */
};

#define RUNNER_GRACE_NS (15ULL * 1000000000)

/* Takes the signals that end or resize us. 0, or -errno with a line. runner_finish is due after success. */
MUST_CHECK int runner_prepare(struct runner *runner, struct error *err);
/* Every run has an end afterwards. 0, or -errno with a line when it could not go on; nothing is left running. */
MUST_CHECK int runner_run(struct runner *runner, struct error *err);
void runner_finish(struct runner *runner);

#endif
