/* SPDX-License-Identifier: Apache-2.0 */
/* The poll(2) engine behind uring.h, for hosts that forbid io_uring. Private to uring.c and uring_poll.c. */
#ifndef VMM_BASE_URING_INTERNAL_H
#define VMM_BASE_URING_INTERNAL_H

#include "base/uring.h"

enum uring_kind { URING_READ, URING_WRITE, URING_TIMER };

struct uring_poll {
	struct uring_op *ops[URING_MAX_OPS];
	bool cancelled[URING_MAX_OPS];
	short ready[URING_MAX_OPS]; /* poll's revents after uring_poll_wait */
	unsigned count;
};

void uring_poll_add(struct uring_poll *poll, struct uring_op *op);
void uring_poll_cancel(struct uring_poll *poll, struct uring_op *op);
/* Waits until an op is due. 0 or -errno. */
MUST_CHECK int uring_poll_wait(struct uring_poll *poll);
/* Executes and removes one op that is due; false when none is left. */
bool uring_poll_next(struct uring_poll *poll, struct uring_op **op, int *result);

#endif
