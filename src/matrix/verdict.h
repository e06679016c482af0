/* SPDX-License-Identifier: Apache-2.0 */
/* What the end of a run's vmm means for the run. Pure. */
#ifndef VMM_MATRIX_VERDICT_H
#define VMM_MATRIX_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "matrix/plan.h"

struct verdict_input {
	int status;	  /* its exit status, or 128 + signal */
	int signal;	  /* which killed it; 0: it exited */
	bool is_late;	  /* it had to be ended, long behind its timeout */
	bool was_stopped; /* everything is being stopped */
	uint64_t grace_ns;
	char last_line[PLAN_REASON_SIZE]; /* of vmm.log */
};

/* Sets run->state, status and reason. */
void verdict_give(struct plan_run *run, const struct verdict_input *input);

/* "passed", "FAILED", ... */
const char *verdict_name(enum plan_state state);

#endif
