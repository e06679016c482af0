/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot/image_source.h"
#include "support/image_files.h"

static void file_and_memory_read_alike(void **state)
{
	static const char text[] = "0123456789";
	struct image_files *files = *state;
	struct image_source file, memory = image_source_memory("kernel", "m", text, 10);
	struct error err;
	char a[4], b[4];

	assert_int_equal(image_source_open(&file, "kernel", image_files_create(files, "f", text, 10, 0), &err), 0);
	assert_int_equal(file.size, 10);
	for (uint64_t at = 0; at <= 6; at++) {
		assert_int_equal(image_source_read(&file, at, a, 4, &err), 0);
		assert_int_equal(image_source_read(&memory, at, b, 4, &err), 0);
		assert_memory_equal(a, b, 4);
	}
	image_source_close(&file);
	assert_int_equal(file.fd, -1);
}

static void read_behind_the_end_is_refused(void **state)
{
	struct image_source src = image_source_memory("kernel", "m", "0123456789", 10);
	struct error err;
	char buf[4];

	(void)state;
	assert_int_equal(image_source_read(&src, 7, buf, 4, &err), -EINVAL);
	assert_string_equal(err.text,
			    "kernel m: is truncated or damaged: needs 4 bytes at offset 7, but has 10 in all; build or "
			    "fetch it again");
	assert_int_equal(image_source_read(&src, UINT64_MAX, buf, 4, &err), -EINVAL);
	assert_int_equal(image_source_read(&src, 10, buf, 0, &err), 0);
	assert_int_equal(image_source_read(&src, 11, buf, 0, &err), -EINVAL);
}

static void source_that_shrinks_while_it_is_read_is_an_error(void **state)
{
	struct image_files *files = *state;
	const char *path = image_files_create(files, "f", "0123456789", 10, 0);
	struct image_source src;
	struct error err;
	char buf[10];

	assert_int_equal(image_source_open(&src, "kernel", path, &err), 0);
	assert_int_equal(truncate(path, 3), 0);
	assert_int_equal(image_source_read(&src, 0, buf, 10, &err), -EIO);
	assert_non_null(strstr(err.text, "cannot read 10 bytes at offset 0"));
	image_source_close(&src);
}

static void bytes_go_to_guest_memory(void **state)
{
	struct image_source src = image_source_memory("kernel", "m", "0123456789", 10);
	struct guest_mem mem;
	struct error err;

	(void)state;
	assert_int_equal(guest_mem_init(&mem, 8192), 0);
	assert_int_equal(image_source_load(&src, 2, 5, &mem, gpa(4094), &err), 0);
	assert_memory_equal(mem.regions[0].hva + 4094, "23456", 5);
	assert_int_equal(image_source_load(&src, 2, 0, &mem, gpa(1ULL << 40), &err), 0);
	assert_int_equal(image_source_load(&src, 2, 5, &mem, gpa(8190), &err), -EFAULT);
	assert_int_equal(image_source_load(&src, 6, 5, &mem, gpa(0), &err), -EINVAL);
	guest_mem_fini(&mem);
}

static void window_into_a_source_has_its_own_bounds(void **state)
{
	struct image_source src = image_source_memory("kernel", "m", "0123456789", 10);
	struct error err;
	char buf[3];

	(void)state;
	src.base = 4;
	src.size = 3;
	assert_int_equal(image_source_read(&src, 0, buf, 3, &err), 0);
	assert_memory_equal(buf, "456", 3);
	assert_int_equal(image_source_read(&src, 1, buf, 3, &err), -EINVAL);
}

static void empty_missing_and_special_files_are_refused(void **state)
{
	struct image_files *files = *state;
	struct image_source src;
	struct error err;

	assert_int_equal(image_source_open(&src, "initrd", image_files_create(files, "empty", "", 0, 0), &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "is an empty file"));
	assert_int_equal(src.fd, -1);
	assert_int_equal(image_source_open(&src, "initrd", "/nonexistent/x", &err), -ENOENT);
	assert_int_equal(image_source_open(&src, "initrd", files->folder, &err), -EISDIR);
}

static void long_path_leaves_room_for_the_reason(void **state)
{
	struct image_source src;
	struct error err;
	char path[3000];

	(void)state;
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	src = image_source_memory("kernel", path, "", 0);
	assert_int_equal(image_source_fail(&src, &err, -ENOEXEC, "is %s", "odd"), -ENOEXEC);
	assert_non_null(strstr(err.text, "p: is odd"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		image_files_test(file_and_memory_read_alike),
		cmocka_unit_test(read_behind_the_end_is_refused),
		image_files_test(source_that_shrinks_while_it_is_read_is_an_error),
		cmocka_unit_test(bytes_go_to_guest_memory),
		cmocka_unit_test(window_into_a_source_has_its_own_bounds),
		image_files_test(empty_missing_and_special_files_are_refused),
		cmocka_unit_test(long_path_leaves_room_for_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
