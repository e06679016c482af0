/* SPDX-License-Identifier: Apache-2.0 */
/* Trees made by hand: no files. Expectations from GNU cpio 2.13, which test_tree_pack compares with as a whole. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cpio_write.h"
#include "boot/tree_order.h"

static void add(struct tree *tree, const char *path, mode_t mode, uint64_t ino, uint32_t nlink, uint64_t size)
{
	const struct stat st = {.st_mode = mode, .st_dev = 1, .st_ino = ino, .st_nlink = nlink, .st_size = (off_t)size};

	assert_int_equal(tree_add(tree, path, S_ISLNK(mode) ? "target" : NULL, &st), 0);
}

/* "path:number:size" of each entry in the archive's order. */
static void assert_order(const struct tree *tree, const char *expected)
{
	char text[1024] = "";
	size_t len = 0;

	for (uint32_t i = 0; i < tree->count; i++) {
		const struct tree_entry *entry = &tree->entries[tree->order[i]];

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s:%u:%u", i ? " " : "", entry->path,
					entry->number, tree_data_size(entry));
		assert_true(len < sizeof(text));
	}
	assert_string_equal(text, expected);
}

static void entries_are_sorted_by_the_bytes_of_their_paths(void **state)
{
	struct tree tree = {.path = "t", .fd = -1};
	struct error err;

	(void)state;
	add(&tree, "\xff", S_IFREG, 1, 1, 1);
	add(&tree, "a/x", S_IFREG, 2, 1, 2);
	add(&tree, "a0", S_IFREG, 3, 1, 3);
	add(&tree, "a-b", S_IFREG, 4, 1, 4);
	add(&tree, "Z", S_IFREG, 5, 1, 5);
	add(&tree, "a", S_IFDIR, 6, 2, 4096);
	assert_int_equal(tree_order(&tree, &err), 0);
	assert_order(&tree, "Z:0:5 a:1:0 a-b:2:4 a/x:3:2 a0:4:3 \xff:5:1");
	tree_fini(&tree);
}

static void names_of_a_file_come_together_at_the_last_one(void **state)
{
	struct tree tree = {.path = "t", .fd = -1};
	struct error err;

	(void)state;
	add(&tree, "z", S_IFREG, 9, 4, 7);
	add(&tree, "b", S_IFREG, 9, 4, 7);
	add(&tree, "c", S_IFREG, 8, 1, 1);
	add(&tree, "d", S_IFREG, 9, 4, 7);
	add(&tree, "a", S_IFREG, 9, 4, 7);
	add(&tree, "zz", S_IFREG, 7, 1, 2);
	assert_int_equal(tree_order(&tree, &err), 0);
	assert_order(&tree, "c:1:1 d:0:0 b:0:0 a:0:0 z:0:7 zz:2:2");
	tree_fini(&tree);
}

static void files_with_names_elsewhere_come_at_the_end(void **state)
{
	struct tree tree = {.path = "t", .fd = -1};
	struct error err;

	(void)state;
	add(&tree, "a", S_IFREG, 9, 3, 7);
	add(&tree, "b", S_IFREG, 8, 4, 6);
	add(&tree, "c", S_IFREG, 9, 3, 7);
	add(&tree, "d", S_IFREG, 8, 4, 6);
	add(&tree, "e", S_IFREG, 7, 2, 5);
	add(&tree, "f", S_IFREG, 6, 1, 4);
	assert_int_equal(tree_order(&tree, &err), 0);
	assert_order(&tree, "f:3:4 e:2:5 d:1:0 c:0:0 b:1:6 a:0:7");
	tree_fini(&tree);
}

static void only_files_wait_for_their_other_names(void **state)
{
	struct tree tree = {.path = "t", .fd = -1};
	struct error err;

	(void)state;
	add(&tree, "a", S_IFIFO, 9, 2, 0);
	add(&tree, "b", S_IFLNK, 8, 2, 6);
	add(&tree, "c", S_IFCHR, 7, 2, 0);
	add(&tree, "d", S_IFIFO, 9, 2, 0);
	add(&tree, "e", S_IFLNK, 8, 2, 6);
	add(&tree, "f", S_IFCHR, 7, 2, 0);
	assert_int_equal(tree_order(&tree, &err), 0);
	assert_order(&tree, "a:0:0 b:1:6 c:2:0 d:0:0 e:1:6 f:2:0");
	tree_fini(&tree);
}

/* A bind mount shows a directory's files a second time: more names than the file has. */
static void more_names_than_links_are_complete_each_time(void **state)
{
	struct tree tree = {.path = "t", .fd = -1};
	struct error err;

	(void)state;
	add(&tree, "a", S_IFREG, 9, 2, 7);
	add(&tree, "b", S_IFREG, 9, 2, 7);
	add(&tree, "c", S_IFREG, 9, 2, 7);
	add(&tree, "d", S_IFREG, 9, 2, 7);
	add(&tree, "e", S_IFREG, 9, 2, 7);
	assert_int_equal(tree_order(&tree, &err), 0);
	assert_order(&tree, "a:0:0 b:0:7 c:0:0 d:0:7 e:0:7");
	tree_fini(&tree);
}

static void equal_inodes_on_different_devices_are_different_files(void **state)
{
	const struct stat st = {.st_mode = S_IFREG, .st_dev = 2, .st_ino = 9, .st_nlink = 2, .st_size = 3};
	struct tree tree = {.path = "t", .fd = -1};
	struct error err;

	(void)state;
	add(&tree, "a", S_IFREG, 9, 2, 7);
	assert_int_equal(tree_add(&tree, "b", NULL, &st), 0);
	assert_int_equal(tree_order(&tree, &err), 0);
	assert_order(&tree, "b:1:3 a:0:7");
	tree_fini(&tree);
}

static void links_that_changed_between_two_looks_are_told(void **state)
{
	struct tree tree = {.path = "t", .fd = -1};
	struct error err;

	(void)state;
	add(&tree, "a", S_IFREG, 9, 2, 7);
	add(&tree, "b", S_IFREG, 9, 2, 8);
	assert_int_equal(tree_order(&tree, &err), -ESTALE);
	assert_string_equal(err.text,
			    "--initrd-dir t: b: changed while it was packed; stop what writes there, or pack a "
			    "copy of the directory");
	tree_fini(&tree);
}

static void members_follow_one_another_up_to_the_trailer(void **state)
{
	struct tree tree = {.path = "t", .fd = -1};
	struct error err;

	(void)state;
	assert_int_equal(tree_order(&tree, &err), 0);
	assert_int_equal(tree.trailer_offset, 0);
	assert_int_equal(tree.size, 124);
	tree_fini(&tree);
	tree = (struct tree){.path = "t", .fd = -1};
	add(&tree, "a", S_IFREG, 1, 1, 5);
	add(&tree, "bc", S_IFREG, 2, 1, UINT32_MAX);
	add(&tree, "d", S_IFLNK, 3, 1, 6);
	assert_int_equal(tree_order(&tree, &err), 0);
	assert_int_equal(tree.entries[0].offset, 0);
	assert_int_equal(tree.entries[1].offset, cpio_member_size(1, 5));
	assert_int_equal(tree.entries[2].offset, cpio_member_size(1, 5) + cpio_member_size(2, UINT32_MAX));
	assert_int_equal(tree.trailer_offset, tree.entries[2].offset + cpio_member_size(1, 6));
	assert_int_equal(tree.size, tree.trailer_offset + cpio_member_size(strlen(CPIO_TRAILER), 0));
	tree_fini(&tree);
}

/* Were it quadratic, this would not end in time. */
static void two_hundred_thousand_names_are_ordered(void **state)
{
	struct tree tree = {.path = "t", .fd = -1};
	struct error err;
	char path[32];

	(void)state;
	for (uint32_t i = 0; i < 200000; i++) {
		snprintf(path, sizeof(path), "%08x", i * 2654435761U);
		add(&tree, path, S_IFREG, i < 100000 ? 5 : i, i < 100000 ? 100001 : 2, 1);
	}
	assert_int_equal(tree_order(&tree, &err), 0);
	for (uint32_t i = 1; i < tree.count; i++)
		assert_true(strcmp(tree.entries[i - 1].path, tree.entries[i].path) < 0);
	tree_fini(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_sorted_by_the_bytes_of_their_paths),
		cmocka_unit_test(names_of_a_file_come_together_at_the_last_one),
		cmocka_unit_test(files_with_names_elsewhere_come_at_the_end),
		cmocka_unit_test(only_files_wait_for_their_other_names),
		cmocka_unit_test(more_names_than_links_are_complete_each_time),
		cmocka_unit_test(equal_inodes_on_different_devices_are_different_files),
		cmocka_unit_test(links_that_changed_between_two_looks_are_told),
		cmocka_unit_test(members_follow_one_another_up_to_the_trailer),
		cmocka_unit_test(two_hundred_thousand_names_are_ordered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
