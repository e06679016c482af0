/* SPDX-License-Identifier: Apache-2.0 */
#include "ci/archive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cpio_write.h"

void archive_init(struct archive *archive)
{
	*archive = (struct archive){0};
}

void archive_fini(struct archive *archive)
{
	free(archive->bytes);
	archive_init(archive);
}

/* Room for @more bytes behind the end; they are zero. */
static uint8_t *grow(struct archive *archive, size_t more)
{
	size_t need = archive->size + more, capacity = archive->capacity ? archive->capacity : 4096;
	uint8_t *bytes;

	if (archive->failed)
		return NULL;
	while (capacity < need)
		capacity *= 2;
	if (capacity != archive->capacity) {
		bytes = realloc(archive->bytes, capacity);
		if (!bytes) {
			archive->failed = true;
			return NULL;
		}
		archive->bytes = bytes;
		archive->capacity = capacity;
	}
	bytes = archive->bytes + archive->size;
	memset(bytes, 0, more);
	archive->size = need;
	return bytes;
}

static void add(struct archive *archive, struct cpio_member member, const void *data)
{
	size_t name_len = strlen(member.name), header = cpio_header_size(name_len);
	uint8_t *to = grow(archive, (size_t)cpio_member_size(name_len, member.size));

	if (!to)
		return;
	cpio_put_header(to, &member);
	if (member.size)
		memcpy(to + header, data, member.size);
}

void archive_add_folder(struct archive *archive, const char *name, uint32_t mode)
{
	add(archive, (struct cpio_member){.name = name, .ino = ++archive->last_ino, .mode = S_IFDIR | mode, .nlink = 2},
	    NULL);
}

void archive_add_file(struct archive *archive, const char *name, uint32_t mode, const void *data, size_t size)
{
	ASSERT(size <= UINT32_MAX);
	add(archive,
	    (struct cpio_member){.name = name,
				 .ino = ++archive->last_ino,
				 .mode = S_IFREG | mode,
				 .nlink = 1,
				 .size = (uint32_t)size},
	    data);
}

void archive_add_link(struct archive *archive, const char *name, const char *target)
{
	add(archive,
	    (struct cpio_member){.name = name,
				 .ino = ++archive->last_ino,
				 .mode = S_IFLNK | 0777,
				 .nlink = 1,
				 .size = (uint32_t)strlen(target)},
	    target);
}

void archive_add_character_device(struct archive *archive, const char *name, uint32_t mode, uint32_t major,
				  uint32_t minor)
{
	add(archive,
	    (struct cpio_member){.name = name,
				 .ino = ++archive->last_ino,
				 .mode = S_IFCHR | mode,
				 .nlink = 1,
				 .rdev_major = major,
				 .rdev_minor = minor},
	    NULL);
}

int archive_finish(struct archive *archive)
{
	add(archive, (struct cpio_member){.name = CPIO_TRAILER, .nlink = 1}, NULL);
	return archive->failed ? -ENOMEM : 0;
}
