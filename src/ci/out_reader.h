/* SPDX-License-Identifier: Apache-2.0 */
/* A byte stream from a descriptor, through one buffer of fixed size. Blocks: on the extracting thread only. */
#ifndef VMM_CI_OUT_READER_H
#define VMM_CI_OUT_READER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

#define OUT_READER_SIZE 65536

struct out_reader {
	int fd; /* borrowed */
	size_t pos, end;
	uint64_t offset; /* of the next byte, from the beginning of the stream */
	uint8_t buffer[OUT_READER_SIZE];
};

void out_reader_init(struct out_reader *reader, int fd);

/* Consumes between 1 and @max bytes, which are at *data until the next call; @max is not 0. How many; -ENODATA at the
 * end of the stream, or -errno. */
MUST_CHECK ssize_t out_reader_take(struct out_reader *reader, uint64_t max, const uint8_t **data);

/* Consumes exactly @len bytes; 0, -ENODATA when the stream ends before, or -errno. */
MUST_CHECK int out_reader_read(struct out_reader *reader, void *to, size_t len);
MUST_CHECK int out_reader_skip(struct out_reader *reader, uint64_t len);

#endif
