/* SPDX-License-Identifier: Apache-2.0 */
/* ELF32 and ELF64 kernels: headers, loadable segments and the PVH entry note. Private to src/boot. Start-up only. */
#ifndef VMM_BOOT_ELF_H
#define VMM_BOOT_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "boot/image_kernel.h"
#include "boot/image_source.h"
#include "mm/guest_mem.h"

/* Of the program header table and of all notes together: far above what a kernel has, so that a hostile image cannot
 * make us read for long. */
#define ELF_MAX_PROGRAM_HEADERS 128
#define ELF_MAX_NOTE_BYTES	65536

struct elf_segment {
	uint64_t offset;
	uint64_t filesz;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t memsz;
};

struct elf_image {
	bool is_64;
	uint64_t entry;
	bool is_linux; /* a Linux kernel, by its notes */
	bool has_pvh_note;
	uint64_t pvh_entry;
	unsigned nr_segments;
	struct elf_segment segments[ELF_MAX_PROGRAM_HEADERS]; /* loadable and not empty */
};

bool elf_recognise(const uint8_t *head, size_t len);

/* Fills *elf after checking everything that needs no guest memory: an x86 kernel, segments inside the file and apart
 * from each other. 0, -ENOEXEC (not a kernel for us) or -EINVAL (damaged), with a line in @err. */
MUST_CHECK int elf_parse(const struct image_source *src, struct elf_image *elf, struct error *err);

/* Loads the segments at their physical addresses and sets kernel->start and ->end. The bss is left alone: RAM that
 * nothing has written reads as zero, and writing it would commit its pages. 0 or -errno with a line in @err. */
MUST_CHECK int elf_load(const struct image_source *src, const struct elf_image *elf, const struct guest_mem *mem,
			struct image_kernel *kernel, struct error *err);

/* Does a segment occupy the guest-physical @address? */
bool elf_contains(const struct elf_image *elf, uint64_t address);

#endif
