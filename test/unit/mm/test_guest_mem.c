/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "mm/guest_mem.h"

#define PAGE	GUEST_PAGE_SIZE
#define HOLE	GUEST_MMIO_HOLE_START
#define HIGH	GUEST_MMIO_HOLE_END
#define GIB	(1ULL << 30)
#define PATTERN 0xa5

static int set_up_small(void **state)
{
	static struct guest_mem mem;

	*state = &mem;
	return guest_mem_init(&mem, 4 * PAGE);
}

/* 3 GiB and two pages: two regions with the hole between. Almost all of it is never touched. */
static int set_up_large(void **state)
{
	static struct guest_mem mem;

	*state = &mem;
	return guest_mem_init(&mem, HOLE + 2 * PAGE);
}

static int tear_down(void **state)
{
	guest_mem_fini(*state);
	return 0;
}

static void ram_goes_around_the_mmio_hole(void **state)
{
	static const struct {
		uint64_t ram;
		unsigned nr_regions;
		uint64_t low, high;
	} cases[] = {
		{PAGE, 1, PAGE, 0},	      {HOLE - PAGE, 1, HOLE - PAGE, 0}, {HOLE, 1, HOLE, 0},
		{HOLE + PAGE, 2, HOLE, PAGE}, {4 * GIB, 2, HOLE, GIB},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct guest_mem mem;

		assert_int_equal(guest_mem_init(&mem, cases[i].ram), 0);

		struct guest_mem copy = mem;
		bool last_low = guest_mem_ptr(&mem, gpa(cases[i].low - 1), 1) != NULL;
		bool behind_low = guest_mem_ptr(&mem, gpa(cases[i].low), 1) != NULL;
		bool below_high = guest_mem_ptr(&mem, gpa(HIGH - 1), 1) != NULL;
		bool first_high = guest_mem_ptr(&mem, gpa(HIGH), 1) != NULL;
		bool behind_high = guest_mem_ptr(&mem, gpa(HIGH + cases[i].high), 1) != NULL;

		guest_mem_fini(&mem);
		assert_int_equal(copy.ram_size, cases[i].ram);
		assert_int_equal(copy.nr_regions, cases[i].nr_regions);
		assert_int_equal(copy.regions[0].base.addr, 0);
		assert_int_equal(copy.regions[0].size, cases[i].low);
		if (cases[i].high) {
			assert_int_equal(copy.regions[1].base.addr, HIGH);
			assert_int_equal(copy.regions[1].size, cases[i].high);
		}
		assert_true(last_low);
		assert_false(behind_low);
		assert_false(below_high);
		assert_int_equal(first_high, cases[i].high != 0);
		assert_false(behind_high);
	}
}

static void impossible_sizes_are_refused(void **state)
{
	static const struct {
		uint64_t ram;
		int err;
	} cases[] = {
		{0, -EINVAL},	       {1, -EINVAL},	      {PAGE - 1, -EINVAL},
		{PAGE + 1, -EINVAL},   {UINT64_MAX, -EINVAL}, {UINT64_MAX & ~(PAGE - 1), -EINVAL},
		{1ULL << 60, -ENOMEM},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct guest_mem mem;

		assert_int_equal(guest_mem_init(&mem, cases[i].ram), cases[i].err);
		assert_int_equal(mem.nr_regions, 0);
		assert_int_equal(mem.ram_size, 0);
		guest_mem_fini(&mem);
	}
}

static void unmapping_twice_is_harmless(void **state)
{
	struct guest_mem mem;

	(void)state;
	assert_int_equal(guest_mem_init(&mem, PAGE), 0);
	guest_mem_fini(&mem);
	assert_null(guest_mem_ptr(&mem, gpa(0), 1));
	guest_mem_fini(&mem);
	assert_int_equal(mem.nr_regions, 0);
}

static void ram_is_zero_and_not_touched(void **state)
{
	struct guest_mem *mem = *state;
	unsigned char resident[4] = {1, 1, 1, 1};
	uint8_t byte = 1;

	assert_int_equal(mincore(mem->regions[0].hva, 4 * PAGE, resident), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(resident[i] & 1, 0);
	assert_int_equal(guest_mem_read(mem, gpa(2 * PAGE), &byte, 1), 0);
	assert_int_equal(byte, 0);
}

static void a_pointer_is_given_only_inside_one_region(void **state)
{
	struct guest_mem *mem = *state;
	const uint8_t *low = mem->regions[0].hva, *high = mem->regions[1].hva;

	assert_ptr_equal(guest_mem_ptr(mem, gpa(0), 1), low);
	assert_ptr_equal(guest_mem_ptr(mem, gpa(0), HOLE), low);
	assert_ptr_equal(guest_mem_ptr(mem, gpa(HOLE - 1), 1), low + HOLE - 1);
	assert_ptr_equal(guest_mem_ptr(mem, gpa(HIGH), 2 * PAGE), high);
	assert_ptr_equal(guest_mem_ptr(mem, gpa(HIGH + 5), 3), high + 5);
	assert_null(guest_mem_ptr(mem, gpa(HOLE - 1), 2));
	assert_null(guest_mem_ptr(mem, gpa(0), HOLE + 1));
	assert_null(guest_mem_ptr(mem, gpa(HOLE), 1));
	assert_null(guest_mem_ptr(mem, gpa(HIGH - 1), 1));
	assert_null(guest_mem_ptr(mem, gpa(HIGH - 1), 2));
	assert_null(guest_mem_ptr(mem, gpa(HIGH), 2 * PAGE + 1));
	assert_null(guest_mem_ptr(mem, gpa(HIGH + 2 * PAGE), 1));
	assert_null(guest_mem_ptr(mem, gpa(UINT64_MAX), 1));
	assert_null(guest_mem_ptr(mem, gpa(1), UINT64_MAX));
	assert_null(guest_mem_ptr(mem, gpa(0), 0));
}

static void a_slice_over_the_end_of_ram_is_a_fault(void **state)
{
	static const struct {
		uint64_t at, len;
	} cases[] = {
		{HOLE - 1, 2}, /* into the hole */
		{HOLE, 1},     /* in the hole */
		{HIGH - 1, 1},
		{HIGH - 1, 2},		     /* out of the hole */
		{HOLE - 1, HIGH - HOLE + 2}, /* over the hole */
		{HIGH + 2 * PAGE - 1, 2},    /* over the end */
		{HIGH + 2 * PAGE, 1},
		{0, UINT64_MAX},
		{UINT64_MAX, 1},
		{UINT64_MAX, 2}, /* wraps to 0 */
		{UINT64_MAX - PAGE, UINT64_MAX},
		{PAGE, UINT64_MAX},
		{HIGH, UINT64_MAX - HIGH + 2}, /* wraps to 0 */
	};
	struct guest_mem *mem = *state;
	struct iovec iov[GUEST_MEM_MAX_IOV];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(guest_mem_slice(mem, gpa(cases[i].at), cases[i].len, iov), -EFAULT);
}

static void a_slice_inside_a_region_is_one_piece(void **state)
{
	struct guest_mem *mem = *state;
	struct iovec iov[GUEST_MEM_MAX_IOV];

	assert_int_equal(guest_mem_slice(mem, gpa(HOLE - 7), 7, iov), 1);
	assert_ptr_equal(iov[0].iov_base, mem->regions[0].hva + HOLE - 7);
	assert_int_equal(iov[0].iov_len, 7);
	assert_int_equal(guest_mem_slice(mem, gpa(HIGH), 2 * PAGE, iov), 1);
	assert_ptr_equal(iov[0].iov_base, mem->regions[1].hva);
	assert_int_equal(iov[0].iov_len, 2 * PAGE);
}

static void a_zero_length_never_gives_a_pointer(void **state)
{
	static const uint64_t addresses[] = {0, HOLE - 1, HOLE, HIGH, HIGH + 2 * PAGE, UINT64_MAX};
	struct guest_mem *mem = *state;

	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		struct iovec iov[GUEST_MEM_MAX_IOV] = {{.iov_base = NULL}};
		uint8_t byte = PATTERN;

		assert_int_equal(guest_mem_slice(mem, gpa(addresses[i]), 0, iov), 0);
		assert_null(iov[0].iov_base);
		assert_null(guest_mem_ptr(mem, gpa(addresses[i]), 0));
		assert_int_equal(guest_mem_read(mem, gpa(addresses[i]), &byte, 0), 0);
		assert_int_equal(guest_mem_write(mem, gpa(addresses[i]), &byte, 0), 0);
		assert_int_equal(guest_mem_zero(mem, gpa(addresses[i]), 0), 0);
		assert_int_equal(byte, PATTERN);
	}
}

/* guest_mem_init never makes neighbours; a layout that has them is described here by hand. */
static void a_slice_over_a_border_between_neighbours_is_two_pieces(void **state)
{
	uint8_t first[16], second[8], third[8], text[6];
	const struct guest_mem mem = {
		.regions = {{gpa(0x1000), sizeof(first), first},
			    {gpa(0x1010), sizeof(second), second},
			    {gpa(0x1018), sizeof(third), third}},
		.nr_regions = 3,
	};
	struct iovec iov[GUEST_MEM_MAX_IOV];

	(void)state;
	assert_int_equal(guest_mem_slice(&mem, gpa(0x100c), 6, iov), 2);
	assert_ptr_equal(iov[0].iov_base, first + 12);
	assert_int_equal(iov[0].iov_len, 4);
	assert_ptr_equal(iov[1].iov_base, second);
	assert_int_equal(iov[1].iov_len, 2);
	assert_int_equal(guest_mem_slice(&mem, gpa(0x100c), 12, iov), 2);
	assert_int_equal(guest_mem_slice(&mem, gpa(0x100c), 13, iov), -EFAULT); /* three pieces */

	memset(first, 0, sizeof(first));
	memset(second, 0, sizeof(second));
	assert_int_equal(guest_mem_write(&mem, gpa(0x100c), "abcdef", 6), 0);
	assert_memory_equal(first + 12, "abcd", 4);
	assert_memory_equal(second, "ef\0", 3);
	assert_int_equal(guest_mem_read(&mem, gpa(0x100c), text, 6), 0);
	assert_memory_equal(text, "abcdef", 6);
	assert_int_equal(guest_mem_zero(&mem, gpa(0x100d), 4), 0);
	assert_memory_equal(first + 12, "a\0\0\0", 4);
	assert_memory_equal(second, "\0f", 2);
}

static void a_region_at_the_end_of_the_address_space_does_not_wrap(void **state)
{
	uint8_t top[16], bottom[16];
	const struct guest_mem mem = {
		.regions = {{gpa(0), sizeof(bottom), bottom}, {gpa(UINT64_MAX - 15), sizeof(top), top}},
		.nr_regions = 2,
	};
	struct iovec iov[GUEST_MEM_MAX_IOV];

	(void)state;
	assert_int_equal(guest_mem_slice(&mem, gpa(UINT64_MAX - 15), 16, iov), 1);
	assert_ptr_equal(iov[0].iov_base, top);
	assert_int_equal(guest_mem_slice(&mem, gpa(UINT64_MAX), 1, iov), 1);
	assert_int_equal(guest_mem_slice(&mem, gpa(UINT64_MAX), 2, iov), -EFAULT);
	assert_int_equal(guest_mem_slice(&mem, gpa(UINT64_MAX - 15), 17, iov), -EFAULT);
}

static void what_is_written_is_read_back(void **state)
{
	struct guest_mem *mem = *state;
	static const uint64_t addresses[] = {0, PAGE - 3, HOLE - 6, HIGH, HIGH + 2 * PAGE - 6};
	char text[6];

	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		assert_int_equal(guest_mem_write(mem, gpa(addresses[i]), "abcdef", 6), 0);
		assert_int_equal(guest_mem_read(mem, gpa(addresses[i]), text, 6), 0);
		assert_memory_equal(text, "abcdef", 6);
		assert_int_equal(guest_mem_zero(mem, gpa(addresses[i] + 1), 4), 0);
		assert_int_equal(guest_mem_read(mem, gpa(addresses[i]), text, 6), 0);
		assert_memory_equal(text, "a\0\0\0\0f", 6);
	}
}

static void a_failed_access_copies_nothing(void **state)
{
	static const uint64_t ends[] = {HOLE, HIGH + 2 * PAGE};
	struct guest_mem *mem = *state;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		static const char text[] = "01234567";
		uint8_t buf[16], last[4];

		assert_int_equal(guest_mem_write(mem, gpa(ends[i] - 4), "keep", 4), 0);
		assert_int_equal(guest_mem_write(mem, gpa(ends[i] - 4), text, 8), -EFAULT);
		assert_int_equal(guest_mem_zero(mem, gpa(ends[i] - 4), 8), -EFAULT);
		assert_int_equal(guest_mem_read(mem, gpa(ends[i] - 4), last, 4), 0);
		assert_memory_equal(last, "keep", 4);

		memset(buf, PATTERN, sizeof(buf));
		assert_int_equal(guest_mem_read(mem, gpa(ends[i] - 4), buf, 8), -EFAULT);
		for (size_t n = 0; n < sizeof(buf); n++)
			assert_int_equal(buf[n], PATTERN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ram_goes_around_the_mmio_hole),
		cmocka_unit_test(impossible_sizes_are_refused),
		cmocka_unit_test(unmapping_twice_is_harmless),
		cmocka_unit_test_setup_teardown(ram_is_zero_and_not_touched, set_up_small, tear_down),
		cmocka_unit_test_setup_teardown(a_pointer_is_given_only_inside_one_region, set_up_large, tear_down),
		cmocka_unit_test_setup_teardown(a_slice_over_the_end_of_ram_is_a_fault, set_up_large, tear_down),
		cmocka_unit_test_setup_teardown(a_slice_inside_a_region_is_one_piece, set_up_large, tear_down),
		cmocka_unit_test_setup_teardown(a_zero_length_never_gives_a_pointer, set_up_large, tear_down),
		cmocka_unit_test(a_slice_over_a_border_between_neighbours_is_two_pieces),
		cmocka_unit_test(a_region_at_the_end_of_the_address_space_does_not_wrap),
		cmocka_unit_test_setup_teardown(what_is_written_is_read_back, set_up_large, tear_down),
		cmocka_unit_test_setup_teardown(a_failed_access_copies_nothing, set_up_large, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
