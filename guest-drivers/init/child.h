/* SPDX-License-Identifier: Apache-2.0 */
/* Starts the command: its streams, its folder, and its program, searched for in PATH as execvp(3) does. */
#ifndef VMM_INIT_CHILD_H
#define VMM_INIT_CHILD_H

#include <stdbool.h>

#include "command.h"
#include "sys.h"
#include "transport.h"

struct child {
	const struct command *command;
	const struct transport *transport;
	int input; /* its standard input; -1: /dev/null */
	int output;

	/* What the child leaves for its parent. */
	int error; /* 0: the program runs; else a positive errno, and what failed: */
	enum command_step step;
	char candidate[SYS_PATH_MAX]; /* the first file that was found but not executed; else empty */
	int candidate_error;
	char path[SYS_PATH_MAX];
};

/* The child's process id or -errno. When the program did not start, the child has ended, and child->error says why. */
long child_start(struct child *child);

#endif
