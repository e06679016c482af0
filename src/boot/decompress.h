/* SPDX-License-Identifier: Apache-2.0 */
/* Decompression of bzImage payloads into host memory, bounded by the caller's limit. Start-up only. */
#ifndef VMM_BOOT_DECOMPRESS_H
#define VMM_BOOT_DECOMPRESS_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "boot/image_source.h"

enum decompress_format {
	DECOMPRESS_UNKNOWN,
	DECOMPRESS_NONE, /* an ELF as it is */
	DECOMPRESS_GZIP,
	DECOMPRESS_XZ,
	DECOMPRESS_ZSTD,
	DECOMPRESS_LZ4, /* the legacy frame format, which the kernel build writes */
};

#define DECOMPRESS_MAGIC_SIZE 6

/* Host memory that grows by being touched; empty when zero. */
struct decompress_buffer {
	uint8_t *data;
	uint64_t size;
	uint64_t mapped;
};

/* By the first bytes of the payload; fewer than DECOMPRESS_MAGIC_SIZE are allowed. */
enum decompress_format decompress_recognise(const uint8_t *head, size_t len);

/* "gzip", "xz", "zstd", "lz4", "none", "unknown". */
const char *decompress_format_name(enum decompress_format format);

/* Decompresses [offset, offset + length) of @src, one of the four formats, into *out; bytes behind the end of the
 * stream are ignored. 0, -EINVAL (damaged or cut off), -EFBIG (more than @limit bytes), -ENOMEM or a read error; with a
 * line in @err. After success the caller calls decompress_free. */
MUST_CHECK int decompress_run(enum decompress_format format, const struct image_source *src, uint64_t offset,
			      uint64_t length, uint64_t limit, struct decompress_buffer *out, struct error *err);
void decompress_free(struct decompress_buffer *buffer);

#endif
