/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "matrix/arena.h"

static void memory_is_zeroed_and_aligned(void **state)
{
	struct arena arena = {0};

	(void)state;
	for (size_t size = 0; size < 300; size++) {
		unsigned char *p = arena_alloc(&arena, size);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
	}
	arena_fini(&arena);
	assert_null(arena.chunks);
}

static void large_pieces_get_room_of_their_own(void **state)
{
	struct arena arena = {0};
	char *small = arena_alloc(&arena, 10), *large = arena_alloc(&arena, 1000000);

	(void)state;
	strcpy(small, "stays");
	memset(large, 'x', 1000000);
	assert_string_equal(small, "stays");
	arena_fini(&arena);
}

static void impossible_sizes_are_refused(void **state)
{
	struct arena arena = {0};

	(void)state;
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_alloc(&arena, SIZE_MAX - 32));
	arena_fini(&arena);
}

static void text_is_formatted(void **state)
{
	struct arena arena = {0};

	(void)state;
	assert_string_equal(arena_format(&arena, "%s=%d", "a", 5), "a=5");
	assert_string_equal(arena_format(&arena, "%s", ""), "");
	arena_fini(&arena);
}

static void list_grows_and_ends_with_null(void **state)
{
	struct arena arena = {0};
	struct arena_list list = {0}, twice = {0};

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(arena_list_add(&arena, &list, arena_format(&arena, "%u", i)), 0);
		assert_null(list.items[list.count]);
	}
	assert_int_equal(arena_list_add_all(&arena, &twice, &list), 0);
	assert_int_equal(arena_list_add_all(&arena, &twice, &list), 0);
	assert_int_equal(twice.count, 2000);
	assert_string_equal(twice.items[1999], "999");
	assert_null(twice.items[2000]);
	arena_fini(&arena);
}

static void what_could_not_be_allocated_is_not_added(void **state)
{
	struct arena arena = {0};
	struct arena_list list = {0};

	(void)state;
	assert_int_equal(arena_list_add(&arena, &list, NULL), -ENOMEM);
	assert_int_equal(list.count, 0);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_aligned),
		cmocka_unit_test(large_pieces_get_room_of_their_own),
		cmocka_unit_test(impossible_sizes_are_refused),
		cmocka_unit_test(text_is_formatted),
		cmocka_unit_test(list_grows_and_ends_with_null),
		cmocka_unit_test(what_could_not_be_allocated_is_not_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
