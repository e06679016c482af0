/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cpio_write.h"

#include <string.h>

#include "base/checked.h"
#include "base/cpio.h"

#define MAGIC	   "070701"
#define MAGIC_SIZE 6
#define FIELD_SIZE 8 /* hexadecimal digits */
#define NR_FIELDS  13

_Static_assert(MAGIC_SIZE + NR_FIELDS * FIELD_SIZE == CPIO_HEADER_SIZE, "the magic and the numbers");

size_t cpio_header_size(size_t name_len)
{
	return (size_t)align_up(CPIO_HEADER_SIZE + name_len + 1, CPIO_ALIGNMENT);
}

uint64_t cpio_member_size(size_t name_len, uint64_t data_size)
{
	return cpio_header_size(name_len) + align_up(data_size, CPIO_ALIGNMENT);
}

static uint8_t *put_field(uint8_t *to, uint32_t value)
{
	for (unsigned i = 0; i < FIELD_SIZE; i++)
		to[i] = (uint8_t) "0123456789ABCDEF"[value >> (28 - 4 * i) & 0xf];
	return to + FIELD_SIZE;
}

void cpio_put_header(uint8_t *to, const struct cpio_member *member)
{
	size_t name_len = strlen(member->name);
	const uint32_t fields[NR_FIELDS] = {
		member->ino,
		member->mode,
		member->uid,
		member->gid,
		member->nlink,
		member->mtime,
		member->size,
		0, /* the host's device number, which a guest has no use for */
		0,
		member->rdev_major,
		member->rdev_minor,
		(uint32_t)name_len + 1,
		0, /* the checksum of the other format, 070702 */
	};
	uint8_t *at = to + MAGIC_SIZE;

	memcpy(to, MAGIC, MAGIC_SIZE);
	for (unsigned i = 0; i < NR_FIELDS; i++)
		at = put_field(at, fields[i]);
	memcpy(at, member->name, name_len);
	memset(at + name_len, 0, cpio_header_size(name_len) - CPIO_HEADER_SIZE - name_len);
}
