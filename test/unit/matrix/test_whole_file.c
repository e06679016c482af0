/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fake_root.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "matrix/whole_file.h"

static struct error err;

static unsigned count_entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2; /* . and .. */
}

static void file_appears_when_it_is_complete(void **state)
{
	const struct fake_root *root = *state;
	struct whole_file file;
	char path[64], text[16] = "";
	struct stat st;
	FILE *from;

	snprintf(path, sizeof(path), "%s/report", root->path);
	assert_int_equal(whole_file_begin(&file, path, &err), 0);
	fputs("all of it", file.to);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(whole_file_finish(&file, &err), 0);
	from = fopen(path, "r");
	assert_non_null(from);
	assert_non_null(fgets(text, sizeof(text), from));
	fclose(from);
	assert_string_equal(text, "all of it");
	assert_int_equal(count_entries(root->path), 1);
	/* As readable as the caller's umask says, not for the owner alone. */
	umask(022);
	assert_int_equal(whole_file_begin(&file, path, &err), 0);
	assert_int_equal(whole_file_finish(&file, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(st.st_size, 0);
}

static void folder_that_is_missing_is_told(void **state)
{
	struct whole_file file;

	(void)state;
	assert_int_equal(whole_file_begin(&file, "/nonexistent/report", &err), -ENOENT);
	assert_string_equal(err.text,
			    "/nonexistent/report: cannot write: No such file or directory; give a place with "
			    "room and permission");
}

static void endless_path_is_refused(void **state)
{
	static char path[PATH_MAX];
	struct whole_file file;

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	assert_int_equal(whole_file_begin(&file, path, &err), -ENAMETOOLONG);
}

static void what_fails_leaves_the_old_file_and_no_other(void **state)
{
	const struct fake_root *root = *state;
	struct whole_file file;
	char path[64];
	struct stat st;

	fake_root_write(root, "/report", "old");
	snprintf(path, sizeof(path), "%s/report", root->path);
	assert_int_equal(whole_file_begin(&file, path, &err), 0);
	/* A full disk: the stream goes to a device that takes nothing. */
	file.to = freopen("/dev/full", "w", file.to);
	assert_non_null(file.to);
	for (unsigned i = 0; i < 10000; i++)
		fputs("0123456789", file.to);
	assert_int_equal(whole_file_finish(&file, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "No space left on device"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 3);
	assert_int_equal(count_entries(root->path), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fake_root_test(file_appears_when_it_is_complete),
		fake_root_test(folder_that_is_missing_is_told),
		fake_root_test(endless_path_is_refused),
		fake_root_test(what_fails_leaves_the_old_file_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
