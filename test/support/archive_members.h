/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what ci/archive.h wrote, field by field from the format's text, for the tests of those who add members. */
#ifndef VMM_TEST_ARCHIVE_MEMBERS_H
#define VMM_TEST_ARCHIVE_MEMBERS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cpio.h"
#include "ci/archive.h"

/* The header's numbers in their order, behind the six characters of the magic. */
enum member_field {
	MEMBER_INO,
	MEMBER_MODE,
	MEMBER_UID,
	MEMBER_GID,
	MEMBER_NLINK,
	MEMBER_MTIME,
	MEMBER_SIZE,
	MEMBER_DEV_MAJOR,
	MEMBER_DEV_MINOR,
	MEMBER_RDEV_MAJOR,
	MEMBER_RDEV_MINOR,
	MEMBER_NAME_SIZE,
	MEMBER_CHECK,
};

static inline uint32_t member_field(const struct cpio_entry *entry, enum member_field field)
{
	unsigned value;

	assert_int_equal(sscanf(entry->name - CPIO_HEADER_SIZE + 6 + 8 * (int)field, "%8x", &value), 1);
	return value;
}

/* The entry @name; fails the test when the archive is damaged. */
static inline bool member_find(const struct archive *archive, const char *name, struct cpio_entry *entry)
{
	struct cpio cpio;
	int ret;

	cpio_init(&cpio, archive->bytes, archive->size);
	while ((ret = cpio_next(&cpio, entry)) > 0)
		if (strcmp(entry->name, name) == 0)
			return true;
	assert_int_equal(ret, 0);
	assert_int_equal(cpio.offset, archive->size);
	return false;
}

static inline unsigned member_count(const struct archive *archive)
{
	struct cpio_entry entry;
	struct cpio cpio;
	unsigned count = 0;
	int ret;

	cpio_init(&cpio, archive->bytes, archive->size);
	while ((ret = cpio_next(&cpio, &entry)) > 0)
		count++;
	assert_int_equal(ret, 0);
	assert_int_equal(cpio.offset, archive->size);
	return count;
}

static inline const uint8_t *member_data(const struct archive *archive, const struct cpio_entry *entry)
{
	return archive->bytes + entry->data_offset;
}

#endif
