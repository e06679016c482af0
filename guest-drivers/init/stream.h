/* SPDX-License-Identifier: Apache-2.0 */
/* A stream of bytes cut into frames that are as full as can be. */
#ifndef VMM_INIT_STREAM_H
#define VMM_INIT_STREAM_H

#include "sender.h"

struct stream {
	struct sender *sender;
	enum command_frame_type type;
	uint8_t *payload; /* of the frame under construction; NULL: none */
	size_t room, used;
};

void stream_put(struct stream *stream, const void *bytes, size_t len);
void stream_put_zeros(struct stream *stream, size_t len);

/* Reads up to @len bytes from @fd into the stream; returns how many, or -errno. */
long stream_read(struct stream *stream, int fd, size_t len);

/* Sends what is there; due before any other frame, and at the end. */
void stream_flush(struct stream *stream);

#endif
