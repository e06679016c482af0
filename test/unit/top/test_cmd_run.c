/* SPDX-License-Identifier: Apache-2.0 */
/* What `vmm run` does before a machine exists. */
#include "support/capture.h"
#include "support/tiny_guest.h"

#include "commands.h"

static struct capture c;

static void help_goes_to_stdout(void **state)
{
	(void)state;
	CAPTURE(&c, cmd_run, "run", "--help");
	assert_int_equal(c.status, 0);
	assert_memory_equal(c.out, "Usage: vmm run", 14);
	assert_string_equal(c.err, "");
}

static void wrong_words_are_one_line_and_125(void **state)
{
	(void)state;
	CAPTURE(&c, cmd_run, "run", "--frobnicate");
	assert_int_equal(c.status, 125);
	assert_string_equal(c.out, "");
	assert_string_equal(c.err, "vmm: --frobnicate: unknown option or unexpected value; see `vmm run --help`\n");
}

static void a_missing_kernel_is_one_line_and_125(void **state)
{
	(void)state;
	CAPTURE(&c, cmd_run, "run", "/nonexistent/bzImage");
	assert_int_equal(c.status, 125);
	assert_memory_equal(c.err, "vmm: ", 5);
	assert_non_null(strstr(c.err, "/nonexistent/bzImage"));
	assert_ptr_equal(strchr(c.err, '\n'), c.err + strlen(c.err) - 1);
}

static void a_dry_run_describes_the_machine(void **state)
{
	const char *kernel = tiny_guest_create(*state, "vmlinux", "\xf4", 1);

	CAPTURE(&c, cmd_run, "run", kernel, "--dry-run", "-c", "2");
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.out, "vcpus       2\n"));
	assert_string_equal(c.err, "");
}

static void the_device_tree_is_written_where_it_is_wanted(void **state)
{
	struct image_files *files = *state;
	const char *kernel = tiny_guest_create(files, "vmlinux", "\xf4", 1), *path;
	uint8_t magic[4];
	int fd;

	path = image_files_create(files, "fdt", "", 0, 0);
	CAPTURE(&c, cmd_run, "run", kernel, "--dump-fdt", path);
	assert_int_equal(c.status, 0);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read_exact_at(fd, magic, sizeof(magic), 0), 0);
	close(fd);
	assert_memory_equal(magic, "\xd0\x0d\xfe\xed", 4);
	CAPTURE(&c, cmd_run, "run", kernel, "--dump-fdt", "-");
	assert_int_equal(c.status, 0);
	assert_memory_equal(c.out, "\xd0\x0d\xfe\xed", 4);
	CAPTURE(&c, cmd_run, "run", kernel, "--dump-fdt", "/nonexistent/fdt");
	assert_int_equal(c.status, 125);
	assert_non_null(strstr(c.err, "--dump-fdt /nonexistent/fdt: cannot write"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		image_files_test(help_goes_to_stdout),
		image_files_test(wrong_words_are_one_line_and_125),
		image_files_test(a_missing_kernel_is_one_line_and_125),
		image_files_test(a_dry_run_describes_the_machine),
		image_files_test(the_device_tree_is_written_where_it_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
