/* SPDX-License-Identifier: Apache-2.0 */
#include "base/uring_internal.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "base/file.h"

#define NS_PER_MS 1000000ULL

void uring_poll_add(struct uring_poll *p, struct uring_op *op)
{
	ASSERT(p->count < URING_MAX_OPS);
	p->ops[p->count] = op;
	p->cancelled[p->count] = false;
	p->ready[p->count] = 0;
	p->count++;
}

void uring_poll_cancel(struct uring_poll *p, struct uring_op *op)
{
	for (unsigned i = 0; i < p->count; i++)
		if (p->ops[i] == op)
			p->cancelled[i] = true;
}

static bool is_due(const struct uring_poll *p, unsigned i, uint64_t now)
{
	return p->cancelled[i] || p->ready[i] || (p->ops[i]->kind == URING_TIMER && p->ops[i]->deadline_ns <= now);
}

/* Milliseconds until the first timer, rounded up; 0 when something is due; -1 for no limit. */
static int wait_ms(const struct uring_poll *p)
{
	uint64_t now = monotonic_ns();
	int ms = -1;

	for (unsigned i = 0; i < p->count; i++) {
		uint64_t left;

		if (is_due(p, i, now))
			return 0;
		if (p->ops[i]->kind != URING_TIMER)
			continue;
		left = (p->ops[i]->deadline_ns - now + NS_PER_MS - 1) / NS_PER_MS;
		if (left > INT_MAX)
			left = INT_MAX;
		if (ms < 0 || (int)left < ms)
			ms = (int)left;
	}
	return ms;
}

int uring_poll_wait(struct uring_poll *p)
{
	struct pollfd fds[URING_MAX_OPS];

	for (unsigned i = 0; i < p->count; i++) {
		const struct uring_op *op = p->ops[i];

		/* poll ignores negative descriptors */
		fds[i] = (struct pollfd){.fd = op->kind == URING_TIMER ? -1 : op->fd,
					 .events = op->kind == URING_READ ? POLLIN : POLLOUT};
	}
	if (poll(fds, p->count, wait_ms(p)) < 0)
		return errno == EINTR ? 0 : -errno;
	for (unsigned i = 0; i < p->count; i++)
		p->ready[i] = fds[i].revents;
	return 0;
}

/* The descriptor is ready, so neither call blocks; a pipe takes PIPE_BUF bytes whenever it is writable. */
static int execute(const struct uring_op *op)
{
	ssize_t n;

	if (op->kind == URING_TIMER)
		return 0;
	if (op->kind == URING_READ)
		n = read(op->fd, op->buf, op->len);
	else
		n = write(op->fd, op->buf, op->len < PIPE_BUF ? op->len : PIPE_BUF);
	return n < 0 ? -errno : (int)n;
}

bool uring_poll_next(struct uring_poll *p, struct uring_op **op, int *result)
{
	uint64_t now = monotonic_ns();

	for (unsigned i = 0; i < p->count; i++) {
		if (!is_due(p, i, now))
			continue;
		*op = p->ops[i];
		*result = p->cancelled[i] ? -ECANCELED : execute(p->ops[i]);
		p->count--;
		p->ops[i] = p->ops[p->count];
		p->cancelled[i] = p->cancelled[p->count];
		p->ready[i] = p->ready[p->count];
		return true;
	}
	return false;
}
