/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "boot/e820.h"
#include "boot/layout.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

static void assert_entry(const struct e820_entry *entry, uint64_t base, uint64_t end, uint32_t type)
{
	assert_int_equal(entry->base, base);
	assert_int_equal(entry->base + entry->size, end);
	assert_int_equal(entry->type, type);
}

static void build(struct e820_map *map, uint64_t ram)
{
	struct guest_mem mem;

	assert_int_equal(guest_mem_init(&mem, ram), 0);
	e820_build(map, &mem);
	guest_mem_fini(&mem);
}

static void small_guest_has_low_ram_reserved_ranges_and_high_ram(void **state)
{
	struct e820_map map;

	(void)state;
	build(&map, 256 * MIB);
	assert_int_equal(map.count, 4);
	assert_entry(&map.entries[0], 0, LAYOUT_LOW_RESERVED, E820_RAM);
	assert_entry(&map.entries[1], LAYOUT_LOW_RESERVED, LAYOUT_VGA_HOLE, E820_RESERVED);
	assert_entry(&map.entries[2], LAYOUT_ACPI, LAYOUT_HIGH_MEM, E820_RESERVED);
	assert_entry(&map.entries[3], LAYOUT_HIGH_MEM, 256 * MIB, E820_RAM);
}

static void ram_goes_on_behind_the_mmio_hole(void **state)
{
	struct e820_map map;

	(void)state;
	build(&map, 5 * GIB);
	assert_int_equal(map.count, 5);
	assert_entry(&map.entries[3], LAYOUT_HIGH_MEM, 3 * GIB, E820_RAM);
	assert_entry(&map.entries[4], 4 * GIB, 6 * GIB, E820_RAM);
}

static void guest_smaller_than_the_first_mib_has_no_high_ram(void **state)
{
	struct e820_map map;

	(void)state;
	build(&map, 64 * 1024);
	assert_int_equal(map.count, 3);
	assert_entry(&map.entries[0], 0, 64 * 1024, E820_RAM);
}

static void entries_ascend_and_never_overlap(void **state)
{
	static const uint64_t sizes[] = {4096, MIB, 2 * MIB, 3 * GIB, 3 * GIB + 4096, 64 * GIB};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct e820_map map;

		build(&map, sizes[i]);
		for (unsigned j = 1; j < map.count; j++)
			assert_true(map.entries[j - 1].base + map.entries[j - 1].size <= map.entries[j].base);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_guest_has_low_ram_reserved_ranges_and_high_ram),
		cmocka_unit_test(ram_goes_on_behind_the_mmio_hole),
		cmocka_unit_test(guest_smaller_than_the_first_mib_has_no_high_ram),
		cmocka_unit_test(entries_ascend_and_never_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
