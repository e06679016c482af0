/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "matrix/nearest.h"

static const char *const known[] = {"kernels", "commands", "mem", "cpus", "timeout", "out", "path", NULL};

static void slips_of_a_letter_or_two_are_understood(void **state)
{
	(void)state;
	assert_string_equal(nearest_find("kernel", known), "kernels");
	assert_string_equal(nearest_find("comands", known), "commands");
	assert_string_equal(nearest_find("cpu", known), "cpus");
	assert_string_equal(nearest_find("memm", known), "mem");
	assert_string_equal(nearest_find("tiemout", known), "timeout");
	assert_string_equal(nearest_find("Timeout", known), "timeout");
	assert_string_equal(nearest_find("oot", known), "out");
	assert_string_equal(nearest_find("paht", known), "path");
}

static void other_words_are_not(void **state)
{
	(void)state;
	assert_null(nearest_find("memory", known));
	assert_null(nearest_find("x", known));
	assert_null(nearest_find("run", known));
	assert_null(nearest_find("", known));
	assert_null(nearest_find("sizes", known));
}

static void endless_words_are_no_slip(void **state)
{
	char word[1000];

	(void)state;
	memset(word, 'm', sizeof(word) - 1);
	word[sizeof(word) - 1] = 0;
	assert_null(nearest_find(word, known));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slips_of_a_letter_or_two_are_understood),
		cmocka_unit_test(other_words_are_not),
		cmocka_unit_test(endless_words_are_no_slip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
