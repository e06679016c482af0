/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes newc cpio headers (magic 070701; Linux Documentation/driver-api/early-userspace/buffer-format.rst). A member
 * is its header, its name with a NUL, padding to 4, its data, padding to 4. Pure.
 */
#ifndef VMM_BASE_CPIO_WRITE_H
#define VMM_BASE_CPIO_WRITE_H

#include <stddef.h>
#include <stdint.h>

#define CPIO_TRAILER "TRAILER!!!"

struct cpio_member {
	const char *name; /* without a leading slash */
	uint32_t ino;	  /* equal in all names of a hard link */
	uint32_t mode;	  /* as in struct stat */
	uint32_t uid;
	uint32_t gid;
	uint32_t nlink;
	uint32_t mtime;
	uint32_t size; /* of the data: a symbolic link's target, without a NUL */
	uint32_t rdev_major;
	uint32_t rdev_minor;
};

/* Bytes that a member with a name of @name_len characters (the NUL not counted) and @data_size bytes takes in all. */
uint64_t cpio_member_size(size_t name_len, uint64_t data_size);

/* Bytes of header, name and padding: where the data begins. */
size_t cpio_header_size(size_t name_len);

/* Writes those cpio_header_size() bytes to @to. */
void cpio_put_header(uint8_t *to, const struct cpio_member *member);

#endif
