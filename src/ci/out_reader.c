/* SPDX-License-Identifier: Apache-2.0 */
#include "ci/out_reader.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void out_reader_init(struct out_reader *reader, int fd)
{
	reader->fd = fd;
	reader->pos = reader->end = 0;
	reader->offset = 0;
}

static int refill(struct out_reader *reader)
{
	ssize_t n;

	do
		n = read(reader->fd, reader->buffer, sizeof(reader->buffer));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ENODATA;
	reader->pos = 0;
	reader->end = (size_t)n;
	return 0;
}

ssize_t out_reader_take(struct out_reader *reader, uint64_t max, const uint8_t **data)
{
	size_t len;
	int code;

	if (reader->pos == reader->end) {
		code = refill(reader);
		if (code)
			return code;
	}
	len = reader->end - reader->pos;
	if (len > max)
		len = (size_t)max;
	*data = reader->buffer + reader->pos;
	reader->pos += len;
	reader->offset += len;
	return (ssize_t)len;
}

int out_reader_read(struct out_reader *reader, void *to, size_t len)
{
	uint8_t *at = to;

	while (len) {
		const uint8_t *data;
		ssize_t n = out_reader_take(reader, len, &data);

		if (n < 0)
			return (int)n;
		memcpy(at, data, (size_t)n);
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int out_reader_skip(struct out_reader *reader, uint64_t len)
{
	while (len) {
		const uint8_t *data;
		ssize_t n = out_reader_take(reader, len, &data);

		if (n < 0)
			return (int)n;
		len -= (uint64_t)n;
	}
	return 0;
}
