/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define PIPE_BYTES (1 << 20)

struct fixture {
	char dir[32];
	char path[64]; /* of the one file a test makes in it */
};

static int set_up(void **state)
{
	static struct fixture fixture;

	*state = &fixture;
	strcpy(fixture.dir, "/tmp/test_file.XXXXXX");
	if (!mkdtemp(fixture.dir))
		return -1;
	snprintf(fixture.path, sizeof(fixture.path), "%s/file", fixture.dir);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	/* A file, a FIFO or a directory, or nothing. */
	(void)remove(f->path);
	return rmdir(f->dir);
}

static void make_file(const struct fixture *f, const void *data, size_t len, mode_t mode)
{
	int fd = open(f->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, data, len), 0);
	close_fd(&fd);
}

static void a_regular_file_is_opened_with_its_size(void **state)
{
	struct fixture *f = *state;
	struct error err;
	uint64_t size = 0;
	char text[5];
	int fd;

	make_file(f, "hello", 5, 0600);
	fd = file_open_regular("kernel", f->path, &size, &err);
	assert_true(fd >= 0);
	assert_int_equal(size, 5);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(read_exact_at(fd, text, 5, 0), 0);
	assert_memory_equal(text, "hello", 5);
	close_fd(&fd);
}

/* The line says what and which file. */
static void assert_not_opened(const struct fixture *f, int code, const char *why)
{
	struct error err = {0};
	char start[128];
	uint64_t size;

	assert_int_equal(file_open_regular("initrd", f->path, &size, &err), code);
	snprintf(start, sizeof(start), "initrd %s: ", f->path);
	assert_memory_equal(err.text, start, strlen(start));
	assert_non_null(strstr(err.text, why));
	assert_null(strchr(err.text, '\n'));
}

static void a_missing_file_is_told(void **state)
{
	assert_not_opened(*state, -ENOENT, strerror(ENOENT));
}

static void a_directory_is_no_file(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_not_opened(f, -EISDIR, "directory");
}

static void a_fifo_is_refused_without_waiting_for_a_writer(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkfifo(f->path, 0600), 0);
	assert_not_opened(f, -EINVAL, "special file");
}

static void a_device_is_refused(void **state)
{
	struct error err;
	uint64_t size;

	(void)state;
	assert_int_equal(file_open_regular("kernel", "/dev/null", &size, &err), -EINVAL);
}

static void a_file_without_permission_is_told(void **state)
{
	struct fixture *f = *state;

	if (geteuid() == 0)
		skip(); /* root may read everything */
	make_file(f, "x", 1, 0);
	assert_not_opened(f, -EACCES, "permissions");
}

static void reads_are_exact_or_fail(void **state)
{
	struct fixture *f = *state;
	struct error err;
	char text[8];
	uint64_t size;
	int fd;

	make_file(f, "0123456789", 10, 0600);
	fd = file_open_regular("disk", f->path, &size, &err);
	assert_true(fd >= 0);
	assert_int_equal(read_exact_at(fd, text, 4, 6), 0);
	assert_memory_equal(text, "6789", 4);
	assert_int_equal(read_exact_at(fd, text, 5, 6), -EIO);
	assert_int_equal(read_exact_at(fd, text, 1, 10), -EIO);
	assert_int_equal(read_exact_at(fd, text, 0, 10), 0);
	close_fd(&fd);
	assert_int_equal(read_exact_at(-1, text, 1, 0), -EBADF);
}

static void *drain_pipe(void *arg)
{
	int fd = *(int *)arg;
	uint8_t chunk[1000];
	uintptr_t sum = 0;
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		for (ssize_t i = 0; i < n; i++)
			sum += chunk[i];
	return (void *)sum;
}

/* Far more than a pipe holds, so that write(2) must be called again. */
static void all_is_written_in_several_writes(void **state)
{
	uint8_t *data = malloc(PIPE_BYTES);
	uintptr_t want = 0;
	pthread_t reader;
	void *got;
	int fds[2], err;

	(void)state;
	assert_non_null(data);
	for (size_t i = 0; i < PIPE_BYTES; i++) {
		data[i] = (uint8_t)(i * 7);
		want += data[i];
	}
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(pthread_create(&reader, NULL, drain_pipe, &fds[0]), 0);
	err = write_all(fds[1], data, PIPE_BYTES);
	close(fds[1]);
	pthread_join(reader, &got);
	close(fds[0]);
	free(data);
	assert_int_equal(err, 0);
	assert_int_equal((uintptr_t)got, want);
}

static void a_failed_write_is_told(void **state)
{
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	assert_int_equal(write_all(fds[1], "x", 1), -EPIPE);
	assert_int_equal(write_all(fds[1], "x", 0), 0);
	close(fds[1]);
}

static void closing_twice_is_harmless_and_keeps_errno(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), copy = fd;

	(void)state;
	assert_true(fd >= 0);
	errno = EXDEV;
	close_fd(&fd);
	assert_int_equal(errno, EXDEV);
	assert_int_equal(fd, -1);
	assert_int_equal(fcntl(copy, F_GETFD), -1);
	errno = EXDEV;
	close_fd(&fd);
	assert_int_equal(errno, EXDEV);
	assert_int_equal(fd, -1);
}

static void the_clock_does_not_go_back(void **state)
{
	uint64_t first = monotonic_ns();

	(void)state;
	assert_true(first > 0);
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t now = monotonic_ns();

		assert_true(now >= first);
		first = now;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_regular_file_is_opened_with_its_size, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_missing_file_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_directory_is_no_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_fifo_is_refused_without_waiting_for_a_writer, set_up, tear_down),
		cmocka_unit_test(a_device_is_refused),
		cmocka_unit_test_setup_teardown(a_file_without_permission_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reads_are_exact_or_fail, set_up, tear_down),
		cmocka_unit_test(all_is_written_in_several_writes),
		cmocka_unit_test(a_failed_write_is_told),
		cmocka_unit_test(closing_twice_is_harmless_and_keeps_errno),
		cmocka_unit_test(the_clock_does_not_go_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
