/* SPDX-License-Identifier: Apache-2.0 */
/* A process of its own group that ends with us. Main thread. */
#ifndef VMM_MATRIX_CHILD_H
#define VMM_MATRIX_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/compiler.h"

struct child {
	pid_t pid;
	int pidfd; /* readable when it has ended; -1: there is none */
};

struct child_request {
	const char *program; /* a path */
	const char *const *words;
	int output;	      /* standard output and error; borrowed */
	const sigset_t *mask; /* its signal mask */
};

/* 0, or -errno also when the program cannot be executed. child_collect is due after success. */
MUST_CHECK int child_start(const struct child_request *request, struct child *child);

/* SIGKILL goes to all of its group. */
void child_signal(const struct child *child, int signal);

/* For a child that has ended: ends what it left in its group and reaps it. The exit status, or 128 + the signal and
 * *signal (else 0). */
int child_collect(struct child *child, int *signal);

#endif
