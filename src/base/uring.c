/* SPDX-License-Identifier: Apache-2.0 */
/* The only user of liburing. The poll engine lives in uring_poll.c behind the same operations. */
#include "base/uring.h"

#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/uring_internal.h"

_Static_assert(sizeof(struct __kernel_timespec) == sizeof(((struct uring_op *)0)->timespec), "timespec layout");

struct uring {
	bool use_poll;
	char reason[128];
	unsigned in_flight;
	struct io_uring io;
	struct uring_poll poll;
};

/* Marks the completion of a cancel request itself, which nobody waits for. */
#define CANCEL_MARK NULL

static const uint8_t allowed_ops[] = {IORING_OP_READ,	      IORING_OP_WRITE,		IORING_OP_TIMEOUT,
				      IORING_OP_ASYNC_CANCEL, IORING_OP_TIMEOUT_REMOVE, IORING_OP_POLL_ADD};

/* Only the listed operations, ever: io_uring is out of seccomp's sight. */
static int restrict_ring(struct io_uring *io)
{
	struct io_uring_restriction rules[ARRAY_SIZE(allowed_ops)];

	memset(rules, 0, sizeof(rules));
	for (size_t i = 0; i < ARRAY_SIZE(allowed_ops); i++) {
		rules[i].opcode = IORING_RESTRICTION_SQE_OP;
		rules[i].sqe_op = allowed_ops[i];
	}
	return io_uring_register_restrictions(io, rules, ARRAY_SIZE(rules));
}

static int open_ring(struct uring *ring, int keep_fd)
{
	const char *step = "io_uring_setup";
	/* Twice the slots: every op may have a cancel request beside it. */
	int err = io_uring_queue_init(2 * URING_MAX_OPS, &ring->io, IORING_SETUP_R_DISABLED);

	if (!err) {
		step = "io_uring_register";
		if (keep_fd >= 0) /* only a quicker end depends on it */
			(void)!io_uring_register_files(&ring->io, &keep_fd, 1);
		err = restrict_ring(&ring->io);
		if (!err)
			err = io_uring_enable_rings(&ring->io);
		if (err)
			io_uring_queue_exit(&ring->io);
	}
	if (err)
		snprintf(ring->reason, sizeof(ring->reason), "%s: %s", step, strerror(-err));
	return err;
}

static int create(struct uring **out, bool force_poll, int keep_fd)
{
	struct uring *ring = calloc(1, sizeof(*ring));

	if (!ring)
		return -ENOMEM;
	if (force_poll)
		snprintf(ring->reason, sizeof(ring->reason), "switched off");
	ring->use_poll = force_poll || open_ring(ring, keep_fd) != 0;
	*out = ring;
	return 0;
}

int uring_create(struct uring **ring, bool force_poll)
{
	return create(ring, force_poll, -1);
}

int uring_create_keeping(struct uring **ring, int keep_fd)
{
	return create(ring, false, keep_fd);
}

void uring_destroy(struct uring *ring)
{
	if (!ring)
		return;
	ASSERT(ring->in_flight == 0);
	if (!ring->use_poll)
		io_uring_queue_exit(&ring->io);
	free(ring);
}

const char *uring_fallback_reason(const struct uring *ring)
{
	return ring->use_poll ? ring->reason : NULL;
}

static int begin(struct uring *ring, struct uring_op *op)
{
	ASSERT(!op->in_flight);
	if (ring->in_flight == URING_MAX_OPS)
		return -EBUSY;
	op->in_flight = true;
	ring->in_flight++;
	return 0;
}

static struct io_uring_sqe *next_sqe(struct uring *ring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->io);

	if (!sqe) { /* submissions pile up only until the kernel looks at them */
		io_uring_submit(&ring->io);
		sqe = io_uring_get_sqe(&ring->io);
	}
	ASSERT(sqe);
	return sqe;
}

static void submit(struct uring *ring, struct uring_op *op)
{
	struct io_uring_sqe *sqe = next_sqe(ring);

	if (op->awaits_readiness)
		io_uring_prep_poll_add(sqe, op->fd, op->kind == URING_READ ? POLLIN : POLLOUT);
	else if (op->kind == URING_READ)
		io_uring_prep_read(sqe, op->fd, op->buf, (unsigned)op->len, (__u64)-1);
	else if (op->kind == URING_WRITE)
		io_uring_prep_write(sqe, op->fd, op->buf, (unsigned)op->len, (__u64)-1);
	else
		io_uring_prep_timeout(sqe, (struct __kernel_timespec *)(void *)op->timespec, 0, IORING_TIMEOUT_ABS);
	io_uring_sqe_set_data(sqe, op);
}

static int start(struct uring *ring, struct uring_op *op, enum uring_kind kind, int fd, void *buf, size_t len)
{
	int err = begin(ring, op);

	if (err)
		return err;
	op->kind = (uint8_t)kind;
	op->fd = fd;
	op->buf = buf;
	op->len = len;
	op->cancelled = op->awaits_readiness = false;
	if (ring->use_poll)
		uring_poll_add(&ring->poll, op);
	else
		submit(ring, op);
	return 0;
}

int uring_read(struct uring *ring, struct uring_op *op, int fd, void *buf, size_t len)
{
	return start(ring, op, URING_READ, fd, buf, len);
}

int uring_write(struct uring *ring, struct uring_op *op, int fd, const void *buf, size_t len)
{
	union {
		const void *in;
		void *out;
	} bytes = {.in = buf}; /* the op's buffer serves both directions; a write only reads it */

	return start(ring, op, URING_WRITE, fd, bytes.out, len);
}

int uring_timer(struct uring *ring, struct uring_op *op, uint64_t deadline_ns)
{
	op->deadline_ns = deadline_ns;
	op->timespec[0] = (long long)(deadline_ns / 1000000000ULL);
	op->timespec[1] = (long long)(deadline_ns % 1000000000ULL);
	return start(ring, op, URING_TIMER, -1, NULL, 0);
}

void uring_cancel(struct uring *ring, struct uring_op *op)
{
	struct io_uring_sqe *sqe;

	if (!op->in_flight)
		return;
	op->cancelled = true;
	if (ring->use_poll) {
		uring_poll_cancel(&ring->poll, op);
		return;
	}
	sqe = next_sqe(ring);
	if (op->kind == URING_TIMER)
		io_uring_prep_timeout_remove(sqe, (__u64)(uintptr_t)op, 0);
	else
		io_uring_prep_cancel(sqe, op, 0);
	io_uring_sqe_set_data(sqe, CANCEL_MARK);
}

static void finish(struct uring *ring, struct uring_op *op, int result)
{
	if (op->kind == URING_TIMER && result == -ETIME)
		result = 0;
	op->in_flight = false;
	ring->in_flight--;
	op->done(op, result);
}

/* A non-blocking descriptor (stdin and stdout may be, by another process's doing) refuses where others wait: its
 * readiness is waited for, then the operation is tried again. */
static void take_completion(struct uring *ring, struct uring_op *op, int result)
{
	bool refused = result == -EAGAIN && op->kind != URING_TIMER, ready = op->awaits_readiness && result >= 0;

	if (!refused && !ready) {
		finish(ring, op, result);
	} else if (op->cancelled) {
		finish(ring, op, -ECANCELED);
	} else {
		op->awaits_readiness = refused;
		submit(ring, op);
	}
}

static int run_poll(struct uring *ring)
{
	struct uring_op *op;
	int result, err = uring_poll_wait(&ring->poll);

	while (!err && uring_poll_next(&ring->poll, &op, &result))
		finish(ring, op, result);
	return err;
}

int uring_run_once(struct uring *ring)
{
	struct io_uring_cqe *cqe;
	int err;

	if (ring->use_poll)
		return run_poll(ring);
	err = io_uring_submit_and_wait(&ring->io, 1);
	/* EAGAIN and EBUSY: short of memory for a moment; what is queued stays queued. */
	if (err < 0 && err != -EINTR && err != -EAGAIN && err != -EBUSY)
		return err;
	while (io_uring_peek_cqe(&ring->io, &cqe) == 0) {
		struct uring_op *op = io_uring_cqe_get_data(cqe);
		int result = cqe->res;

		io_uring_cqe_seen(&ring->io, cqe);
		if (op != CANCEL_MARK)
			take_completion(ring, op, result);
	}
	return 0;
}
