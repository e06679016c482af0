/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams of good, broken and nested frames: what arrives is what a plain search over the whole stream finds, however
 * the stream is cut and whenever the sink refuses.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/compiler.h"
#include "base/endian.h"
#include "ci/channel.h"

#define HEADER	  sizeof(struct command_frame)
#define WIRE_SIZE (1u << 17)

/* The second one occurs within itself. */
static const uint8_t tokens[2][COMMAND_TOKEN_SIZE] = {"\x12\x34token 0123456", "aaaaaaaaaaaaaaaa"};

struct input {
	const uint8_t *data;
	size_t size;
};

/* What was delivered, as a checksum that does not depend on how stream payloads were cut. */
struct record {
	uint64_t sum, bytes, messages;
	uint32_t refusals; /* a generator's state; 0: the sink takes all */
};

struct stream {
	size_t len;
	uint8_t bytes[WIRE_SIZE];
};

static uint32_t take(struct input *in, size_t len)
{
	uint8_t bytes[4] = {0};
	size_t n = len < in->size ? len : in->size;

	if (n)
		memcpy(bytes, in->data, n);
	in->data += n;
	in->size -= n;
	return load_le32(bytes);
}

static void mix_number(struct record *record, uint64_t value)
{
	record->sum = (record->sum ^ value) * 0x100000001b3u + 1;
}

static size_t on_stream(void *opaque, enum command_frame_type type, const uint8_t *data, size_t len)
{
	struct record *record = opaque;

	ASSERT(len > 0 && (type == COMMAND_FRAME_OUTPUT || type == COMMAND_FRAME_OUT));
	if (record->refusals) {
		record->refusals = record->refusals * 1103515245u + 12345;
		len = record->refusals >> 16 & 1 ? len : (record->refusals >> 17) % (len + 1);
	}
	for (size_t i = 0; i < len; i++)
		mix_number(record, (uint64_t)type << 8 | data[i]);
	record->bytes += len;
	return len;
}

static void on_message(void *opaque, enum command_frame_type type, const uint8_t *payload, size_t len)
{
	struct record *record = opaque;

	ASSERT(len <= COMMAND_FRAME_MAX_PAYLOAD);
	mix_number(record, (uint64_t)type << 32 | len);
	for (size_t i = 0; i < len; i++)
		mix_number(record, payload[i]);
	record->messages++;
}

static void add(struct stream *wire, const void *data, size_t len)
{
	if (len > sizeof(wire->bytes) - wire->len)
		return;
	memcpy(wire->bytes + wire->len, data, len);
	wire->len += len;
}

/* The payload is from the input, or the same byte over and over. */
static void add_frame(struct stream *wire, struct input *in, const uint8_t *token, uint32_t sequence)
{
	static uint8_t frame[HEADER + COMMAND_FRAME_MAX_PAYLOAD];
	uint32_t how = take(in, 1), len = how & 1 ? take(in, 1) : take(in, 2) % (COMMAND_FRAME_MAX_PAYLOAD + 1);
	uint32_t crc;

	memcpy(frame, token, COMMAND_TOKEN_SIZE);
	store_le32(frame + 16, how & 2 ? take(in, 4) : sequence);
	store_le32(frame + 20, how >> 4);
	store_le32(frame + 24, len);
	memset(frame + HEADER, how & 4 ? 'a' : 0, len);
	for (uint32_t i = 0; i < len && i < 8; i++)
		frame[HEADER + i] = (uint8_t)take(in, 1);
	crc = (uint32_t)crc32(crc32(0, frame + 16, 12), frame + HEADER, len);
	store_le32(frame + 28, how & 8 ? crc ^ 1 : crc);
	/* A broken one may lie about what follows. */
	add(wire, frame, how & 8 && how & 1 ? HEADER : HEADER + len);
}

/* Headers, each of which wants the CRC of all those behind it. */
static void add_flood(struct stream *wire, struct input *in, const uint8_t *token)
{
	uint8_t header[HEADER] = {0};
	uint32_t n = take(in, 1) * 8;

	memcpy(header, token, COMMAND_TOKEN_SIZE);
	store_le32(header + 24, take(in, 2));
	while (n--)
		add(wire, header, HEADER);
}

static void build(struct stream *wire, struct input *in, const uint8_t *token)
{
	uint32_t sequence = 0;

	wire->len = 0;
	while (in->size) {
		uint32_t op = take(in, 1);

		if (op < 0x80) {
			add_frame(wire, in, token, sequence++);
		} else if (op < 0xa0) {
			uint8_t byte = (uint8_t)take(in, 1);

			add(wire, &byte, 1);
		} else if (op < 0xb0) {
			add(wire, token, op % COMMAND_TOKEN_SIZE + 1);
		} else if (op < 0xb4) {
			add_flood(wire, in, token);
		} else if (wire->len) { /* again what was there */
			size_t at = take(in, 2) % wire->len, len = take(in, 2) % (wire->len - at + 1);

			add(wire, wire->bytes + at, len);
		}
	}
}

/* The same rules as the channel's, without a buffer: position by position. */
static void search(const struct stream *wire, const uint8_t *token, struct record *record, uint64_t *frames)
{
	uint32_t next = 0;
	uint64_t credit = CHANNEL_CREDIT_MAX;
	size_t at = 0, step;

	for (; wire->len - at >= HEADER; at += step) {
		const uint8_t *frame = wire->bytes + at;
		uint32_t len = load_le32(frame + 24), sequence = load_le32(frame + 16), type = load_le32(frame + 20);
		bool good = memcmp(frame, token, COMMAND_TOKEN_SIZE) == 0 && len <= COMMAND_FRAME_MAX_PAYLOAD &&
			    HEADER + len <= credit;

		step = 1;
		if (good) {
			if (wire->len - at < HEADER + len)
				return;
			credit -= HEADER + len;
			good = crc32(crc32(0, frame + 16, 12), frame + HEADER, len) == load_le32(frame + 28);
		}
		if (good) {
			step = HEADER + len;
			if (sequence - next <= INT32_MAX) {
				next = sequence + 1;
				++*frames;
				if (type == COMMAND_FRAME_OUTPUT || type == COMMAND_FRAME_OUT) {
					if (len)
						on_stream(record, (enum command_frame_type)type, frame + HEADER, len);
				} else if (type >= COMMAND_FRAME_HELLO && type <= COMMAND_FRAME_DONE) {
					on_message(record, (enum command_frame_type)type, frame + HEADER, len);
				}
			}
		}
		credit += step * CHANNEL_CREDIT_PER_BYTE;
		if (credit > CHANNEL_CREDIT_MAX)
			credit = CHANNEL_CREDIT_MAX;
	}
}

static void check_state(const struct channel *channel)
{
	ASSERT(channel->start <= channel->filled && channel->filled <= sizeof(channel->buffer));
	ASSERT(channel->wanted == 0 || channel->wanted >= HEADER);
	ASSERT(channel->wanted <= sizeof(channel->buffer) - channel->start || !channel->delivering);
	ASSERT(channel->credit <= CHANNEL_CREDIT_MAX);
}

/* Feeds all in pieces of at most @piece bytes (0: as they come). */
static void feed(struct channel *channel, const struct stream *wire, size_t piece)
{
	size_t at = 0;

	while (at < wire->len || channel->delivering) {
		size_t len = wire->len - at, taken;

		if (piece && len > piece)
			len = piece;
		taken = channel_feed(channel, wire->bytes + at, len);
		ASSERT(taken == len || (taken < len && channel->delivering));
		check_state(channel);
		at += taken;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct stream wire;
	static struct channel whole, cut;
	struct record expected = {0}, whole_record = {0}, cut_record = {0};
	struct input in = {data, size};
	uint32_t how = take(&in, 1);
	const uint8_t *token = tokens[how & 1];
	struct channel_sink sink = {.stream = on_stream, .message = on_message, .opaque = &whole_record};
	uint64_t frames = 0;

	cut_record.refusals = how & 2 ? take(&in, 2) + 1 : 0;
	channel_init(&whole, token, sink);
	sink.opaque = &cut_record;
	channel_init(&cut, token, sink);
	build(&wire, &in, token);
	search(&wire, token, &expected, &frames);
	feed(&whole, &wire, 0);
	feed(&cut, &wire, how & 4 ? 1 : how + 1);
	ASSERT(whole.frames == frames && cut.frames == frames);
	ASSERT(whole_record.sum == expected.sum && whole_record.messages == expected.messages);
	ASSERT(cut_record.sum == expected.sum && cut_record.bytes == expected.bytes);
	ASSERT(whole.bad_frames == cut.bad_frames && whole.lost_frames == cut.lost_frames);
	ASSERT(whole.skipped_bytes == cut.skipped_bytes && whole.next_sequence == cut.next_sequence);
	return 0;
}
