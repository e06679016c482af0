/* SPDX-License-Identifier: Apache-2.0 */
/* A directory tree for one cmocka test: <folder>/root, with room beside it. The teardown removes all, however deep,
 * also after a failure. */
#ifndef VMM_TEST_TEMP_TREE_H
#define VMM_TEST_TEMP_TREE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define TEMP_TREE_NOBODY 65534

struct temp_tree {
	char folder[64];
	char root[80];
	int fd;	       /* of root */
	uid_t old_uid; /* to go back to, when it is not the effective one */
};

static inline int temp_tree_setup(void **state)
{
	struct temp_tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return -1;
	*state = tree;
	tree->old_uid = geteuid();
	snprintf(tree->folder, sizeof(tree->folder), "/tmp/vmm-tree-XXXXXX");
	if (!mkdtemp(tree->folder) || chmod(tree->folder, 0755))
		return -1;
	snprintf(tree->root, sizeof(tree->root), "%s/root", tree->folder);
	if (mkdir(tree->root, 0755))
		return -1;
	tree->fd = open(tree->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return tree->fd < 0 ? -1 : 0;
}

static inline int temp_tree_teardown(void **state)
{
	struct temp_tree *tree = *state;
	char command[256];
	int status = seteuid(tree->old_uid);

	close_fd(&tree->fd);
	snprintf(command, sizeof(command), "chmod -R u+rwX '%s' 2>/dev/null; rm -rf '%s'", tree->folder, tree->folder);
	status |= system(command);
	free(tree);
	return status;
}

/* Paths are relative to root; "../x" lies beside it. */
static inline void temp_tree_file(const struct temp_tree *tree, const char *path, const void *bytes, size_t len)
{
	int fd = openat(tree->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, bytes, len), 0);
	close(fd);
}

static inline void temp_tree_text(const struct temp_tree *tree, const char *path, const char *text)
{
	temp_tree_file(tree, path, text, strlen(text));
}

/* @data at @offset in a file that is otherwise a hole of @size bytes. */
static inline void temp_tree_sparse(const struct temp_tree *tree, const char *path, uint64_t size, uint64_t offset,
				    const char *data)
{
	int fd = openat(tree->fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(pwrite(fd, data, strlen(data), (off_t)offset), strlen(data));
	close(fd);
}

static inline void temp_tree_folder(const struct temp_tree *tree, const char *path)
{
	assert_int_equal(mkdirat(tree->fd, path, 0755), 0);
}

static inline void temp_tree_symlink(const struct temp_tree *tree, const char *path, const char *target)
{
	assert_int_equal(symlinkat(target, tree->fd, path), 0);
}

static inline void temp_tree_link(const struct temp_tree *tree, const char *path, const char *old_path)
{
	assert_int_equal(linkat(tree->fd, old_path, tree->fd, path, 0), 0);
}

/* Folders inside one another until their path has @length bytes, of which @length % 200 is not 0. */
static inline void temp_tree_deep(const struct temp_tree *tree, size_t length)
{
	char name[256];
	int fd = dup(tree->fd);

	assert_true(fd >= 0);
	while (length) {
		/* "ddd...d/ddd...d/d": each name but the last takes 200 with its slash. */
		size_t len = length > 200 ? 199 : length;
		int next;

		memset(name, 'd', len);
		name[len] = '\0';
		assert_int_equal(mkdirat(fd, name, 0755), 0);
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
		length -= length > 200 ? 200 : length;
	}
	close(fd);
}

/* Rights count for root too, until the teardown. */
static inline void temp_tree_drop_rights(const struct temp_tree *tree)
{
	assert_int_equal(tree->old_uid == 0 ? seteuid(TEMP_TREE_NOBODY) : 0, 0);
}

#define temp_tree_test(f) cmocka_unit_test_setup_teardown(f, temp_tree_setup, temp_tree_teardown)

#endif
