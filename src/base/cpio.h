/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads newc cpio archives (magic 070701 and 070702) in memory, as Linux reads an initramfs: concatenated archives are
 * one, zero bytes between headers are skipped (Linux Documentation/driver-api/early-userspace/buffer-format.rst).
 * Archives are hostile input. Any thread, one per struct.
 */
#ifndef VMM_BASE_CPIO_H
#define VMM_BASE_CPIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define CPIO_MAX_NAME	 4096 /* with its NUL; Linux takes no longer ones */
#define CPIO_HEADER_SIZE 110
#define CPIO_ALIGNMENT	 4 /* of headers and data, from the beginning of the archive */

/* A header's numbers, all but those of devices and the checksum. */
struct cpio_header {
	uint32_t ino;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t nlink;
	uint32_t mtime;
	uint32_t data_size;
	uint32_t name_size; /* with its NUL */
};

struct cpio {
	const uint8_t *data; /* borrowed */
	uint64_t size;
	uint64_t offset; /* of the next header */
};

struct cpio_entry {
	const char *name; /* NUL-terminated, inside the archive's memory; as written: "init", "./init", "/init" */
	uint64_t data_offset;
	uint32_t data_size; /* [data_offset, data_offset + data_size) is inside the archive */
	uint32_t ino;
	uint32_t mode; /* as in struct stat */
	uint32_t uid;
	uint32_t gid;
	uint32_t nlink;
	uint32_t mtime;
};

/* For an archive that is not in memory. False when the CPIO_HEADER_SIZE bytes at @bytes are no header, or its name is
 * empty or longer than CPIO_MAX_NAME. */
MUST_CHECK bool cpio_parse_header(const uint8_t *bytes, struct cpio_header *header);

/* @data is borrowed and must not change while @cpio or an entry is used. */
void cpio_init(struct cpio *cpio, const void *data, uint64_t size);

/* 1 with the next entry in *entry (trailers are passed over), 0 when there is none, -EINVAL when the archive is damaged
 * at cpio->offset. After 0 cpio->offset is the archive's size, or the start of what is no newc archive: Linux takes
 * that for a compressed one. */
MUST_CHECK int cpio_next(struct cpio *cpio, struct cpio_entry *entry);

#endif
