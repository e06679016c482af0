/* SPDX-License-Identifier: Apache-2.0 */
/* The notes of an ELF image that decide how it is booted. Private to src/boot. Start-up only. */
#ifndef VMM_BOOT_ELF_NOTES_H
#define VMM_BOOT_ELF_NOTES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "boot/image_source.h"

struct elf_notes {
	uint64_t bytes; /* scanned so far, against ELF_MAX_NOTE_BYTES */
	bool has_pvh_entry;
	uint64_t pvh_entry;
	bool is_linux;	      /* has notes named "Linux" (LINUX_ELFNOTE_*) */
	bool is_user_program; /* GNU ABI tag: linked for an operating system */
};

/* Scans the note segment [offset, offset + size); alignment 8 is that of 64-bit notes, all else means 4. A last note
 * that is cut off is -EINVAL, with a line in @err. */
MUST_CHECK int elf_notes_scan(const struct image_source *src, uint64_t offset, uint64_t size, uint64_t alignment,
			      struct elf_notes *notes, struct error *err);

#endif
