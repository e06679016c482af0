/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ci/out_reader.h"

struct fixture {
	int pipe_fds[2];
	struct out_reader reader;
};

static int set_up(void **state)
{
	static struct fixture fixture;

	*state = &fixture;
	if (pipe2(fixture.pipe_fds, O_CLOEXEC))
		return -1;
	out_reader_init(&fixture.reader, fixture.pipe_fds[0]);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close_fd(&f->pipe_fds[0]);
	close_fd(&f->pipe_fds[1]);
	return 0;
}

static void put(struct fixture *f, const char *text)
{
	assert_int_equal(write_all(f->pipe_fds[1], text, strlen(text)), 0);
}

static void bytes_are_read_across_pieces(void **state)
{
	struct fixture *f = *state;
	char text[8] = "";
	const uint8_t *data;

	put(f, "abcd");
	assert_int_equal(out_reader_read(&f->reader, text, 3), 0);
	assert_string_equal(text, "abc");
	assert_int_equal(out_reader_take(&f->reader, 100, &data), 1);
	assert_int_equal(*data, 'd');
	put(f, "ef");
	assert_int_equal(out_reader_take(&f->reader, 1, &data), 1);
	assert_int_equal(*data, 'e');
	put(f, "ghi");
	close_fd(&f->pipe_fds[1]);
	assert_int_equal(out_reader_read(&f->reader, text, 3), 0);
	assert_string_equal(text, "fgh");
	assert_int_equal(f->reader.offset, 8);
	assert_int_equal(out_reader_skip(&f->reader, 1), 0);
	assert_int_equal(f->reader.offset, 9);
	assert_int_equal(out_reader_read(&f->reader, text, 0), 0);
	assert_int_equal(out_reader_skip(&f->reader, 0), 0);
}

static void the_end_of_the_stream_is_told(void **state)
{
	struct fixture *f = *state;
	char text[8];
	const uint8_t *data;

	put(f, "abc");
	close_fd(&f->pipe_fds[1]);
	assert_int_equal(out_reader_skip(&f->reader, UINT64_MAX), -ENODATA);
	assert_int_equal(f->reader.offset, 3);
	assert_int_equal(out_reader_read(&f->reader, text, 1), -ENODATA);
	assert_int_equal(out_reader_take(&f->reader, 1, &data), -ENODATA);
}

static void long_streams_pass_through_the_buffer(void **state)
{
	static uint8_t out[3 * OUT_READER_SIZE + 17], in[sizeof(out)];
	struct fixture *f = *state;
	FILE *file = tmpfile();

	assert_non_null(file);
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 7 + i / 251);
	assert_int_equal(write_all(fileno(file), out, sizeof(out)), 0);
	assert_int_equal(lseek(fileno(file), 0, SEEK_SET), 0);
	out_reader_init(&f->reader, fileno(file));
	assert_int_equal(out_reader_read(&f->reader, in, 5), 0);
	assert_int_equal(out_reader_read(&f->reader, in + 5, sizeof(in) - 5), 0);
	assert_memory_equal(in, out, sizeof(out));
	assert_int_equal(out_reader_skip(&f->reader, 1), -ENODATA);
	fclose(file);
}

static void errors_are_told(void **state)
{
	struct fixture *f = *state;
	const uint8_t *data;

	out_reader_init(&f->reader, -1);
	assert_int_equal(out_reader_take(&f->reader, 1, &data), -EBADF);
	assert_int_equal(out_reader_skip(&f->reader, 1), -EBADF);
}

#define reader_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		reader_test(bytes_are_read_across_pieces),
		reader_test(the_end_of_the_stream_is_told),
		reader_test(long_streams_pass_through_the_buffer),
		reader_test(errors_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
