/* SPDX-License-Identifier: Apache-2.0 */
/* The memory map a guest is told: RAM regions minus what boot structures and tables keep (boot/layout.h). */
#ifndef VMM_BOOT_E820_H
#define VMM_BOOT_E820_H

#include <stdint.h>

#include "base/compiler.h"
#include "mm/guest_mem.h"

/* Values of boot_params, PVH and Multiboot alike. */
#define E820_RAM      1
#define E820_RESERVED 2

#define E820_MAX_ENTRIES 16

struct e820_entry {
	uint64_t base;
	uint64_t size;
	uint32_t type;
};

struct e820_map {
	struct e820_entry entries[E820_MAX_ENTRIES];
	unsigned count;
};

/* Fills @map, ascending: RAM to LAYOUT_LOW_RESERVED, reserved to LAYOUT_VGA_HOLE, reserved LAYOUT_ACPI to 1 MiB, then
 * the rest of RAM, in as many entries as there are regions. */
void e820_build(struct e820_map *map, const struct guest_mem *mem);

#endif
