/* SPDX-License-Identifier: Apache-2.0 */
/* From the command's start to its end: its output goes to the host, and every orphan is reaped. */
#ifndef VMM_INIT_RELAY_H
#define VMM_INIT_RELAY_H

#include <stdbool.h>

#include "sender.h"

struct relay {
	struct sender *sender;
	int output; /* what the command writes comes out here; -1: nothing, or nothing any more */
	int command;
	int status; /* of the command, as wait4(2) gives it */
	bool has_ended, has_children;
	uint64_t burst_begin; /* time-stamp counter */
	size_t burst_bytes;   /* forwarded since */
};

/* Returns when the command has ended. */
void relay_run(struct relay *relay);

/* Ends all other processes, and sends what was left in the pipe. */
void relay_finish(struct relay *relay);

#endif
