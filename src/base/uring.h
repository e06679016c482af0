/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The I/O thread's completion loop: one io_uring, created disabled, restricted to the operations below, then enabled.
 * Where io_uring is not permitted, the same interface is served by poll(2) (one thread, descriptors that can be
 * polled). All functions run on the I/O thread, the one that called uring_init.
 */
#ifndef VMM_BASE_URING_H
#define VMM_BASE_URING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define URING_MAX_OPS 64 /* in flight at once, below the completion queue's size: it cannot overflow */

struct uring_op;
typedef void (*uring_done_fn)(struct uring_op *op, int result);

/* Embedded in whatever is waiting. The op, and the buffer it names, belong to the ring until done() ran. */
struct uring_op {
	uring_done_fn done; /* result: bytes, 0, or -errno; -ECANCELED after uring_cancel */
	bool in_flight;
	bool cancelled;
	bool awaits_readiness; /* of a non-blocking descriptor that refused */
	/* What was asked for: the poll engine executes it. */
	uint8_t kind;
	int fd;
	void *buf;
	size_t len;
	uint64_t deadline_ns;
	long long timespec[2]; /* the kernel's struct __kernel_timespec */
};

struct uring;

/* Creates the loop. @force_poll: do not try io_uring. 0 with *ring, or -errno; destroy with uring_destroy, which wants
 * every op completed or cancelled. */
MUST_CHECK int uring_create(struct uring **ring, bool force_poll);
void uring_destroy(struct uring *ring);

/*
 * As uring_create, and the ring holds a reference to the open file @keep_fd until the kernel has taken it down, which
 * happens in a kernel worker after the process has ended. For a file whose last close waits (a KVM VM waits for several
 * timer ticks). Without io_uring nothing is held.
 */
MUST_CHECK int uring_create_keeping(struct uring **ring, int keep_fd);

/* NULL when io_uring serves the loop, else why it does not ("io_uring_setup: Operation not permitted"). */
const char *uring_fallback_reason(const struct uring *ring);

/* Start an operation; done() runs later, from uring_run_once. 0, or -EBUSY when URING_MAX_OPS are in flight. */
MUST_CHECK int uring_read(struct uring *ring, struct uring_op *op, int fd, void *buf, size_t len);
MUST_CHECK int uring_write(struct uring *ring, struct uring_op *op, int fd, const void *buf, size_t len);
/* Completes with 0 when CLOCK_MONOTONIC reaches @deadline_ns. */
MUST_CHECK int uring_timer(struct uring *ring, struct uring_op *op, uint64_t deadline_ns);

/* Asks for @op's early end; done() still runs, with -ECANCELED or its normal result. No-op when not in flight. */
void uring_cancel(struct uring *ring, struct uring_op *op);

/* Waits for at least one completion and dispatches all that are there. 0 or -errno. */
MUST_CHECK int uring_run_once(struct uring *ring);

#endif
