/* SPDX-License-Identifier: Apache-2.0 */
/* ELF notes (System V gABI, chapter 5) with the PVH entry (Xen public/elfnote.h, XEN_ELFNOTE_PHYS32_ENTRY). */
#include "boot/elf_notes.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"
#include "boot/elf.h"

#define XEN_ELFNOTE_PHYS32_ENTRY 18

struct note {
	const uint8_t *name;
	uint32_t name_size;
	const uint8_t *desc;
	uint32_t desc_size;
	uint32_t type;
};

static bool has_name(const struct note *note, const char *name)
{
	size_t size = strlen(name) + 1;

	return note->name_size == size && memcmp(note->name, name, size) == 0;
}

static int take_note(const struct image_source *src, const struct note *note, struct elf_notes *notes,
		     struct error *err)
{
	if (has_name(note, "GNU") && note->type == NT_GNU_ABI_TAG)
		notes->is_user_program = true;
	if (has_name(note, "Linux"))
		notes->is_linux = true;
	if (!has_name(note, "Xen") || note->type != XEN_ELFNOTE_PHYS32_ENTRY)
		return 0;
	if (note->desc_size != sizeof(uint32_t) && note->desc_size != sizeof(uint64_t))
		return image_source_fail(src, err, -EINVAL, "its PVH note has %u bytes, not 4 or 8", note->desc_size);
	notes->has_pvh_entry = true;
	notes->pvh_entry = note->desc_size == sizeof(uint32_t) ? load_le32(note->desc) : load_le64(note->desc);
	return 0;
}

/* Cuts the next note off [*at, size) of @bytes; false when it does not fit. Padding behind the last one may lack. */
static bool next_note(const uint8_t *bytes, uint64_t size, uint64_t alignment, uint64_t *at, struct note *note)
{
	uint64_t name = *at + sizeof(Elf64_Nhdr), desc, end;

	if (!range_within(*at, sizeof(Elf64_Nhdr), size))
		return false;
	note->name_size = load_le32(bytes + *at + offsetof(Elf64_Nhdr, n_namesz));
	note->desc_size = load_le32(bytes + *at + offsetof(Elf64_Nhdr, n_descsz));
	note->type = load_le32(bytes + *at + offsetof(Elf64_Nhdr, n_type));
	desc = align_up(name + note->name_size, alignment);
	end = align_up(desc + note->desc_size, alignment);
	if (!range_within(name, note->name_size, size) ||
	    (note->desc_size && !range_within(desc, note->desc_size, size)))
		return false;
	note->name = bytes + name;
	note->desc = note->desc_size ? bytes + desc : bytes;
	*at = end;
	return true;
}

static int scan_bytes(const struct image_source *src, const uint8_t *bytes, uint64_t size, uint64_t alignment,
		      struct elf_notes *notes, struct error *err)
{
	uint64_t at = 0;
	int code = 0;

	while (!code && at < size) {
		struct note note;

		if (!next_note(bytes, size, alignment, &at, &note))
			return image_source_fail(src, err, -EINVAL, "a note at %llu of %llu bytes is damaged",
						 (unsigned long long)at, (unsigned long long)size);
		code = take_note(src, &note, notes, err);
	}
	return code;
}

int elf_notes_scan(const struct image_source *src, uint64_t offset, uint64_t size, uint64_t alignment,
		   struct elf_notes *notes, struct error *err)
{
	uint8_t *bytes;
	int code;

	if (size > ELF_MAX_NOTE_BYTES - notes->bytes)
		return image_source_fail(src, err, -EINVAL, "has more than %d bytes of ELF notes", ELF_MAX_NOTE_BYTES);
	if (size == 0)
		return 0;
	notes->bytes += size;
	bytes = malloc(size);
	if (!bytes)
		return image_source_fail(src, err, -ENOMEM, "no host memory left to read its notes");
	code = image_source_read(src, offset, bytes, size, err);
	if (!code)
		code = scan_bytes(src, bytes, size, alignment == 8 ? 8 : 4, notes, err);
	free(bytes);
	return code;
}
