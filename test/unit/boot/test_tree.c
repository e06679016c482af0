/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "boot/tree.h"
#include "support/capture.h"
#include "support/temp_tree.h"

static const struct tree plain = {.path = "rootfs", .fd = -1};

static void lines_name_the_directory_the_file_and_the_reason(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(tree_fail(&plain, &err, -EINVAL, "etc/x", "is %s", "odd"), -EINVAL);
	assert_string_equal(err.text, "--initrd-dir rootfs: etc/x: is odd");
	assert_int_equal(tree_fail(&plain, &err, -EINVAL, NULL, "is odd"), -EINVAL);
	assert_string_equal(err.text, "--initrd-dir rootfs: is odd");
}

static void names_are_printable_in_lines(void **state)
{
	static const struct {
		const char *name, *shown;
	} cases[] = {
		{"new\nline\x7f\x01", "new\\x0aline\\x7f\\x01"},
		{"back\\slash", "back\\x5cslash"},
		{"\xc3\xbc\xe4\xb8\xad", "\xc3\xbc\xe4\xb8\xad"},
		{"\xff\xc3", "\\xff\\xc3"},
		{"\xc2\x9b", "\\xc2\\x9b"}, /* a terminal's CSI as one character */
		{"a\xe2\x80\xae"
		 "b",
		 "a\\xe2\\x80\\xaeb"}, /* right-to-left override */
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char expected[128];

		snprintf(expected, sizeof(expected), "--initrd-dir rootfs: %s: x", cases[i].shown);
		tree_fail(&plain, &err, -EINVAL, cases[i].name, "x");
		assert_string_equal(err.text, expected);
	}
}

static void of_long_names_the_beginning_is_shown(void **state)
{
	char root[4096], name[4096];
	const struct tree tree = {.path = root, .fd = -1};
	struct error err;

	(void)state;
	for (int byte = 'n'; byte < 256; byte += 255 - 'n') {
		memset(root, byte, sizeof(root) - 1);
		memset(name, byte, sizeof(name) - 1);
		root[sizeof(root) - 1] = name[sizeof(name) - 1] = '\0';
		memcpy(name, "begin", 5);
		tree_fail_changed(&tree, &err, name);
		assert_non_null(strstr(err.text, "...: begin"));
		assert_non_null(strstr(err.text,
				       "...: changed while it was packed; stop what writes there, or pack a copy"
				       " of the directory"));
	}
}

static void reasons_come_with_what_to_do(void **state)
{
	static const struct {
		int code;
		const char *text;
	} cases[] = {
		{-ENOENT, "vanished while the directory was packed; "},
		{-ELOOP, "changed while it was packed; "},
		{-ENOTDIR, "changed while it was packed; "},
		{-EACCES, "cannot read it: Permission denied; make it readable (chmod +r), "},
		{-EIO, "cannot read it: Input/output error; "},
		{-ENOMEM, "no memory to list so large a tree; "},
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int code = tree_fail_errno(&plain, &err, cases[i].code, "x");

		assert_true(code == cases[i].code || code == -ESTALE);
		assert_non_null(strstr(err.text, cases[i].text));
	}
}

static void take_notes(struct tree *tree, unsigned count, char *text, size_t size)
{
	int saved = capture_redirect(STDERR_FILENO);

	for (unsigned i = 0; i < count; i++)
		tree_note(tree, "a\nb", "a socket; left out");
	tree_note_rest(tree);
	capture_take(STDERR_FILENO, saved, text, size);
}

static void notices_beyond_the_first_few_are_summed_up(void **state)
{
	struct tree tree = plain;
	char text[4096];

	(void)state;
	take_notes(&tree, 2, text, sizeof(text));
	assert_string_equal(text,
			    "vmm: --initrd-dir rootfs: a\\x0ab: a socket; left out\n"
			    "vmm: --initrd-dir rootfs: a\\x0ab: a socket; left out\n");
	tree = plain;
	take_notes(&tree, 1000, text, sizeof(text));
	assert_true(strlen(text) < 400);
	assert_non_null(strstr(text, "vmm: --initrd-dir rootfs: 995 more of this kind\n"));
}

static void what_is_no_directory_is_refused(void **state)
{
	const struct temp_tree *t = *state;
	struct tree tree;
	struct error err;
	char path[128];

	assert_int_equal(tree_init(&tree, "/nonexistent/x", &err), -ENOENT);
	assert_string_equal(err.text, "--initrd-dir /nonexistent/x: no such directory; check the path");
	tree_fini(&tree);
	temp_tree_text(t, "file", "");
	snprintf(path, sizeof(path), "%s/file", t->root);
	assert_int_equal(tree_init(&tree, path, &err), -ENOTDIR);
	assert_non_null(strstr(err.text, "/file: is not a directory; use --initrd for a cpio archive"));
	tree_fini(&tree);
	assert_int_equal(fchmod(t->fd, 0), 0);
	temp_tree_drop_rights(t);
	assert_int_equal(tree_init(&tree, t->root, &err), -EACCES);
	assert_non_null(strstr(err.text, "/root: cannot read it: Permission denied; "));
	tree_fini(&tree);
}

static void many_entries_keep_their_strings(void **state)
{
	struct tree tree = plain;
	char path[64], target[4096];

	(void)state;
	memset(target, 't', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	for (unsigned i = 0; i < 100000; i++) {
		const struct stat st = {
			.st_mode = i % 1000 ? S_IFREG : S_IFLNK, .st_ino = i, .st_size = i, .st_nlink = 1};

		snprintf(path, sizeof(path), "usr/share/%u", i);
		assert_int_equal(tree_add(&tree, path, i % 1000 ? NULL : target, &st), 0);
	}
	assert_int_equal(tree.count, 100000);
	for (unsigned i = 0; i < tree.count; i++) {
		snprintf(path, sizeof(path), "usr/share/%u", i);
		assert_string_equal(tree.entries[i].path, path);
		assert_int_equal(tree.entries[i].stamp.ino, i);
		if (i % 1000 == 0)
			assert_string_equal(tree.entries[i].target, target);
	}
	tree_fini(&tree);
}

static void stamps_differ_in_whatever_changes(void **state)
{
	const struct stat base = {.st_dev = 1, .st_ino = 2, .st_size = 3};
	struct tree_stamp stamp = tree_stamp_of(&base), same = stamp;
	struct stat other[7] = {base, base, base, base, base, base, base};

	(void)state;
	other[0].st_dev++;
	other[1].st_ino++;
	other[2].st_size++;
	other[3].st_mtim.tv_sec++;
	other[4].st_mtim.tv_nsec++;
	other[5].st_ctim.tv_sec++;
	other[6].st_ctim.tv_nsec++;
	assert_true(tree_stamp_equal(&stamp, &same));
	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		struct tree_stamp changed = tree_stamp_of(&other[i]);

		assert_false(tree_stamp_equal(&stamp, &changed));
	}
}

static void data_follow_files_and_links_only(void **state)
{
	const struct tree_entry folder = {.mode = S_IFDIR, .stamp.size = 4096};
	const struct tree_entry file = {.mode = S_IFREG, .stamp.size = UINT32_MAX, .has_data = true};
	const struct tree_entry other_name = {.mode = S_IFREG, .stamp.size = 5};
	/* Some file systems tell another size for a link than its target has. */
	const struct tree_entry link = {.mode = S_IFLNK, .stamp.size = 0, .target = "target"};

	(void)state;
	assert_int_equal(tree_data_size(&folder), 0);
	assert_int_equal(tree_data_size(&file), UINT32_MAX);
	assert_int_equal(tree_data_size(&other_name), 0);
	assert_int_equal(tree_data_size(&link), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_name_the_directory_the_file_and_the_reason),
		cmocka_unit_test(names_are_printable_in_lines),
		cmocka_unit_test(of_long_names_the_beginning_is_shown),
		cmocka_unit_test(reasons_come_with_what_to_do),
		cmocka_unit_test(notices_beyond_the_first_few_are_summed_up),
		temp_tree_test(what_is_no_directory_is_refused),
		cmocka_unit_test(many_entries_keep_their_strings),
		cmocka_unit_test(stamps_differ_in_whatever_changes),
		cmocka_unit_test(data_follow_files_and_links_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
