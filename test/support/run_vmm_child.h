/* SPDX-License-Identifier: Apache-2.0 */
/* The child's side of run_vmm.c: descriptors, session, exec. Private to it. */
#ifndef VMM_TEST_SUPPORT_RUN_VMM_CHILD_H
#define VMM_TEST_SUPPORT_RUN_VMM_CHILD_H

#include <sys/types.h>
#include <termios.h>

#include "support/run_vmm.h"

/* Capacity of a stalled output's pipe. */
#define RUN_PIPE_SIZE 4096

/* Our ends; all non-blocking; -1 when there is none. */
struct run_child_fds {
	int input;  /* write end, or the terminal's master */
	int output; /* read end, or the terminal's master */
	int error;
	int events;
	int setup;		   /* before_exec's errno comes here */
	int terminal;		   /* the terminal itself, held open to look at its attributes */
	struct termios attributes; /* as it began */
};

/* The pid, or -1. run_child_close is due either way. */
pid_t run_child_start(const struct run_request *request, struct run_child_fds *fds);
void run_child_close(struct run_child_fds *fds);

/* Entries in the scratch folder. */
unsigned run_count_scratch(void);

#endif
