/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fake_root.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <signal.h>
#include <time.h>

#include "ci/out_file.h"

#define SIZE (16 * OUT_FILE_BLOCK)

static int open_root(const struct fake_root *root)
{
	int fd = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static struct stat stat_of(int folder, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st;
}

static bool is_there(int folder, const char *name)
{
	return !faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW);
}

static void assert_content(int folder, const char *name, const uint8_t *data, size_t len)
{
	static uint8_t read_back[SIZE + 1];
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0 && len <= SIZE);
	assert_int_equal(read(fd, read_back, sizeof(read_back)), len);
	assert_memory_equal(read_back, data, len);
	close_fd(&fd);
}

/* Writes @data in pieces of @piece bytes. */
static void write_file(int folder, const char *name, const uint8_t *data, size_t len, size_t piece)
{
	struct out_file file;

	assert_int_equal(out_file_create(&file, folder, name, 0600), 0);
	for (size_t at = 0; at < len; at += piece)
		assert_int_equal(out_file_append(&file, data + at, piece < len - at ? piece : len - at), 0);
	assert_int_equal(file.size, len);
	assert_int_equal(out_file_finish(&file, 0), 0);
}

static void content_is_kept_however_it_is_cut_and_wherever_zeros_lie(void **state)
{
	static const size_t pieces[] = {1, 7, 100, 4095, 4096, 4097, 10000, SIZE};
	static uint8_t data[SIZE];
	int fd = open_root(*state);

	for (unsigned pattern = 0; pattern < 4; pattern++) {
		memset(data, 0, sizeof(data));
		for (size_t i = 0; i < SIZE; i++)
			if ((pattern == 1 && i / OUT_FILE_BLOCK % 2) || (pattern == 2 && i % 5000 == 17) ||
			    pattern == 3)
				data[i] = (uint8_t)(i % 255 + 1);
		for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
			write_file(fd, "f", data, SIZE - i, pieces[i]);
			assert_content(fd, "f", data, SIZE - i);
			assert_int_equal(unlinkat(fd, "f", 0), 0);
		}
	}
	close_fd(&fd);
}

static void zeros_take_no_disk_space(void **state)
{
	static uint8_t data[SIZE];
	int fd = open_root(*state);

	memset(data, 0, sizeof(data));
	write_file(fd, "zeros", data, SIZE, 5000);
	assert_int_equal(stat_of(fd, "zeros").st_size, SIZE);
	assert_int_equal(stat_of(fd, "zeros").st_blocks, 0);
	data[8 * OUT_FILE_BLOCK + 5] = 1;
	write_file(fd, "one", data, SIZE, 5000);
	assert_int_equal(stat_of(fd, "one").st_size, SIZE);
	assert_true(stat_of(fd, "one").st_blocks * 512 <= SIZE / 2);
	write_file(fd, "empty", data, 0, 1);
	assert_int_equal(stat_of(fd, "empty").st_size, 0);
	close_fd(&fd);
}

static void nothing_that_is_there_is_opened(void **state)
{
	struct out_file file;
	int fd = open_root(*state);

	fake_root_write(*state, "/file", "old");
	assert_int_equal(symlinkat("file", fd, "link"), 0);
	assert_int_equal(symlinkat("new", fd, "dangling"), 0);
	assert_int_equal(out_file_create(&file, fd, "file", 0600), -EEXIST);
	assert_int_equal(out_file_create(&file, fd, "link", 0600), -EEXIST);
	assert_int_equal(out_file_create(&file, fd, "dangling", 0600), -EEXIST);
	assert_false(is_there(fd, "new"));
	assert_content(fd, "file", (const uint8_t *)"old", 3);
	close_fd(&fd);
}

static void the_time_is_kept_when_it_is_past(void **state)
{
	static const uint32_t times[] = {1, 1500000000, 0, UINT32_MAX};
	time_t before = time(NULL);
	struct out_file file;
	int fd = open_root(*state);

	for (unsigned i = 0; i < 4; i++) {
		char name[2] = {(char)('0' + i), 0};

		assert_int_equal(out_file_create(&file, fd, name, 0640), 0);
		assert_int_equal(out_file_finish(&file, times[i]), 0);
		assert_int_equal(stat_of(fd, name).st_mode, S_IFREG | 0640);
		if (i < 2)
			assert_int_equal(stat_of(fd, name).st_mtim.tv_sec, times[i]);
		else
			assert_in_range(stat_of(fd, name).st_mtim.tv_sec, before - 1, time(NULL));
	}
	close_fd(&fd);
}

static void an_abandoned_file_is_removed(void **state)
{
	struct out_file file;
	int fd = open_root(*state);

	assert_int_equal(out_file_create(&file, fd, "f", 0600), 0);
	assert_int_equal(out_file_append(&file, (const uint8_t *)"data", 4), 0);
	assert_true(is_there(fd, "f"));
	out_file_abandon(&file);
	assert_false(is_there(fd, "f"));
	assert_int_equal(file.fd, -1);
	close_fd(&fd);
}

/* The file size limit stands for whatever keeps a file from growing. */
static void a_file_that_cannot_grow_to_its_end_is_removed(void **state)
{
	static const uint8_t zeros[2 * OUT_FILE_BLOCK];
	struct rlimit old, small = {OUT_FILE_BLOCK, 0};
	struct out_file file;
	int fd = open_root(*state), append, finish;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(out_file_create(&file, fd, "f", 0600), 0);
	setrlimit(RLIMIT_FSIZE, &small);
	append = out_file_append(&file, zeros, sizeof(zeros));
	finish = out_file_finish(&file, 0);
	setrlimit(RLIMIT_FSIZE, &old);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(append, 0);
	assert_int_equal(finish, -EFBIG);
	assert_false(is_there(fd, "f"));
	close_fd(&fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fake_root_test(content_is_kept_however_it_is_cut_and_wherever_zeros_lie),
		fake_root_test(zeros_take_no_disk_space),
		fake_root_test(nothing_that_is_there_is_opened),
		fake_root_test(the_time_is_kept_when_it_is_past),
		fake_root_test(an_abandoned_file_is_removed),
		fake_root_test(a_file_that_cannot_grow_to_its_end_is_removed),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
