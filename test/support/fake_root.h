/* SPDX-License-Identifier: Apache-2.0 */
/* A host as a tree of files, in a folder that the teardown removes, also after a failure. */
#ifndef VMM_TEST_FAKE_ROOT_H
#define VMM_TEST_FAKE_ROOT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

struct fake_root {
	char path[32];
};

static inline int fake_root_remove(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline int fake_root_setup(void **state)
{
	static struct fake_root root;

	strcpy(root.path, "/tmp/vmm-root.XXXXXX");
	*state = &root;
	return mkdtemp(root.path) ? 0 : -1;
}

static inline int fake_root_teardown(void **state)
{
	const struct fake_root *root = *state;

	return nftw(root->path, fake_root_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* Writes @text to @path (which starts with a slash) below the root, and makes the folders on the way. */
static inline void fake_root_write(const struct fake_root *root, const char *path, const char *text)
{
	char full[512];
	int fd;

	snprintf(full, sizeof(full), "%s%s", root->path, path);
	for (char *slash = full + strlen(root->path) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		mkdir(full, 0700);
		*slash = '/';
	}
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
	close(fd);
}

#define fake_root_test(f) cmocka_unit_test_setup_teardown(f, fake_root_setup, fake_root_teardown)

#endif
