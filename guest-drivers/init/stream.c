/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <string.h>

#include "sys.h"

void stream_flush(struct stream *stream)
{
	if (stream->payload && stream->used)
		sender_commit(stream->sender, stream->type, stream->payload, stream->used);
	stream->payload = NULL;
}

/* The place for the next bytes, at most @want and at least one. */
static uint8_t *next_place(struct stream *stream, size_t want, size_t *len)
{
	if (stream->payload && stream->used == stream->room)
		stream_flush(stream);
	if (!stream->payload) {
		stream->payload = sender_reserve(stream->sender, COMMAND_FRAME_MAX_PAYLOAD, &stream->room);
		stream->used = 0;
	}
	*len = stream->room - stream->used;
	if (*len > want)
		*len = want;
	return stream->payload + stream->used;
}

void stream_put(struct stream *stream, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;
	size_t piece;

	for (; len; len -= piece, from += piece) {
		uint8_t *to = next_place(stream, len, &piece);

		memcpy(to, from, piece);
		stream->used += piece;
	}
}

void stream_put_zeros(struct stream *stream, size_t len)
{
	size_t piece;

	for (; len; len -= piece) {
		uint8_t *to = next_place(stream, len, &piece);

		memset(to, 0, piece);
		stream->used += piece;
	}
}

long stream_read(struct stream *stream, int fd, size_t len)
{
	size_t piece;
	uint8_t *to = next_place(stream, len, &piece);
	long n = sys_read(fd, to, piece);

	if (n > 0)
		stream->used += (size_t)n;
	return n;
}
