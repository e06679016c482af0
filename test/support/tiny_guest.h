/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel of a few bytes: an ELF entered in 64-bit mode at 1 MiB, in a file of its own. */
#ifndef VMM_TEST_TINY_GUEST_H
#define VMM_TEST_TINY_GUEST_H

#include "support/image_builder.h"
#include "support/image_files.h"

#define TINY_GUEST_ENTRY 0x100000ULL

/* Returns the file's path, which lives as long as @files. */
static inline const char *tiny_guest_create(struct image_files *files, const char *name, const void *code, size_t len)
{
	static struct built_image image;
	const struct built_elf elf = {
		.entry = TINY_GUEST_ENTRY,
		.segments = {{.paddr = TINY_GUEST_ENTRY, .data = code, .filesz = len, .memsz = 0x1000}},
		.nr_segments = 1,
	};

	built_elf(&image, &elf);
	return image_files_create(files, name, image.bytes, image.size, 0);
}

#endif
