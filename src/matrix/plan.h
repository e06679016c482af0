/* SPDX-License-Identifier: Apache-2.0 */
/* The runs that a matrix file makes: their names, their command lines, and how each goes. One thread. */
#ifndef VMM_MATRIX_PLAN_H
#define VMM_MATRIX_PLAN_H

#include <stdint.h>

#include "base/error.h"
#include "matrix/arena.h"
#include "matrix/matrix_file.h"

#define PLAN_MAX_RUNS	 4096
#define PLAN_REASON_SIZE 512
#define PLAN_SAID_SIZE	 256

enum plan_state {
	PLAN_QUEUED,
	PLAN_RUNNING,
	PLAN_PASSED,
	PLAN_FAILED,  /* another status than expected */
	PLAN_ERROR,   /* vmm could not run it, or did not end */
	PLAN_NOT_RUN, /* not begun or not ended before all was stopped */
	PLAN_STATES,
};

struct plan_run {
	const char *name;	  /* fit for a file name, no two are the same */
	const char *kernel;	  /* its key in the file */
	const char *folder;	  /* its log folder */
	const char *out;	  /* the host folder for the guest's files; NULL: none */
	const char *const *words; /* argv of its vmm, with the NULL */
	unsigned nr_words;
	unsigned cpus;
	uint64_t timeout_ns;
	int expect;

	enum plan_state state;
	int status; /* its vmm's exit status; -1: it has none */
	uint64_t start_ns, elapsed_ns;
	char reason[PLAN_REASON_SIZE];
	char said[PLAN_SAID_SIZE]; /* the last line so far, for the live table */
};

struct plan {
	struct plan_run *runs;
	unsigned count;
	unsigned total; /* before @only left some out */
};

/* Names of files in a run's log folder. */
#define PLAN_CONSOLE_FILE "console.log"
#define PLAN_EVENTS_FILE  "events.jsonl"
#define PLAN_VMM_FILE	  "vmm.log"

/* @only: shell patterns, of which one must match a run's name; none: all runs. Everything lives in the arena; strings
 * of @file are borrowed. 0, or -errno with a line in @err. */
MUST_CHECK int plan_make(struct plan *plan, const struct matrix_file *file, const char *logs,
			 const struct arena_list *only, struct arena *arena, struct error *err);

/* How many runs are in each state. */
void plan_count(const struct plan *plan, unsigned counts[PLAN_STATES]);

#endif
