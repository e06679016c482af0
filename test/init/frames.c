/* SPDX-License-Identifier: Apache-2.0 */
#include "frames.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define HEADER sizeof(struct command_frame)

void frames_init(struct frames *frames)
{
	memset(frames, 0, sizeof(*frames));
	frames->output = calloc(1, FRAMES_MAX_OUTPUT + 1);
	frames->out = calloc(1, FRAMES_MAX_OUTPUT + 1);
	assert_non_null(frames->output);
	assert_non_null(frames->out);
}

void frames_fini(struct frames *frames)
{
	free(frames->output);
	free(frames->out);
}

static void append(uint8_t *to, size_t *used, size_t size, const uint8_t *payload, size_t len)
{
	assert_true(len <= size - *used);
	memcpy(to + *used, payload, len);
	*used += len;
	to[*used] = 0;
}

static void take_message(void *to, size_t size, const uint8_t *payload, size_t len)
{
	assert_int_equal(len, size);
	memcpy(to, payload, len);
}

static void take_payload(struct frames *frames, uint32_t type, const uint8_t *payload, size_t len)
{
	switch (type) {
	case COMMAND_FRAME_HELLO:
		take_message(&frames->hello, sizeof(frames->hello), payload, len);
		break;
	case COMMAND_FRAME_OUTPUT:
		append(frames->output, &frames->output_len, FRAMES_MAX_OUTPUT, payload, len);
		break;
	case COMMAND_FRAME_OUT:
		append(frames->out, &frames->out_len, FRAMES_MAX_OUTPUT, payload, len);
		break;
	case COMMAND_FRAME_NOTE:
		append((uint8_t *)frames->notes, &frames->notes_len, FRAMES_MAX_NOTES - 2, payload, len);
		append((uint8_t *)frames->notes, &frames->notes_len, FRAMES_MAX_NOTES - 2, (const uint8_t *)"\n", 1);
		break;
	case COMMAND_FRAME_EXIT:
		take_message(&frames->exit, sizeof(frames->exit), payload, len);
		break;
	case COMMAND_FRAME_DONE:
		take_message(&frames->done, sizeof(frames->done), payload, len);
		break;
	case COMMAND_FRAME_STARTED:
		assert_int_equal(len, 0);
		break;
	default:
		fail_msg("frame of type %u", type);
	}
}

static void note_order(struct frames *frames, uint32_t type)
{
	char letter = (char)('A' + type - 1);
	size_t len = strlen(frames->order);

	if (len && frames->order[len - 1] == letter)
		return;
	assert_true(len + 1 < sizeof(frames->order));
	frames->order[len] = letter;
}

size_t frames_take(struct frames *frames, const uint8_t token[COMMAND_TOKEN_SIZE], const uint8_t *stream, size_t len)
{
	size_t at = 0;

	while (len - at >= HEADER) {
		const uint8_t *payload = stream + at + HEADER;
		struct command_frame header;
		uLong crc;

		memcpy(&header, stream + at, HEADER);
		assert_memory_equal(header.token, token, COMMAND_TOKEN_SIZE);
		assert_true(header.length <= COMMAND_FRAME_MAX_PAYLOAD);
		if (header.length > len - at - HEADER)
			break;
		assert_int_equal(header.sequence, frames->count);
		crc = crc32(0, (const uint8_t *)&header.sequence, 12);
		crc = crc32_z(crc, payload, header.length);
		assert_int_equal(header.crc, crc);
		frames->count++;
		note_order(frames, header.type);
		take_payload(frames, header.type, payload, header.length);
		at += HEADER + header.length;
	}
	return at;
}
