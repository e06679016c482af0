/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "matrix/plain_line.h"

static void expect_line(const char *text, const char *expected)
{
	char line[32];

	plain_line_last(text, strlen(text), line, sizeof(line));
	assert_string_equal(line, expected);
}

static void last_line_that_prints_counts(void **state)
{
	(void)state;
	expect_line("", "");
	expect_line("one", "one");
	expect_line("one\ntwo\n", "two");
	expect_line("one\r\ntwo\r\n\r\n", "two");
	expect_line("one\n   \n\033[0m\n", "one");
	expect_line("\n\n", "");
}

static void carriage_return_shows_what_was_written_last(void **state)
{
	(void)state;
	expect_line("10%\r20%\r", "20%");
	expect_line("10%\r20%", "20%");
}

static void escape_sequences_vanish(void **state)
{
	(void)state;
	expect_line("\033[1;32mok\033[0m \033[Kdone", "ok done");
	expect_line("a\033[", "a");
	expect_line("a\033[12;", "a");
	expect_line("a\033", "a");
	expect_line("a\033cb", "ab");
}

static void nothing_but_printable_ascii_comes_out(void **state)
{
	(void)state;
	expect_line("a\tb\ac\x7f", "a bc");
	expect_line("\xc3\xa4\xe2\x82\xac!",
		    "?"
		    "?!");
	for (unsigned seed = 0; seed < 2000; seed++) {
		char text[64], line[20];

		srand(seed);
		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = (char)rand();
		plain_line_last(text, sizeof(text), line, sizeof(line));
		assert_true(memchr(line, 0, sizeof(line)) != NULL);
		for (const char *c = line; *c; c++)
			assert_in_range(*c, ' ', '~');
	}
}

static void long_lines_are_cut(void **state)
{
	char line[8];

	(void)state;
	plain_line_last("0123456789", 10, line, sizeof(line));
	assert_string_equal(line, "0123456");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_line_that_prints_counts),
		cmocka_unit_test(carriage_return_shows_what_was_written_last),
		cmocka_unit_test(escape_sequences_vanish),
		cmocka_unit_test(nothing_but_printable_ascii_comes_out),
		cmocka_unit_test(long_lines_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
