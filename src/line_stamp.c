/* SPDX-License-Identifier: Apache-2.0 */
#include "line_stamp.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"

#define NS_PER_MS 1000000u
#define MS_PER_S  1000u

size_t line_stamp_format(uint64_t ns, uint8_t *buf)
{
	uint64_t ms = ns / NS_PER_MS;
	char text[LINE_STAMP_SIZE];
	int len = snprintf(text, sizeof(text), "%6llu.%03u  ", (unsigned long long)(ms / MS_PER_S),
			   (unsigned)(ms % MS_PER_S));

	memcpy(buf, text, (size_t)len);
	return (size_t)len;
}

/* A stamp without its line would stand there when the stream is full. */
static bool begin_line(struct out_stream *out, uint64_t start_ns, uint8_t first)
{
	uint8_t bytes[LINE_STAMP_SIZE + 1];
	size_t len = line_stamp_format(monotonic_ns() - start_ns, bytes);

	bytes[len++] = first;
	return out_stream_put_whole(out, bytes, len);
}

/* The length of the line that begins at @data, with its newline when that is there. */
static size_t line_len(const uint8_t *data, size_t len)
{
	const uint8_t *newline = memchr(data, '\n', len);

	return newline ? (size_t)(newline - data) + 1 : len;
}

size_t line_stamp_put(struct out_stream *out, uint64_t start_ns, bool is_midline, const uint8_t *data, size_t len)
{
	size_t taken = 0;

	while (taken < len) {
		size_t offered = 1, put;

		if (is_midline) {
			offered = line_len(data + taken, len - taken);
			put = out_stream_put(out, data + taken, offered);
		} else {
			put = begin_line(out, start_ns, data[taken]) ? 1 : 0;
		}
		taken += put;
		if (put < offered)
			break;
		is_midline = data[taken - 1] != '\n';
	}
	return taken;
}
