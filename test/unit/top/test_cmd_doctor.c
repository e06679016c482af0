/* SPDX-License-Identifier: Apache-2.0 */
/* The command itself; what it finds depends on the host, how it says so does not. */
#include "support/capture.h"

#include "commands.h"

static struct capture c;

static void help_goes_to_stdout(void **state)
{
	(void)state;
	CAPTURE(&c, cmd_doctor, "doctor", "--help");
	assert_int_equal(c.status, 0);
	assert_memory_equal(c.out, "Usage: vmm doctor", 17);
	CAPTURE(&c, cmd_doctor, "doctor", "-h");
	assert_int_equal(c.status, 0);
}

static void wrong_words_are_one_line_and_125(void **state)
{
	(void)state;
	CAPTURE(&c, cmd_doctor, "doctor", "--jsn");
	assert_int_equal(c.status, 125);
	assert_string_equal(c.err, "vmm: doctor --jsn: unknown option or word; see `vmm doctor --help`\n");
	assert_string_equal(c.out, "");
	CAPTURE(&c, cmd_doctor, "doctor", "--json", "--json");
	assert_int_equal(c.status, 125);
	assert_non_null(strstr(c.err, "given twice"));
}

static void lines_and_status_agree(void **state)
{
	(void)state;
	CAPTURE(&c, cmd_doctor, "doctor");
	assert_in_range(c.status, 0, 1);
	assert_int_equal(c.status == 1, strstr(c.out, "\nvmm cannot run guests here") != NULL);
	assert_int_equal(c.status == 0, strstr(c.out, "\nvmm can run guests here") != NULL);
	assert_non_null(strstr(c.out, "kvm-device"));
	assert_null(strchr(c.out, '\033')); /* a file gets no colour */
	assert_string_equal(c.err, "");
}

static void json_is_one_document_in_one_line(void **state)
{
	(void)state;
	CAPTURE(&c, cmd_doctor, "doctor", "--json");
	assert_in_range(c.status, 0, 1);
	assert_non_null(strstr(c.out, c.status ? "\"ok\":false" : "\"ok\":true"));
	assert_int_equal(c.out[0], '{');
	assert_string_equal(strchr(c.out, '\n'), "\n");
	assert_string_equal(c.err, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(help_goes_to_stdout),
		cmocka_unit_test(wrong_words_are_one_line_and_125),
		cmocka_unit_test(lines_and_status_agree),
		cmocka_unit_test(json_is_one_document_in_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
