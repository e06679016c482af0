/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a descriptor or for the end of a child, whichever comes first. */
#ifndef VMM_INIT_SIGCHLD_H
#define VMM_INIT_SIGCHLD_H

#include <stdbool.h>

#define SIGCHLD_FOREVER (-1)

void sigchld_install(void);

/* Whether children have ended since the last call. */
bool sigchld_take(void);

/* Waits until @fd (-1: none) can be read or its writers are gone (true), or a child has ended, or @ms have passed. */
bool sigchld_wait(int fd, int ms);

#endif
