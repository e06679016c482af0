/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded byte queue in front of a descriptor: any thread puts bytes in without blocking, the I/O thread writes them
 * out through the ring. Carries the console's output and the event lines.
 */
#ifndef VMM_OUT_STREAM_H
#define VMM_OUT_STREAM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/uring.h"

#define OUT_STREAM_SIZE 65536 /* power of two */

struct out_stream {
	struct uring_op op;
	struct uring *ring;		/* borrowed */
	int fd;				/* borrowed */
	bool closed;			/* out_stream_close was called */
	int wake_fd;			/* borrowed: eventfd that makes the I/O thread call out_stream_pump */
	void (*on_space)(void *opaque); /* after bytes left a queue that had refused some; may be NULL */
	void *opaque;
	pthread_mutex_t lock; /* guards what follows */
	uint8_t *bytes;	      /* OUT_STREAM_SIZE */
	uint64_t head, tail;  /* monotonic; head - tail bytes are queued */
	bool refused;
	bool broken; /* the reader is gone: everything is discarded */
};

/* 0 or -ENOMEM. @fd < 0 discards everything. */
MUST_CHECK int out_stream_init(struct out_stream *out, struct uring *ring, int fd, int wake_fd);
void out_stream_fini(struct out_stream *out);

/* Takes as many of @len bytes as there is room for; returns how many. Any thread. */
size_t out_stream_put(struct out_stream *out, const void *data, size_t len);
/* Takes all of @len bytes or none: for records that must not be cut. Any thread. */
bool out_stream_put_whole(struct out_stream *out, const void *data, size_t len);

/* Starts a write when bytes wait and none is under way. I/O thread. */
void out_stream_pump(struct out_stream *out);
bool out_stream_is_idle(struct out_stream *out);
/* Bytes that wait to be written. Any thread. */
uint64_t out_stream_queued(struct out_stream *out);
/* Ends the write that is under way, and starts no other; what is still queued is lost. I/O thread. */
void out_stream_close(struct out_stream *out);

#endif
