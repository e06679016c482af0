/* SPDX-License-Identifier: Apache-2.0 */
/* Multiboot 1 (Multiboot Specification 0.6.96): header, address fields, information. Private to src/boot. */
#ifndef VMM_BOOT_MULTIBOOT_H
#define VMM_BOOT_MULTIBOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "boot/elf.h"
#include "boot/image_kernel.h"
#include "boot/image_source.h"
#include "boot/initrd.h"
#include "mm/guest_mem.h"

#define MULTIBOOT_BOOT_MAGIC 0x2badb002U /* EAX at entry */

struct multiboot_header {
	bool found;
	uint64_t offset; /* in the file */
	uint32_t flags;
	uint32_t header_addr; /* the rest only with has_addresses */
	uint32_t load_addr;
	uint32_t load_end_addr;
	uint32_t bss_end_addr;
	uint32_t entry_addr;
	bool has_addresses;
};

/* Looks for a header in the first 8192 bytes; header->found says whether there is one. 0, or -errno with a line. */
MUST_CHECK int multiboot_find(const struct image_source *src, struct multiboot_header *header, struct error *err);

/* Describes the segments to load in *elf: from the address fields when the header has them, else from the ELF32 file;
 * elf->entry is guest-physical then. 0, or -EINVAL or -ENOEXEC with a line in @err. */
MUST_CHECK int multiboot_plan(const struct image_source *src, const struct multiboot_header *header,
			      struct elf_image *elf, struct error *err);

/* Writes the information structure at LAYOUT_START_INFO; each initrd is a module named by its file name. 0, or -EFAULT
 * with a line in @err. */
MUST_CHECK int multiboot_write(const struct image_handover *handover, const struct initrd_set *initrds,
			       struct guest_mem *mem, struct error *err);

#endif
