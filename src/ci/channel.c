/* SPDX-License-Identifier: Apache-2.0 */
#include "ci/channel.h"

#include <string.h>
#include <zlib.h>

#include "base/compiler.h"
#include "base/endian.h"

#define HEADER_SIZE sizeof(struct command_frame)

void channel_init(struct channel *channel, const uint8_t token[COMMAND_TOKEN_SIZE], struct channel_sink sink)
{
	*channel = (struct channel){.sink = sink, .credit = CHANNEL_CREDIT_MAX};
	memcpy(channel->token, token, COMMAND_TOKEN_SIZE);
}

/* Leaves @len bytes behind. */
static void advance(struct channel *channel, size_t len)
{
	size_t room = CHANNEL_CREDIT_MAX - channel->credit;

	channel->start += len;
	channel->credit += len < room / CHANNEL_CREDIT_PER_BYTE ? len * CHANNEL_CREDIT_PER_BYTE : room;
}

static void skip(struct channel *channel, size_t len)
{
	channel->skipped_bytes += len;
	advance(channel, len);
}

/* The next frame may begin inside what looked like one. */
static void refuse_frame(struct channel *channel)
{
	channel->bad_frames++;
	channel->wanted = 0;
	skip(channel, 1);
}

static void finish_frame(struct channel *channel)
{
	advance(channel, channel->wanted);
	channel->wanted = 0;
	channel->delivering = false;
}

/* Moves to the next token; false when that is not in the buffer, of which what may be its beginning stays. */
static bool find_token(struct channel *channel)
{
	const uint8_t *at = channel->buffer + channel->start;
	size_t len = channel->filled - channel->start;
	const uint8_t *token = memmem(at, len, channel->token, COMMAND_TOKEN_SIZE);

	if (token)
		skip(channel, (size_t)(token - at));
	else if (len >= COMMAND_TOKEN_SIZE)
		skip(channel, len - (COMMAND_TOKEN_SIZE - 1));
	return token != NULL;
}

/* Moves to the next header that may be a frame's and pays for it; false when the buffer has none. */
static bool find_header(struct channel *channel)
{
	while (find_token(channel)) {
		const uint8_t *header = channel->buffer + channel->start;

		if (channel->filled - channel->start < HEADER_SIZE)
			return false;
		uint32_t length = load_le32(header + offsetof(struct command_frame, length));

		if (length <= COMMAND_FRAME_MAX_PAYLOAD && HEADER_SIZE + length <= channel->credit) {
			channel->wanted = HEADER_SIZE + length;
			channel->credit -= channel->wanted;
			return true;
		}
		refuse_frame(channel);
	}
	return false;
}

static bool crc_matches(const uint8_t *frame, size_t payload_len)
{
	size_t summed = offsetof(struct command_frame, sequence);
	uLong crc = crc32_z(0, frame + summed, offsetof(struct command_frame, crc) - summed);

	crc = crc32_z(crc, frame + HEADER_SIZE, payload_len);
	return crc == load_le32(frame + offsetof(struct command_frame, crc));
}

/* Hands the payload to the sink, or leaves that to deliver(). */
static void dispatch(struct channel *channel, uint32_t type, const uint8_t *payload, size_t len)
{
	switch (type) {
	case COMMAND_FRAME_OUTPUT:
	case COMMAND_FRAME_OUT:
		channel->delivering = true;
		channel->delivered = 0;
		return;
	case COMMAND_FRAME_HELLO:
	case COMMAND_FRAME_STARTED:
	case COMMAND_FRAME_NOTE:
	case COMMAND_FRAME_EXIT:
	case COMMAND_FRAME_DONE:
		channel->sink.message(channel->sink.opaque, (enum command_frame_type)type, payload, len);
		break;
	default: /* of a newer init */
		break;
	}
	finish_frame(channel);
}

/* The whole frame is in the buffer. */
static void judge_frame(struct channel *channel)
{
	const uint8_t *frame = channel->buffer + channel->start;
	size_t len = channel->wanted - HEADER_SIZE;
	uint32_t sequence = load_le32(frame + offsetof(struct command_frame, sequence));
	uint32_t gap = sequence - channel->next_sequence;

	if (!crc_matches(frame, len)) {
		refuse_frame(channel);
		return;
	}
	/* From the past: a frame that was there already, sent again by somebody who could only copy it. */
	if (gap > INT32_MAX) {
		channel->bad_frames++;
		finish_frame(channel);
		return;
	}
	channel->frames++;
	channel->lost_frames += gap;
	channel->next_sequence = sequence + 1;
	dispatch(channel, load_le32(frame + offsetof(struct command_frame, type)), frame + HEADER_SIZE, len);
}

/* False while the sink does not take all of the payload. */
static bool deliver(struct channel *channel)
{
	const uint8_t *frame = channel->buffer + channel->start;
	size_t left = channel->wanted - HEADER_SIZE - channel->delivered;

	if (left) {
		uint32_t type = load_le32(frame + offsetof(struct command_frame, type));
		size_t taken = channel->sink.stream(channel->sink.opaque, (enum command_frame_type)type,
						    frame + HEADER_SIZE + channel->delivered, left);

		ASSERT(taken <= left);
		channel->delivered += taken;
		if (taken < left)
			return false;
	}
	finish_frame(channel);
	return true;
}

/* Works on the buffer until it needs more bytes (true) or the sink does not take a payload (false). */
static bool use_buffer(struct channel *channel)
{
	for (;;) {
		if (channel->delivering && !deliver(channel))
			return false;
		if (!channel->wanted && !find_header(channel))
			return true;
		if (channel->filled - channel->start < channel->wanted)
			return true;
		judge_frame(channel);
	}
}

/* Takes no more than the header or the frame at hand needs, so that what is moved to the buffer's beginning has been
 * paid for. */
static size_t fill_buffer(struct channel *channel, const uint8_t *data, size_t len)
{
	size_t kept = channel->filled - channel->start;
	size_t missing = (channel->wanted ? channel->wanted : HEADER_SIZE) - kept;

	if (channel->start) {
		memmove(channel->buffer, channel->buffer + channel->start, kept);
		channel->start = 0;
		channel->filled = kept;
	}
	if (len > missing)
		len = missing;
	memcpy(channel->buffer + channel->filled, data, len);
	channel->filled += len;
	return len;
}

size_t channel_feed(struct channel *channel, const uint8_t *data, size_t len)
{
	size_t taken = 0;

	while (use_buffer(channel) && taken < len)
		taken += fill_buffer(channel, data + taken, len - taken);
	return taken;
}
