/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cpio.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"

/* A header is the magic and 13 numbers of 8 hexadecimal digits. */
#define MAGIC_SIZE 6
#define FIELD_SIZE 8
#define NR_FIELDS  13

_Static_assert(MAGIC_SIZE + NR_FIELDS * FIELD_SIZE == CPIO_HEADER_SIZE, "the fields fill the header");

enum field {
	FIELD_INO,
	FIELD_MODE,
	FIELD_UID,
	FIELD_GID,
	FIELD_NLINK,
	FIELD_MTIME,
	FIELD_FILESIZE,
	FIELD_NAMESIZE = 11, /* behind the four device numbers */
};

void cpio_init(struct cpio *cpio, const void *data, uint64_t size)
{
	*cpio = (struct cpio){.data = data, .size = size};
}

/* Strict: exactly 8 hexadecimal digits, no sign, no blanks. */
static bool parse_field(const uint8_t *text, uint32_t *value)
{
	*value = 0;
	for (unsigned i = 0; i < FIELD_SIZE; i++) {
		uint8_t c = text[i];
		uint32_t digit;

		if (c >= '0' && c <= '9')
			digit = (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			digit = (uint32_t)(c - 'a') + 10;
		else if (c >= 'A' && c <= 'F')
			digit = (uint32_t)(c - 'A') + 10;
		else
			return false;
		*value = *value << 4 | digit;
	}
	return true;
}

bool cpio_parse_header(const uint8_t *bytes, struct cpio_header *header)
{
	uint32_t fields[NR_FIELDS];

	if (memcmp(bytes, "070701", MAGIC_SIZE) && memcmp(bytes, "070702", MAGIC_SIZE))
		return false;
	for (unsigned i = 0; i < NR_FIELDS; i++)
		if (!parse_field(bytes + MAGIC_SIZE + i * FIELD_SIZE, &fields[i]))
			return false;
	*header = (struct cpio_header){
		.ino = fields[FIELD_INO],
		.mode = fields[FIELD_MODE],
		.uid = fields[FIELD_UID],
		.gid = fields[FIELD_GID],
		.nlink = fields[FIELD_NLINK],
		.mtime = fields[FIELD_MTIME],
		.data_size = fields[FIELD_FILESIZE],
		.name_size = fields[FIELD_NAMESIZE],
	};
	return header->name_size > 0 && header->name_size <= CPIO_MAX_NAME;
}

/* Fills *entry from the header at cpio->offset and stores where the next one may begin. */
static int read_entry(const struct cpio *cpio, struct cpio_entry *entry, uint64_t *next)
{
	struct cpio_header header;
	uint64_t name_offset = cpio->offset + CPIO_HEADER_SIZE;

	if (!range_within(cpio->offset, CPIO_HEADER_SIZE, cpio->size) ||
	    !cpio_parse_header(cpio->data + cpio->offset, &header))
		return -EINVAL;
	if (!range_within(name_offset, header.name_size, cpio->size) ||
	    cpio->data[name_offset + header.name_size - 1] != '\0')
		return -EINVAL;
	*entry = (struct cpio_entry){
		.name = (const char *)cpio->data + name_offset,
		.data_offset = align_up(name_offset + header.name_size, CPIO_ALIGNMENT),
		.data_size = header.data_size,
		.ino = header.ino,
		.mode = header.mode,
		.uid = header.uid,
		.gid = header.gid,
		.nlink = header.nlink,
		.mtime = header.mtime,
	};
	/* The padding behind the very last byte may be missing. */
	if (entry->data_size == 0 && entry->data_offset > cpio->size)
		entry->data_offset = cpio->size;
	if (!range_within(entry->data_offset, entry->data_size, cpio->size))
		return -EINVAL;
	*next = align_up(entry->data_offset + entry->data_size, CPIO_ALIGNMENT);
	if (*next > cpio->size)
		*next = cpio->size;
	return 0;
}

int cpio_next(struct cpio *cpio, struct cpio_entry *entry)
{
	uint64_t next;
	int err;

	for (;;) {
		while (cpio->offset < cpio->size && cpio->data[cpio->offset] == '\0')
			cpio->offset++;
		if (cpio->offset == cpio->size || cpio->data[cpio->offset] != '0' || cpio->offset % CPIO_ALIGNMENT)
			return 0;
		err = read_entry(cpio, entry, &next);
		if (err)
			return err;
		cpio->offset = next;
		if (strcmp(entry->name, "TRAILER!!!") != 0)
			return 1;
	}
}
