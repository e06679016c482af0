/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fake_root.h"

#include <errno.h>

#include "ci/out_folder.h"

static int open_root(const struct fake_root *root)
{
	struct error err;
	int fd = out_folder_open(root->path, &err);

	assert_true(fd >= 0);
	return fd;
}

static void assert_parent(int root, const char *path, int expected, const char *expected_leaf)
{
	const char *leaf = NULL;
	int fd = out_folder_open_parent(root, path, &leaf);

	assert_int_equal(fd < 0 ? fd : 0, expected);
	if (!expected)
		assert_string_equal(leaf, expected_leaf);
	close_fd(&fd);
}

static void a_missing_folder_is_made(void **state)
{
	const struct fake_root *root = *state;
	char path[64];
	struct error err;
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/new", root->path);
	fd = out_folder_open(path, &err);
	assert_true(fd >= 0);
	close_fd(&fd);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	fd = out_folder_open(path, &err);
	assert_true(fd >= 0);
	close_fd(&fd);
}

static void what_is_no_folder_is_told(void **state)
{
	const struct fake_root *root = *state;
	char path[64];
	struct error err;

	fake_root_write(root, "/file", "");
	snprintf(path, sizeof(path), "%s/file", root->path);
	assert_int_equal(out_folder_open(path, &err), -ENOTDIR);
	assert_non_null(strstr(err.text, "/file: cannot open the folder"));
	snprintf(path, sizeof(path), "%s/no/parent", root->path);
	assert_int_equal(out_folder_open(path, &err), -ENOENT);
	assert_non_null(strstr(err.text, "cannot make the folder: No such file or directory; make it"));
}

static void the_user_may_name_a_link(void **state)
{
	const struct fake_root *root = *state;
	char path[64];
	struct error err;
	int fd;

	fake_root_write(root, "/real/file", "");
	snprintf(path, sizeof(path), "%s/link", root->path);
	assert_int_equal(symlink("real", path), 0);
	fd = out_folder_open(path, &err);
	assert_true(fd >= 0);
	assert_int_equal(faccessat(fd, "file", F_OK, 0), 0);
	close_fd(&fd);
}

static void parents_are_opened_without_following_links(void **state)
{
	const struct fake_root *root = *state;
	int fd = open_root(root);

	fake_root_write(root, "/a/b/file", "");
	assert_int_equal(symlinkat("a", fd, "link"), 0);
	assert_int_equal(symlinkat("b", fd, "a/link"), 0);
	assert_int_equal(symlinkat("/", fd, "slash"), 0);
	assert_parent(fd, "x", 0, "x");
	assert_parent(fd, "a/x", 0, "x");
	assert_parent(fd, "a/b/x", 0, "x");
	assert_parent(fd, "link/x", -ENOTDIR, NULL);
	assert_parent(fd, "link/b/x", -ENOTDIR, NULL);
	assert_parent(fd, "a/link/x", -ENOTDIR, NULL);
	assert_parent(fd, "slash/tmp/x", -ENOTDIR, NULL);
	assert_parent(fd, "a/b/file/x", -ENOTDIR, NULL);
	assert_parent(fd, "missing/x", -ENOENT, NULL);
	assert_parent(fd, "a/missing/x", -ENOENT, NULL);
	close_fd(&fd);
}

static void folders_are_made_or_accepted(void **state)
{
	const struct fake_root *root = *state;
	int fd = open_root(root);
	struct stat st;

	fake_root_write(root, "/file", "");
	assert_int_equal(symlinkat(".", fd, "link"), 0);
	assert_int_equal(out_folder_make(fd, "new", 0710), 0);
	assert_int_equal(fstatat(fd, "new", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0710);
	assert_int_equal(out_folder_make(fd, "new", 0755), 0);
	assert_int_equal(fstatat(fd, "new", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0710);
	assert_int_equal(out_folder_make(fd, "file", 0755), -EEXIST);
	assert_int_equal(out_folder_make(fd, "link", 0755), -EEXIST);
	close_fd(&fd);
}

static void links_take_the_place_of_all_but_folders(void **state)
{
	const struct fake_root *root = *state;
	int fd = open_root(root);
	char target[16] = "";

	fake_root_write(root, "/file", "");
	fake_root_write(root, "/folder/file", "");
	assert_int_equal(out_folder_link(fd, "new", "one"), 0);
	assert_int_equal(out_folder_link(fd, "new", "two"), 0);
	assert_int_equal(out_folder_link(fd, "file", "two"), 0);
	assert_int_equal(readlinkat(fd, "new", target, sizeof(target)), 3);
	assert_string_equal(target, "two");
	assert_int_equal(readlinkat(fd, "file", target, sizeof(target)), 3);
	assert_int_equal(out_folder_link(fd, "folder", "two"), -EISDIR);
	assert_int_equal(out_folder_clear(fd, "folder"), -EISDIR);
	assert_int_equal(out_folder_clear(fd, "new"), 0);
	assert_int_equal(out_folder_clear(fd, "new"), 0);
	assert_int_equal(faccessat(fd, "new", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(faccessat(fd, "folder/file", F_OK, 0), 0);
	close_fd(&fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fake_root_test(a_missing_folder_is_made),
		fake_root_test(what_is_no_folder_is_told),
		fake_root_test(the_user_may_name_a_link),
		fake_root_test(parents_are_opened_without_following_links),
		fake_root_test(folders_are_made_or_accepted),
		fake_root_test(links_take_the_place_of_all_but_folders),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
