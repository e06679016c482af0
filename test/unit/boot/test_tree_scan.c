/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/cpio.h"
#include "boot/tree_scan.h"
#include "support/capture.h"
#include "support/temp_tree.h"

#define GIB (1ULL << 30)

static int scan(struct tree *tree, const char *path, struct error *err)
{
	int code = tree_init(tree, path, err);

	return code ? code : tree_scan(tree, err);
}

static const struct tree_entry *find_entry(const struct tree *tree, const char *path)
{
	for (uint32_t i = 0; i < tree->count; i++)
		if (!strcmp(tree->entries[i].path, path))
			return &tree->entries[i];
	return NULL;
}

static void add_socket(const struct temp_tree *t, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", t->root, name);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

static void everything_below_the_directory_is_listed_once(void **state)
{
	const struct temp_tree *t = *state;
	struct tree tree;
	struct error err;

	temp_tree_folder(t, "a");
	temp_tree_folder(t, "a/b");
	temp_tree_text(t, "a/b/file", "12345");
	temp_tree_text(t, "a/.hidden", "");
	temp_tree_symlink(t, "..dots", "a/b");
	assert_int_equal(scan(&tree, t->root, &err), 0);
	assert_int_equal(tree.count, 5);
	assert_int_equal(find_entry(&tree, "a/b/file")->stamp.size, 5);
	assert_true(S_ISDIR(find_entry(&tree, "a/b")->mode));
	assert_non_null(find_entry(&tree, "a/.hidden"));
	assert_string_equal(find_entry(&tree, "..dots")->target, "a/b");
	tree_fini(&tree);
}

static void symbolic_links_are_followed_only_to_the_root(void **state)
{
	const struct temp_tree *t = *state;
	char path[96];
	struct tree tree;
	struct error err;

	temp_tree_text(t, "file", "");
	temp_tree_symlink(t, "up", "..");
	temp_tree_symlink(t, "../alias", "root");
	snprintf(path, sizeof(path), "%s/alias", t->folder);
	assert_int_equal(scan(&tree, path, &err), 0);
	assert_int_equal(tree.count, 2);
	assert_string_equal(find_entry(&tree, "up")->target, "..");
	tree_fini(&tree);
}

static void sockets_are_left_out_with_a_notice(void **state)
{
	const struct temp_tree *t = *state;
	char text[4096], name[8] = "sock0";
	struct tree tree;
	struct error err;
	int saved, code;

	for (; name[4] < '7'; name[4]++)
		add_socket(t, name);
	temp_tree_text(t, "file", "");
	saved = capture_redirect(STDERR_FILENO);
	code = scan(&tree, t->root, &err);
	capture_take(STDERR_FILENO, saved, text, sizeof(text));
	assert_int_equal(code, 0);
	assert_int_equal(tree.count, 1);
	assert_non_null(strstr(text, ": a socket; left out\n"));
	assert_non_null(strstr(text, ": 2 more of this kind\n"));
	tree_fini(&tree);
}

static void the_trailers_name_is_refused_at_the_top_only(void **state)
{
	const struct temp_tree *t = *state;
	struct tree tree;
	struct error err;

	temp_tree_folder(t, "a");
	temp_tree_text(t, "a/TRAILER!!!", "");
	temp_tree_text(t, "TRAILER!!!!", "");
	assert_int_equal(scan(&tree, t->root, &err), 0);
	tree_fini(&tree);
	temp_tree_symlink(t, "TRAILER!!!", "x");
	assert_int_equal(scan(&tree, t->root, &err), -EINVAL);
	assert_non_null(strstr(err.text, "/root: TRAILER!!!: this name marks the end of an archive; rename it"));
	tree_fini(&tree);
}

static void files_of_four_gigabytes_are_refused(void **state)
{
	const struct temp_tree *t = *state;
	struct tree tree;
	struct error err;

	temp_tree_sparse(t, "image", 4 * GIB - 1, 0, "");
	assert_int_equal(scan(&tree, t->root, &err), 0);
	tree_fini(&tree);
	temp_tree_sparse(t, "image", 4 * GIB, 0, "");
	assert_int_equal(scan(&tree, t->root, &err), -EFBIG);
	assert_non_null(strstr(err.text, "/root: image: has 4G, and a file in an initramfs must be below 4G; "));
	tree_fini(&tree);
}

static void the_deepest_path_that_linux_unpacks_is_the_limit(void **state)
{
	const struct temp_tree *t = *state;
	char deep[CPIO_MAX_NAME];
	struct tree tree;
	struct error err;

	temp_tree_deep(t, CPIO_MAX_NAME - 3);
	assert_int_equal(scan(&tree, t->root, &err), 0);
	strcpy(deep, tree.entries[tree.count - 1].path);
	assert_int_equal(strlen(deep), CPIO_MAX_NAME - 3);
	tree_fini(&tree);
	temp_tree_text(t, strcat(deep, "/1"), "");
	assert_int_equal(scan(&tree, t->root, &err), 0);
	tree_fini(&tree);
	deep[strlen(deep) - 2] = '\0';
	int fd = openat(t->fd, deep, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(mkdirat(fd, "12", 0755), 0);
	close(fd);
	assert_int_equal(scan(&tree, t->root, &err), -ENAMETOOLONG);
	assert_non_null(strstr(err.text, "/root: dddddddd"));
	assert_non_null(
		strstr(err.text, "...: a name below it is longer than 4095 bytes, which Linux does not unpack; "));
	tree_fini(&tree);
}

static void depth_costs_no_descriptors(void **state)
{
	const struct temp_tree *t = *state;
	int fd = dup(t->fd), next;
	struct tree tree;
	struct error err;

	for (unsigned depth = 0; depth < 2000; depth++) {
		assert_int_equal(mkdirat(fd, "d", 0755), 0);
		next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	assert_int_equal(scan(&tree, t->root, &err), 0);
	assert_int_equal(tree.count, 2000);
	next = dup(fd);
	assert_in_range(next, fd + 1, fd + 4);
	close(next);
	close(fd);
	tree_fini(&tree);
}

static void what_may_not_be_listed_is_told(void **state)
{
	const struct temp_tree *t = *state;
	struct tree tree;
	struct error err;

	temp_tree_folder(t, "secret");
	assert_int_equal(fchmodat(t->fd, "secret", 0, 0), 0);
	temp_tree_drop_rights(t);
	assert_int_equal(scan(&tree, t->root, &err), -EACCES);
	assert_non_null(strstr(err.text, "/root: secret: cannot read it: Permission denied; make it readable"));
	tree_fini(&tree);
}

/* An entry that the scan believes to have seen before it comes to list it. */
static int scan_with_stale(const struct temp_tree *t, const char *path, uint64_t ino_off, struct error *err)
{
	struct stat st;
	struct tree tree;
	int code;

	assert_int_equal(fstat(t->fd, &st), 0);
	fstatat(t->fd, path, &st, 0);
	st.st_ino += ino_off;
	assert_int_equal(tree_init(&tree, t->root, err), 0);
	assert_int_equal(tree_add(&tree, path, NULL, &st), 0);
	code = tree_scan(&tree, err);
	tree_fini(&tree);
	return code;
}

static void folder_that_changes_or_vanishes_meanwhile_is_told(void **state)
{
	const struct temp_tree *t = *state;
	struct error err;

	assert_int_equal(scan_with_stale(t, "gone", 0, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/root: gone: vanished while the directory was packed; "));
	temp_tree_folder(t, "there");
	assert_int_equal(scan_with_stale(t, "there", 0, &err), 0);
	assert_int_equal(scan_with_stale(t, "there", 1, &err), -ESTALE);
	assert_non_null(strstr(err.text, "/root: there: changed while it was packed; "));
	assert_int_equal(unlinkat(t->fd, "there", AT_REMOVEDIR), 0);
	temp_tree_symlink(t, "there", "/");
	assert_int_equal(scan_with_stale(t, "there", 0, &err), -ESTALE);
}

/* In a mount namespace of its own. Returns what a child should exit with. */
static int scan_with_mounts(const struct temp_tree *t)
{
	char proc[128], tmp[128];
	struct tree tree;
	struct error err;
	bool as_expected;

	snprintf(proc, sizeof(proc), "%s/proc", t->root);
	snprintf(tmp, sizeof(tmp), "%s/tmp", t->root);
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("/proc", proc, NULL, MS_BIND, NULL) || mount("none", tmp, "tmpfs", 0, NULL))
		return 77;
	/* By its path: t->fd lies in the other namespace, where nothing is mounted. */
	strcat(tmp, "/file");
	if (mknod(tmp, S_IFREG | 0644, 0))
		return 2;
	as_expected = scan(&tree, t->root, &err) == 0 && tree.count == 3 && find_entry(&tree, "tmp/file") &&
		      find_entry(&tree, "proc");
	tree_fini(&tree);
	return as_expected ? 0 : 1;
}

static void mounted_pseudo_file_systems_are_packed_empty(void **state)
{
	const struct temp_tree *t = *state;
	int saved, status = 0;
	char text[4096];
	pid_t child;

	temp_tree_folder(t, "proc");
	temp_tree_folder(t, "tmp");
	saved = capture_redirect(STDERR_FILENO);
	child = fork();
	if (child == 0)
		_exit(scan_with_mounts(t));
	waitpid(child, &status, 0);
	capture_take(STDERR_FILENO, saved, text, sizeof(text));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip(); /* only root may mount */
	assert_int_equal(status, 0);
	assert_non_null(strstr(text, "/root: proc: a mounted proc file system; packed as an empty directory\n"));
}

static void pseudo_file_system_as_the_root_is_refused(void **state)
{
	struct tree tree;
	struct error err;

	(void)state;
	assert_int_equal(scan(&tree, "/proc/self", &err), -EINVAL);
	assert_string_equal(err.text,
			    "--initrd-dir /proc/self: lies in a pseudo file system; give a directory of files");
	tree_fini(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_tree_test(everything_below_the_directory_is_listed_once),
		temp_tree_test(symbolic_links_are_followed_only_to_the_root),
		temp_tree_test(sockets_are_left_out_with_a_notice),
		temp_tree_test(the_trailers_name_is_refused_at_the_top_only),
		temp_tree_test(files_of_four_gigabytes_are_refused),
		temp_tree_test(the_deepest_path_that_linux_unpacks_is_the_limit),
		temp_tree_test(depth_costs_no_descriptors),
		temp_tree_test(what_may_not_be_listed_is_told),
		temp_tree_test(folder_that_changes_or_vanishes_meanwhile_is_told),
		temp_tree_test(mounted_pseudo_file_systems_are_packed_empty),
		cmocka_unit_test(pseudo_file_system_as_the_root_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
