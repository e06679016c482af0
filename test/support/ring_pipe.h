/* SPDX-License-Identifier: Apache-2.0 */
/* A ring with a pipe whose reading end is on the same ring, so that waiting for one end never waits for the test
 * itself. */
#ifndef VMM_TEST_RING_PIPE_H
#define VMM_TEST_RING_PIPE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/uring.h"

#define RING_PIPE_MAX (1u << 20)

struct ring_pipe {
	struct uring *ring;
	int wake_fd;
	int fds[2]; /* read end, write end */
	struct uring_op read_op, timer_op;
	uint8_t chunk[8192];
	size_t len; /* bytes received */
	uint8_t received[RING_PIPE_MAX];
};

static inline void ring_pipe_on_read(struct uring_op *op, int result)
{
	struct ring_pipe *rp = container_of(op, struct ring_pipe, read_op);

	if (result <= 0)
		return;
	assert_true(rp->len + (size_t)result <= RING_PIPE_MAX);
	memcpy(rp->received + rp->len, rp->chunk, (size_t)result);
	rp->len += (size_t)result;
	assert_int_equal(uring_read(rp->ring, op, rp->fds[0], rp->chunk, sizeof(rp->chunk)), 0);
}

static inline void ring_pipe_on_end(struct uring_op *op, int result)
{
	(void)op;
	(void)result;
}

static inline int ring_pipe_init(struct ring_pipe *rp, bool force_poll)
{
	memset(rp, 0, offsetof(struct ring_pipe, received));
	signal(SIGPIPE, SIG_IGN);
	rp->read_op.done = ring_pipe_on_read;
	rp->timer_op.done = ring_pipe_on_end;
	rp->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return rp->wake_fd < 0 || pipe2(rp->fds, O_CLOEXEC) || uring_create(&rp->ring, force_poll);
}

static inline void ring_pipe_start_reading(struct ring_pipe *rp)
{
	if (!rp->read_op.in_flight)
		assert_int_equal(uring_read(rp->ring, &rp->read_op, rp->fds[0], rp->chunk, sizeof(rp->chunk)), 0);
}

/* One round of the ring that ends also when nothing happens. */
static inline void ring_pipe_step(struct ring_pipe *rp)
{
	if (!rp->timer_op.in_flight)
		assert_int_equal(uring_timer(rp->ring, &rp->timer_op, monotonic_ns() + 1000000), 0);
	assert_int_equal(uring_run_once(rp->ring), 0);
}

/* Every op of the test's own on the ring must have ended. */
static inline void ring_pipe_fini(struct ring_pipe *rp)
{
	rp->read_op.done = ring_pipe_on_end; /* bytes that still arrive do not start the next read */
	uring_cancel(rp->ring, &rp->read_op);
	uring_cancel(rp->ring, &rp->timer_op);
	while (rp->read_op.in_flight || rp->timer_op.in_flight)
		if (uring_run_once(rp->ring))
			break;
	uring_destroy(rp->ring);
	close_fd(&rp->fds[0]);
	close_fd(&rp->fds[1]);
	close_fd(&rp->wake_fd);
}

/* How often the I/O thread was woken since the last look. */
static inline uint64_t ring_pipe_wakes(struct ring_pipe *rp)
{
	uint64_t count = 0;

	return read(rp->wake_fd, &count, sizeof(count)) == (ssize_t)sizeof(count) ? count : 0;
}

#endif
