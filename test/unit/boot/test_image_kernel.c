/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "boot/image_kernel.h"
#include "boot/layout.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

static int check(uint64_t ram, uint64_t start, uint64_t len, struct error *err)
{
	struct image_source src = image_source_memory("kernel", "k", "", 0);
	struct guest_mem mem;
	int code;

	assert_int_equal(guest_mem_init(&mem, ram), 0);
	code = image_check_range(&src, &mem, start, len, err);
	guest_mem_fini(&mem);
	return code;
}

static void ram_clear_of_the_boot_structures_is_allowed(void **state)
{
	static const struct {
		uint64_t start;
		uint64_t len;
	} ranges[] = {
		{LAYOUT_HIGH_MEM, 15 * MIB},
		{16 * MIB - 1, 1},
		{LAYOUT_FDT + LAYOUT_FDT_SIZE, LAYOUT_LOW_RESERVED - LAYOUT_FDT - LAYOUT_FDT_SIZE},
		{LAYOUT_PAGE_TABLES + LAYOUT_PAGE_TABLES_SIZE, 0x1000},
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		assert_int_equal(check(16 * MIB, ranges[i].start, ranges[i].len, &err), 0);
}

static void boot_structures_are_not_overwritten(void **state)
{
	static const struct {
		uint64_t start;
		uint64_t len;
	} ranges[] = {
		{0, 1},
		{LAYOUT_GDT, 8},
		{LAYOUT_START_INFO, 1},
		{LAYOUT_BOOT_PARAMS, 4096},
		{LAYOUT_BOOT_STACK - 8, 8},
		{LAYOUT_PAGE_TABLES + LAYOUT_PAGE_TABLES_SIZE - 1, 1},
		{0x10000, 0x10001},
		{LAYOUT_CMDLINE, 1},
		{LAYOUT_FDT + LAYOUT_FDT_SIZE - 1, 2},
		{LAYOUT_LOW_RESERVED - 1, 2},
		{LAYOUT_ASSIST_CODE, 1},
		{LAYOUT_MPTABLE, 1},
		{LAYOUT_VGA_HOLE, 1},
		{LAYOUT_ACPI, 1},
		{LAYOUT_HIGH_MEM - 1, 2},
		{0x40000, 4 * MIB},
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		assert_int_equal(check(16 * MIB, ranges[i].start, ranges[i].len, &err), -EINVAL);
		assert_non_null(strstr(err.text, "link it at 1 MiB or above"));
	}
}

static void too_little_memory_is_told_with_what_would_do(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(check(16 * MIB, 16 * MIB, 24 * MIB, &err), -ENOMEM);
	assert_string_equal(err.text, "kernel k: needs memory up to 40M, but the guest has 16M; use -m 64M");
	assert_int_equal(check(16 * MIB, 16 * MIB - 1, 2, &err), -ENOMEM);
	assert_non_null(strstr(err.text, "use -m 32M"));
	assert_int_equal(check(16 * MIB, 2 * GIB, GIB, &err), -ENOMEM);
	assert_non_null(strstr(err.text, "use -m 4G"));
}

static void wrapping_and_unreachable_ranges_are_refused(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(check(8 * GIB, UINT64_MAX, 1, &err), -EINVAL);
	assert_int_equal(check(8 * GIB, 4 * MIB, UINT64_MAX, &err), -EINVAL);
	assert_int_equal(check(8 * GIB, 3 * GIB - 1, 2, &err), -EINVAL);
	assert_int_equal(check(8 * GIB, 5 * GIB, 4096, &err), -EINVAL);
	assert_int_equal(check(8 * GIB, 3 * GIB - 1, 1, &err), 0);
}

static void suggestion_is_the_next_power_of_two(void **state)
{
	(void)state;
	assert_int_equal(image_suggest_memory(1), 1);
	assert_int_equal(image_suggest_memory(256 * MIB), 256 * MIB);
	assert_int_equal(image_suggest_memory(256 * MIB + 1), 512 * MIB);
	assert_int_equal(image_suggest_memory(1ULL << 63), 1ULL << 63);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ram_clear_of_the_boot_structures_is_allowed),
		cmocka_unit_test(boot_structures_are_not_overwritten),
		cmocka_unit_test(too_little_memory_is_told_with_what_would_do),
		cmocka_unit_test(wrapping_and_unreachable_ranges_are_refused),
		cmocka_unit_test(suggestion_is_the_next_power_of_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
