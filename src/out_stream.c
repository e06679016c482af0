/* SPDX-License-Identifier: Apache-2.0 */
#include "out_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define INDEX(position) ((position) & (OUT_STREAM_SIZE - 1))

static void on_written(struct uring_op *op, int result);

int out_stream_init(struct out_stream *out, struct uring *ring, int fd, int wake_fd)
{
	*out = (struct out_stream){.op.done = on_written, .ring = ring, .fd = fd, .wake_fd = wake_fd, .broken = fd < 0};
	pthread_mutex_init(&out->lock, NULL);
	out->bytes = malloc(OUT_STREAM_SIZE);
	return out->bytes ? 0 : -ENOMEM;
}

void out_stream_fini(struct out_stream *out)
{
	ASSERT(!out->op.in_flight);
	free(out->bytes);
	out->bytes = NULL;
	pthread_mutex_destroy(&out->lock);
}

/* Copies into the queue. The lock is held and there is room. */
static void append(struct out_stream *out, const uint8_t *data, size_t len)
{
	size_t at = INDEX(out->head), first = OUT_STREAM_SIZE - at;

	if (first > len)
		first = len;
	memcpy(out->bytes + at, data, first);
	memcpy(out->bytes, data + first, len - first);
	out->head += len;
}

static size_t put(struct out_stream *out, const void *data, size_t len, bool whole)
{
	size_t room, taken = len;
	bool needs_pump;

	pthread_mutex_lock(&out->lock);
	needs_pump = out->head == out->tail && !out->broken;
	room = OUT_STREAM_SIZE - (size_t)(out->head - out->tail);
	if (!out->broken) {
		if (taken > room)
			taken = whole ? 0 : room;
		append(out, data, taken);
		out->refused |= taken < len;
	}
	pthread_mutex_unlock(&out->lock);
	if (needs_pump && taken)
		wake_eventfd(out->wake_fd);
	return taken;
}

size_t out_stream_put(struct out_stream *out, const void *data, size_t len)
{
	return put(out, data, len, false);
}

bool out_stream_put_whole(struct out_stream *out, const void *data, size_t len)
{
	return put(out, data, len, true) == len;
}

void out_stream_pump(struct out_stream *out)
{
	size_t at, len;

	if (out->op.in_flight || out->closed)
		return;
	pthread_mutex_lock(&out->lock);
	at = INDEX(out->tail);
	len = (size_t)(out->head - out->tail);
	pthread_mutex_unlock(&out->lock);
	if (len > OUT_STREAM_SIZE - at)
		len = OUT_STREAM_SIZE - at;
	/* A full ring is back-pressure: the next completion pumps again. */
	if (len)
		(void)!uring_write(out->ring, &out->op, out->fd, out->bytes + at, len);
}

/* Accounts for @result written bytes; true when a producer was refused and waits. The lock is not held. */
static bool retire(struct out_stream *out, int result)
{
	bool refused;

	pthread_mutex_lock(&out->lock);
	if (result > 0) {
		out->tail += (uint64_t)result;
	} else if (result != -EINTR && result != -EAGAIN && result != -ECANCELED) {
		out->broken = true;
		out->tail = out->head;
	}
	refused = out->refused;
	out->refused = false;
	pthread_mutex_unlock(&out->lock);
	return refused;
}

static void on_written(struct uring_op *op, int result)
{
	struct out_stream *out = container_of(op, struct out_stream, op);
	bool refused = retire(out, result);

	if (refused && out->on_space)
		out->on_space(out->opaque);
	if (result != -ECANCELED)
		out_stream_pump(out);
}

bool out_stream_is_idle(struct out_stream *out)
{
	bool idle;

	pthread_mutex_lock(&out->lock);
	idle = out->head == out->tail && !out->op.in_flight;
	pthread_mutex_unlock(&out->lock);
	return idle;
}

uint64_t out_stream_queued(struct out_stream *out)
{
	uint64_t queued;

	pthread_mutex_lock(&out->lock);
	queued = out->head - out->tail;
	pthread_mutex_unlock(&out->lock);
	return queued;
}

void out_stream_close(struct out_stream *out)
{
	out->closed = true;
	uring_cancel(out->ring, &out->op);
}
