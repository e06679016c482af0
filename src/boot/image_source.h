/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of a kernel or initrd, read at offsets: an open file, or memory (a decompressed payload). Every read is checked
 * against the size, and what is loaded goes from the file straight into guest memory. Start-up only.
 */
#ifndef VMM_BOOT_IMAGE_SOURCE_H
#define VMM_BOOT_IMAGE_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "mm/guest_mem.h"

struct image_source {
	const char *what;    /* "kernel", "initrd": starts each message, followed by the name */
	const char *name;    /* borrowed; the end of the path, short enough to leave room for the reason */
	int fd;		     /* -1 for memory */
	const uint8_t *data; /* borrowed; NULL for a file */
	uint64_t base;	     /* where it begins in the file or in data */
	uint64_t size;	     /* from base on */
};

/* Opens the regular file @path; an empty one is an error. 0, or -errno with a line in @err. */
MUST_CHECK int image_source_open(struct image_source *src, const char *what, const char *path, struct error *err);
void image_source_close(struct image_source *src);

/* The bytes at @data as a source; nothing to close. */
struct image_source image_source_memory(const char *what, const char *name, const void *data, uint64_t size);

/* Reads exactly @len bytes at @offset. 0, -EINVAL past the end ("is truncated"), or -errno; with a line in @err. */
MUST_CHECK int image_source_read(const struct image_source *src, uint64_t offset, void *buf, size_t len,
				 struct error *err);

/* Reads [offset, offset + len) into guest memory at @at, without an intermediate copy. As image_source_read. */
MUST_CHECK int image_source_load(const struct image_source *src, uint64_t offset, uint64_t len,
				 const struct guest_mem *mem, gpa_t at, struct error *err);

/* Sets "<what> <name>: <text>" and returns @code. */
int image_source_fail(const struct image_source *src, struct error *err, int code, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

#endif
