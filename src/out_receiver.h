/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --out: a bounded queue and a pipe between the channel, which must not wait, and the thread that stores files, which
 * may.
 */
#ifndef VMM_OUT_RECEIVER_H
#define VMM_OUT_RECEIVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/uring.h"
#include "ci/out_extract.h"
#include "out_stream.h"

struct out_receiver {
	struct out_stream stream;
	int pipe_fds[2];
	pthread_t thread;
	bool running;
	bool received;	    /* anything came; under dev_lock */
	int wake_fd;	    /* borrowed */
	atomic_bool failed; /* the thread has given up: the rest of the stream has no place to go */
	struct out_request request;
	/* the thread's, until it was joined */
	struct out_result result;
	struct error err;
	int code;
};

/* Makes the folder @dir, or checks that it can be written, and the pipe. 0, or -errno with a line in @err;
 * out_receiver_fini is due either way. @dir NULL: nothing is received. I/O thread. */
MUST_CHECK int out_receiver_init(struct out_receiver *receiver, const char *dir, uint64_t limit, struct uring *ring,
				 int wake_fd, struct error *err);
/* Starts the thread, which wakes the I/O thread when it gives up. 0 or -errno. I/O thread. */
MUST_CHECK int out_receiver_start(struct out_receiver *receiver);

/* Takes bytes of the stream; returns how many. Any thread, under dev_lock. */
size_t out_receiver_put(struct out_receiver *receiver, const uint8_t *data, size_t len);

/* Is all that was put in the pipe, or lost because the thread gave up? I/O thread. */
bool out_receiver_is_idle(struct out_receiver *receiver);

/* Ends the stream and waits for the thread, which then has stored what came: receiver->code, err and result are
 * valid. No op of the stream may be in flight. I/O thread. */
void out_receiver_finish(struct out_receiver *receiver);
void out_receiver_fini(struct out_receiver *receiver);

#endif
