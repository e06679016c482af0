/* SPDX-License-Identifier: Apache-2.0 */
/* The command file: what is right is understood, what is not is refused without reading past its end. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "guest_run.h"

static const struct guest_request request = {
	.arguments = {"cmd", "", "two words"},
	.variables = {"A=1", "PATH=/mine", "TERM=x"},
	.folder = "/work",
	.flags = COMMAND_FLAG_OUT,
	.rows = 24,
	.columns = 80,
};

static char *pointers[COMMAND_MAX_POINTERS];

/* The file in memory of its very size, so that a sanitizer sees what is read behind it. */
static struct command_file *exact_file(const uint8_t *bytes, size_t size)
{
	struct command_file *file = malloc(size);

	assert_non_null(file);
	memcpy(file, bytes, size);
	return file;
}

static struct command_file *right_file(size_t *size)
{
	uint8_t bytes[1024];

	*size = guest_make_file(&request, bytes, sizeof(bytes));
	return exact_file(bytes, *size);
}

static void lists_end_where_they_should(void **state)
{
	static const char *const defaults[] = {"HOME=/root", "USER=root", "LOGNAME=root", "SHELL=/bin/sh"};
	struct command command;
	size_t size;
	struct command_file *file = right_file(&size);

	(void)state;
	assert_true(command_is_ours(file, size));
	assert_true(command_parse(&command, file, pointers));
	for (unsigned i = 0; i < 3; i++) {
		assert_string_equal(command.arguments[i], request.arguments[i]);
		assert_string_equal(command.environment[i], request.variables[i]);
	}
	assert_null(command.arguments[3]);
	for (unsigned i = 0; i < 4; i++)
		assert_string_equal(command.environment[3 + i], defaults[i]);
	assert_null(command.environment[7]);
	assert_string_equal(command.folder, "/work");
	assert_string_equal(command.path, "/mine");
	assert_int_equal(command.flags, COMMAND_FLAG_OUT);
	assert_int_equal(command.rows, 24);
	assert_int_equal(command.columns, 80);
	free(file);
}

static void no_variables_is_right(void **state)
{
	const struct guest_request bare = {.arguments = {"cmd"}, .flags = COMMAND_FLAG_TTY};
	struct command command;
	uint8_t bytes[256];
	size_t size = guest_make_file(&bare, bytes, sizeof(bytes));
	struct command_file *file = exact_file(bytes, size);

	(void)state;
	assert_true(command_is_ours(file, size));
	assert_true(command_parse(&command, file, pointers));
	assert_string_equal(command.environment[0], COMMAND_DEFAULT_PATH);
	assert_string_equal(command.path, strchr(COMMAND_DEFAULT_PATH, '=') + 1);
	assert_string_equal(command.environment[5], "TERM=vt100");
	assert_null(command.environment[6]);
	assert_string_equal(command.folder, "");
	free(file);
}

static void largest_file_has_room_for_its_pointers(void **state)
{
	struct command_file *file = calloc(1, COMMAND_FILE_MAX_SIZE);
	struct command command;

	(void)state;
	assert_non_null(file);
	*file = (struct command_file){
		.magic = COMMAND_MAGIC,
		.version = COMMAND_PROTO_VERSION,
		.size = COMMAND_FILE_MAX_SIZE,
		.nr_arguments = 1,
		.nr_variables = COMMAND_FILE_MAX_SIZE - sizeof(*file) - 2,
	};
	assert_true(command_is_ours(file, COMMAND_FILE_MAX_SIZE));
	assert_true(command_parse(&command, file, pointers));
	assert_null(pointers[COMMAND_MAX_POINTERS - 1]);
	assert_string_equal(pointers[COMMAND_MAX_POINTERS - 2], "TERM=dumb");
	free(file);
}

/* Makes one number of a right file wrong. */
static void assert_spoilt(size_t offset, size_t len, uint64_t value, bool is_ours)
{
	struct command command;
	size_t size;
	struct command_file *file = right_file(&size);

	memcpy((uint8_t *)file + offset, &value, len);
	assert_int_equal(command_is_ours(file, size), is_ours);
	if (is_ours)
		assert_false(command_parse(&command, file, pointers));
	free(file);
}

#define SPOIL(field, value, is_ours)                                                                                   \
	assert_spoilt(offsetof(struct command_file, field), sizeof(((struct command_file *)0)->field), value, is_ours)

static void wrong_numbers_are_refused(void **state)
{
	(void)state;
	SPOIL(magic, COMMAND_MAGIC + 1, false);
	SPOIL(version, COMMAND_PROTO_VERSION + 1, false);
	SPOIL(size, 64, false);
	SPOIL(size, UINT32_MAX, false);
	SPOIL(window_address, 4097, false);
	SPOIL(window_address, 1ULL << 32, false); /* with a ring of no size */
	SPOIL(nr_arguments, 0, true);
	SPOIL(nr_arguments, 2, true);
	SPOIL(nr_arguments, 4, true);
	SPOIL(nr_arguments, UINT32_MAX, true);
	SPOIL(nr_variables, 2, true);
	SPOIL(nr_variables, 4, true);
	SPOIL(nr_variables, UINT32_MAX, true);
}

static void every_truncation_is_refused(void **state)
{
	size_t size;
	struct command_file *file = right_file(&size);
	struct command command;

	(void)state;
	for (size_t len = 0; len < size; len++) {
		/* malloc(0) may be NULL, and a size below the header's is not even looked into. */
		struct command_file *part = exact_file((uint8_t *)file, len ? len : 1);

		assert_false(command_is_ours(part, len));
		if (len > sizeof(*part)) {
			part->size = (uint32_t)len;
			assert_false(command_is_ours(part, len) && command_parse(&command, part, pointers));
		}
		free(part);
	}
	free(file);
}

static void window_sizes_are_checked(void **state)
{
	static const struct {
		uint32_t size;
		bool is_right;
	} cases[] = {{0, false},     {4096, true},	   {2048, false},      {65536, true},
		     {65535, false}, {0x80000000u, false}, {0x40000000u, true}};
	size_t size;
	struct command_file *file = right_file(&size);

	(void)state;
	file->window_address = 0xfe000000;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		file->window_size = cases[i].size;
		assert_int_equal(command_is_ours(file, size), cases[i].is_right);
	}
	free(file);
}

static void init_without_a_right_file_says_so_and_ends(void **state)
{
	static const char damaged[] = "something else";
	const struct guest_request requests[] = {
		{.without_file = true}, {.file = damaged, .file_size = sizeof(damaged)}, {.file = "", .file_size = 1}};
	struct guest_result result;

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		guest_run(&requests[i], &result);
		assert_int_equal(result.frames.count, 0);
		assert_non_null(strstr(result.console, "vmm's init: /.vmm/command is missing, damaged"));
		assert_int_equal(result.wait_status, 2); /* SIGINT: powered off */
		guest_fini(&result);
	}
}

static void wrong_strings_are_told_to_the_host(void **state)
{
	struct guest_request spoilt = {.arguments = {"cmd"}};
	struct guest_result result;
	uint8_t bytes[256];

	(void)state;
	spoilt.file_size = guest_make_file(&spoilt, bytes, sizeof(bytes));
	spoilt.file = bytes;
	((struct command_file *)(void *)bytes)->nr_arguments = 7;
	guest_run(&spoilt, &result);
	assert_int_equal(result.frames.exit.end, COMMAND_INIT_FAILED);
	assert_int_equal(result.frames.exit.value, 22);
	assert_int_equal(result.frames.exit.step, COMMAND_STEP_FILE);
	assert_int_equal(result.wait_status, 2);
	guest_fini(&result);
}

static void no_way_to_the_host_is_told_on_the_console(void **state)
{
	const struct guest_request deaf = {.arguments = {"sh"}, .without_com2 = true};
	struct guest_result result;

	(void)state;
	guest_run(&deaf, &result);
	assert_int_equal(result.frames.count, 0);
	assert_non_null(strstr(result.console, "CONFIG_DEVMEM"));
	assert_non_null(strstr(result.console, "CONFIG_SERIAL_8250_RUNTIME_UARTS"));
	assert_int_equal(result.wait_status, 2);
	guest_fini(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_end_where_they_should),
		cmocka_unit_test(no_variables_is_right),
		cmocka_unit_test(largest_file_has_room_for_its_pointers),
		cmocka_unit_test(wrong_numbers_are_refused),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(window_sizes_are_checked),
	};
	const struct CMUnitTest guest_tests[] = {
		cmocka_unit_test(init_without_a_right_file_says_so_and_ends),
		cmocka_unit_test(wrong_strings_are_told_to_the_host),
		cmocka_unit_test(no_way_to_the_host_is_told_on_the_console),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL), missing;

	if (failed)
		return failed;
	missing = guest_missing();
	return missing ? missing : cmocka_run_group_tests(guest_tests, NULL, NULL);
}
