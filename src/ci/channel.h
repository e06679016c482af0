/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the frames of the guest's init (command_proto.h) out of a byte stream that the guest controls: bounded, never
 * waiting, at home again after garbage. Under dev_lock.
 */
#ifndef VMM_CI_CHANNEL_H
#define VMM_CI_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ci/command_proto.h"

/* Where the payloads go. stream: OUTPUT and OUT; takes what it can and returns how much that was. message: all other
 * types, whole; unknown types are not passed on. */
struct channel_sink {
	size_t (*stream)(void *opaque, enum command_frame_type type, const uint8_t *data, size_t len);
	void (*message)(void *opaque, enum command_frame_type type, const uint8_t *payload, size_t len);
	void *opaque;
};

/* A guest that knows the token can send headers inside of headers, each of which asks for the CRC of what follows. So
 * a frame costs as many credits as it has bytes, and a byte that is left behind earns this many: the bytes summed and
 * moved are at most those fed times this, plus the maximum. A frame without credit is a bad one. Frames in sequence
 * earn more than they cost. */
#define CHANNEL_CREDIT_PER_BYTE 4u
#define CHANNEL_CREDIT_MAX	(16u * (sizeof(struct command_frame) + COMMAND_FRAME_MAX_PAYLOAD))

struct channel {
	struct channel_sink sink;
	uint8_t token[COMMAND_TOKEN_SIZE];
	uint32_t next_sequence;
	size_t start, filled; /* [start, filled) of buffer is what was taken and not yet left behind */
	size_t wanted;	      /* bytes of the frame at start, once its header is good; else 0 */
	size_t delivered;     /* of the frame under delivery */
	bool delivering;      /* the frame at start is checked, and the sink has not taken its payload wholly */
	size_t credit;
	uint64_t frames;
	uint64_t bad_frames;  /* token right, but length, CRC or credit not, or a sequence that was there before */
	uint64_t lost_frames; /* gaps in the sequence */
	uint64_t skipped_bytes;
	uint8_t buffer[sizeof(struct command_frame) + COMMAND_FRAME_MAX_PAYLOAD];
};

void channel_init(struct channel *channel, const uint8_t token[COMMAND_TOKEN_SIZE], struct channel_sink sink);

/* Takes bytes from the guest; returns how many. Fewer than @len only while the sink does not take a payload: offer the
 * rest again later. */
size_t channel_feed(struct channel *channel, const uint8_t *data, size_t len);

#endif
