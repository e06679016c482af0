/* SPDX-License-Identifier: Apache-2.0 */
/* The namespaces and the root folder that guest_run.h's guests live in. In forked processes; no assertions. */
#ifndef VMM_TEST_GUEST_WORLD_H
#define VMM_TEST_GUEST_WORLD_H

#include "guest_run.h"

struct guest_world {
	int init, busybox; /* the programs, opened */
	char com2[64], console[64];
	const uint8_t *file; /* of the command; NULL: none */
	size_t file_size;
	const struct guest_request *request;
};

/* True when the calling process may have new namespaces; it is in them then. */
bool guest_world_unshare(void);

/* Whether this machine permits all that a guest needs. The calling process is not fit for anything else then. */
bool guest_world_is_possible(void);

/* Becomes init, as the first process of the new PID namespace; returns only when something failed. */
void guest_world_enter(const struct guest_world *world);

#endif
