/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/e820.h"

#include "boot/layout.h"

static void add_range(struct e820_map *map, uint64_t start, uint64_t end, uint32_t type)
{
	if (start >= end)
		return;
	ASSERT(map->count < E820_MAX_ENTRIES);
	map->entries[map->count++] = (struct e820_entry){.base = start, .size = end - start, .type = type};
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void e820_build(struct e820_map *map, const struct guest_mem *mem)
{
	uint64_t low_end = mem->nr_regions ? mem->regions[0].size : 0;

	*map = (struct e820_map){0};
	add_range(map, 0, lesser(low_end, LAYOUT_LOW_RESERVED), E820_RAM);
	add_range(map, LAYOUT_LOW_RESERVED, LAYOUT_VGA_HOLE, E820_RESERVED);
	add_range(map, LAYOUT_ACPI, LAYOUT_HIGH_MEM, E820_RESERVED);
	for (unsigned i = 0; i < mem->nr_regions; i++) {
		uint64_t base = mem->regions[i].base.addr;

		add_range(map, base < LAYOUT_HIGH_MEM ? LAYOUT_HIGH_MEM : base, base + mem->regions[i].size, E820_RAM);
	}
}
