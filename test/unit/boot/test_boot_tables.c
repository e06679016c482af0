/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/endian.h"
#include "boot/boot_tables.h"
#include "boot/layout.h"

static uint64_t read64(const struct guest_mem *mem, uint64_t at)
{
	uint8_t bytes[8];

	assert_int_equal(guest_mem_read(mem, gpa(at), bytes, sizeof(bytes)), 0);
	return load_le64(bytes);
}

/* As a CPU would: @va through PML4, PDPT and directory; all must be present and writable. */
static uint64_t walk(const struct guest_mem *mem, uint64_t va)
{
	uint64_t entry = read64(mem, LAYOUT_PAGE_TABLES + 8 * (va >> 39));

	assert_int_equal(entry & 3, 3);
	entry = read64(mem, (entry & ~0xfffULL) + 8 * (va >> 30 & 511));
	assert_int_equal(entry & 0x83, 3);
	entry = read64(mem, (entry & ~0xfffULL) + 8 * (va >> 21 & 511));
	assert_int_equal(entry & 0x83, 0x83);
	return (entry & ~0x1fffffULL) | (va & 0x1fffff);
}

static void long_mode_maps_four_gib_identically(void **state)
{
	struct guest_mem mem;
	struct error err;

	(void)state;
	assert_int_equal(guest_mem_init(&mem, 2 << 20), 0);
	assert_int_equal(boot_tables_write(&mem, IMAGE_CPU_LONG64, &err), 0);
	for (uint64_t va = 0x123; va < 1ULL << 32; va += 0x200000)
		assert_int_equal(walk(&mem, va), va);
	assert_int_equal(walk(&mem, 0xffffffff), 0xffffffff);
	assert_int_equal(read64(&mem, LAYOUT_PAGE_TABLES + 8), 0);
	assert_int_equal(read64(&mem, LAYOUT_PAGE_TABLES + 4096 + 8 * 4), 0);
	guest_mem_fini(&mem);
}

static void code_segment_has_the_width_of_the_mode(void **state)
{
	const uint64_t long_bit = 1ULL << 53, big_bit = 1ULL << 54;
	struct guest_mem mem;
	struct error err;

	(void)state;
	assert_int_equal(guest_mem_init(&mem, 2 << 20), 0);
	assert_int_equal(boot_tables_write(&mem, IMAGE_CPU_LONG64, &err), 0);
	assert_int_equal(read64(&mem, LAYOUT_GDT + BOOT_TABLES_CODE_SELECTOR) & (long_bit | big_bit), long_bit);
	assert_int_equal(boot_tables_write(&mem, IMAGE_CPU_PROT32, &err), 0);
	assert_int_equal(read64(&mem, LAYOUT_GDT + BOOT_TABLES_CODE_SELECTOR) & (long_bit | big_bit), big_bit);
	assert_int_equal(read64(&mem, LAYOUT_GDT), 0);
	assert_int_equal(read64(&mem, LAYOUT_GDT + BOOT_TABLES_DATA_SELECTOR), 0x00cf93000000ffff);
	guest_mem_fini(&mem);
}

static void protected_mode_touches_no_page_tables(void **state)
{
	struct guest_mem mem;
	struct error err;

	(void)state;
	assert_int_equal(guest_mem_init(&mem, 2 << 20), 0);
	assert_int_equal(boot_tables_write(&mem, IMAGE_CPU_PROT32, &err), 0);
	assert_int_equal(read64(&mem, LAYOUT_PAGE_TABLES), 0);
	guest_mem_fini(&mem);
}

static void guest_without_room_is_refused(void **state)
{
	struct guest_mem mem;
	struct error err;

	(void)state;
	assert_int_equal(guest_mem_init(&mem, 0x9000), 0);
	assert_true(boot_tables_write(&mem, IMAGE_CPU_LONG64, &err) < 0);
	assert_non_null(strstr(err.text, "use a larger -m"));
	guest_mem_fini(&mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_mode_maps_four_gib_identically),
		cmocka_unit_test(code_segment_has_the_width_of_the_mode),
		cmocka_unit_test(protected_mode_touches_no_page_tables),
		cmocka_unit_test(guest_without_room_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
