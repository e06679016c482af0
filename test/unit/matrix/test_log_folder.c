/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fake_root.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "matrix/log_folder.h"

static struct error err;
static char folder[64];

static struct plan_run run_in(const struct fake_root *root)
{
	snprintf(folder, sizeof(folder), "%s/run", root->path);
	return (struct plan_run){.name = "run", .folder = folder};
}

static void folders_above_are_made(void **state)
{
	const struct fake_root *root = *state;
	char path[64];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/a/b/logs", root->path);
	fd = log_folder_open(path, &err);
	assert_true(fd >= 0);
	assert_int_equal(stat(path, &st), 0);
	close(fd);
	fd = log_folder_open(path, &err); /* it may be there */
	assert_true(fd >= 0);
	close(fd);
}

static void what_is_no_folder_is_told(void **state)
{
	const struct fake_root *root = *state;
	char path[64];

	fake_root_write(root, "/file", "");
	snprintf(path, sizeof(path), "%s/file/logs", root->path);
	assert_int_equal(log_folder_open(path, &err), -ENOTDIR);
	assert_non_null(strstr(err.text, "cannot make: Not a directory; give a writable place with --logs"));
	snprintf(path, sizeof(path), "%s/file", root->path);
	assert_int_equal(log_folder_open(path, &err), -ENOTDIR);
}

static void two_at_once_are_refused(void **state)
{
	const struct fake_root *root = *state;
	int fd = log_folder_open(root->path, &err);

	assert_true(fd >= 0);
	assert_int_equal(log_folder_open(root->path, &err), -EBUSY);
	assert_non_null(strstr(err.text, "another `vmm matrix` writes to it"));
	close(fd);
}

static void earlier_files_from_the_guest_are_not_mixed_with_new_ones(void **state)
{
	const struct fake_root *root = *state;
	struct plan_run run = run_in(root);
	struct plan plan = {.runs = &run, .count = 1};
	char out[80];

	snprintf(out, sizeof(out), "%s/run/out", root->path);
	run.out = out;
	assert_int_equal(log_folder_check(&plan, &err), 0); /* missing */
	assert_int_equal(mkdir(run.folder, 0700), 0);
	assert_int_equal(mkdir(out, 0700), 0);
	assert_int_equal(log_folder_check(&plan, &err), 0); /* empty */
	fake_root_write(root, "/run/out/result", "");
	assert_int_equal(log_folder_check(&plan, &err), -EEXIST);
	assert_memory_equal(err.text, out, strlen(out));
	run.out = NULL;
	assert_int_equal(log_folder_check(&plan, &err), 0);
}

static void our_earlier_files_are_replaced_and_no_others(void **state)
{
	const struct fake_root *root = *state;
	struct plan_run run = run_in(root);
	char buf[16];
	int fd;

	fake_root_write(root, "/run/console.log", "old");
	fake_root_write(root, "/run/events.jsonl", "old");
	fake_root_write(root, "/run/vmm.log", "old");
	fake_root_write(root, "/run/notes.txt", "mine");
	fd = log_folder_begin(&run, &err);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "new", 3), 3);
	close(fd);
	assert_int_equal(log_folder_tail(&run, PLAN_CONSOLE_FILE, buf, sizeof(buf)), 0);
	assert_int_equal(log_folder_tail(&run, PLAN_EVENTS_FILE, buf, sizeof(buf)), 0);
	assert_int_equal(log_folder_tail(&run, PLAN_VMM_FILE, buf, sizeof(buf)), 3);
	assert_memory_equal(buf, "new", 3);
	assert_int_equal(log_folder_tail(&run, "notes.txt", buf, sizeof(buf)), 4);
}

static void link_in_place_of_a_log_is_not_followed(void **state)
{
	const struct fake_root *root = *state;
	struct plan_run run = run_in(root);
	char target[64], link[80], buf[16];
	int fd;

	fake_root_write(root, "/run/notes.txt", "mine");
	snprintf(target, sizeof(target), "%s/run/notes.txt", root->path);
	snprintf(link, sizeof(link), "%s/run/vmm.log", root->path);
	assert_int_equal(symlink(target, link), 0);
	fd = log_folder_begin(&run, &err);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "new", 3), 3);
	close(fd);
	assert_int_equal(log_folder_tail(&run, "notes.txt", buf, sizeof(buf)), 4);
}

static void folder_that_cannot_be_made_is_told(void **state)
{
	const struct fake_root *root = *state;
	struct plan_run run = run_in(root);

	fake_root_write(root, "/run", "a file");
	assert_int_equal(log_folder_begin(&run, &err), -ENOTDIR);
	assert_non_null(strstr(err.text, "/run: cannot write: Not a directory; give it room and permission"));
}

static void tail_is_the_end(void **state)
{
	const struct fake_root *root = *state;
	struct plan_run run = run_in(root);
	char buf[4];

	fake_root_write(root, "/run/console.log", "0123456789");
	assert_int_equal(log_folder_tail(&run, PLAN_CONSOLE_FILE, buf, sizeof(buf)), 4);
	assert_memory_equal(buf, "6789", 4);
	fake_root_write(root, "/run/vmm.log", "01234");
	assert_int_equal(log_folder_tail(&run, PLAN_VMM_FILE, buf, sizeof(buf)), 4);
	assert_memory_equal(buf, "1234", 4);
	assert_int_equal(log_folder_tail(&run, "..", buf, sizeof(buf)), 0);
}

static void last_line_is_found_in_large_files(void **state)
{
	const struct fake_root *root = *state;
	struct plan_run run = run_in(root);
	char line[64], *text = malloc(100001);

	memset(text, 'x', 100000);
	memcpy(text + 99980, "\nthe\r\nvery last\r\n\r\n\n", 20);
	text[100000] = 0;
	fake_root_write(root, "/run/console.log", text);
	free(text);
	log_folder_last_line(&run, PLAN_CONSOLE_FILE, line, sizeof(line));
	assert_string_equal(line, "very last");
	log_folder_last_line(&run, PLAN_VMM_FILE, line, sizeof(line));
	assert_string_equal(line, "");
}

static void set_time(const struct fake_root *root, const char *name, time_t seconds)
{
	const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
	char path[64];

	snprintf(path, sizeof(path), "%s%s", root->path, name);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void what_was_said_last_comes_from_the_newer_file(void **state)
{
	const struct fake_root *root = *state;
	struct plan_run run = run_in(root);
	char line[64];

	fake_root_write(root, "/run/console.log", "guest\n");
	fake_root_write(root, "/run/vmm.log", "");
	set_time(root, "/run/console.log", 1000);
	set_time(root, "/run/vmm.log", 2000);
	log_folder_said(&run, line, sizeof(line));
	assert_string_equal(line, "guest"); /* there is nothing in the other */
	fake_root_write(root, "/run/vmm.log", "command\n");
	set_time(root, "/run/vmm.log", 2000);
	log_folder_said(&run, line, sizeof(line));
	assert_string_equal(line, "command");
	set_time(root, "/run/console.log", 3000);
	log_folder_said(&run, line, sizeof(line));
	assert_string_equal(line, "guest");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fake_root_test(folders_above_are_made),
		fake_root_test(what_is_no_folder_is_told),
		fake_root_test(two_at_once_are_refused),
		fake_root_test(earlier_files_from_the_guest_are_not_mixed_with_new_ones),
		fake_root_test(our_earlier_files_are_replaced_and_no_others),
		fake_root_test(link_in_place_of_a_log_is_not_followed),
		fake_root_test(folder_that_cannot_be_made_is_told),
		fake_root_test(tail_is_the_end),
		fake_root_test(last_line_is_found_in_large_files),
		fake_root_test(what_was_said_last_comes_from_the_newer_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
