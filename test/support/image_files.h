/* SPDX-License-Identifier: Apache-2.0 */
/* Files for one cmocka test, in a folder of its own that the teardown removes, also after a failure. */
#ifndef VMM_TEST_IMAGE_FILES_H
#define VMM_TEST_IMAGE_FILES_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define IMAGE_FILES_MAX 24

struct image_files {
	char folder[64];
	char paths[IMAGE_FILES_MAX][96];
	unsigned count;
};

static inline int image_files_setup(void **state)
{
	struct image_files *files = calloc(1, sizeof(*files));

	if (!files)
		return -1;
	snprintf(files->folder, sizeof(files->folder), "/tmp/vmm-test-XXXXXX");
	*state = files;
	return mkdtemp(files->folder) ? 0 : -1;
}

static inline int image_files_teardown(void **state)
{
	struct image_files *files = *state;

	for (unsigned i = 0; i < files->count; i++)
		unlink(files->paths[i]);
	rmdir(files->folder);
	free(files);
	return 0;
}

/* Creates @name with @len bytes, then as a hole up to @size; returns its path. */
static inline const char *image_files_create(struct image_files *files, const char *name, const void *bytes, size_t len,
					     uint64_t size)
{
	char *path = files->paths[files->count];
	int fd;

	assert_true(files->count < IMAGE_FILES_MAX);
	assert_true(strlen(files->folder) + 1 + strlen(name) < sizeof(files->paths[0]));
	files->count++;
	stpcpy(stpcpy(stpcpy(path, files->folder), "/"), name);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, bytes, len), 0);
	assert_int_equal(ftruncate(fd, (off_t)(size > len ? size : len)), 0);
	close(fd);
	return path;
}

#define image_files_test(f) cmocka_unit_test_setup_teardown(f, image_files_setup, image_files_teardown)

#endif
