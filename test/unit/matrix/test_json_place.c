/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "matrix/json_place.h"

static void expect_place(const char *text, const unsigned *steps, unsigned count, bool at_key, unsigned line,
			 unsigned column)
{
	struct json_place place = json_place_find(text, strlen(text), steps, count, at_key);

	assert_int_equal(place.line, line);
	assert_int_equal(place.column, column);
}

#define STEPS(...) (const unsigned[]){__VA_ARGS__}, sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned)

static void outermost_value_is_found_behind_blanks(void **state)
{
	(void)state;
	expect_place("{}", NULL, 0, false, 1, 1);
	expect_place("\n\n  {}", NULL, 0, false, 3, 3);
}

static void members_are_found_by_their_number(void **state)
{
	const char *text = "{\"a\": 1, \"b\" : {\"c\":\n  true}, \"d\": [1, \"x\", {}]}";

	(void)state;
	expect_place(text, STEPS(0), false, 1, 7);
	expect_place(text, STEPS(1), false, 1, 16);
	expect_place(text, STEPS(1), true, 1, 10);
	expect_place(text, STEPS(1, 0), true, 1, 17);
	expect_place(text, STEPS(1, 0), false, 2, 3);
	expect_place(text, STEPS(2, 0), false, 2, 16);
	expect_place(text, STEPS(2, 1), false, 2, 19);
	expect_place(text, STEPS(2, 2), false, 2, 24);
}

static void brackets_and_quotes_in_strings_do_not_count(void **state)
{
	const char *text = "{\"}\\\"]\": \"{[\\\\\", \"b\": 2}";

	(void)state;
	expect_place(text, STEPS(1), true, 1, 18);
	expect_place(text, STEPS(1), false, 1, 23);
}

static void numbers_and_words_end_at_a_comma_or_blank(void **state)
{
	const char *text = "[1,-2.5e3 ,null,false\n,[[],[{}]],7]";

	(void)state;
	expect_place(text, STEPS(1), false, 1, 4);
	expect_place(text, STEPS(2), false, 1, 12);
	expect_place(text, STEPS(3), false, 1, 17);
	expect_place(text, STEPS(4), false, 2, 2);
	expect_place(text, STEPS(4, 1), false, 2, 6);
	expect_place(text, STEPS(5), false, 2, 12);
}

static void columns_count_characters(void **state)
{
	(void)state;
	expect_place("[\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\", 1]", STEPS(1), false, 1, 9);
}

static void text_that_ends_early_is_not_left(void **state)
{
	static const char *const texts[] = {
		"", "{", "{\"a", "{\"a\\", "{\"a\"", "{\"a\":", "[", "[1", "[\"", "[[", "1"};

	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		/* Without a NUL behind it, so that a sanitizer sees a step too far. */
		size_t len = strlen(texts[i]);
		char *exact = malloc(len ? len : 1);

		memcpy(exact, texts[i], len);
		assert_in_range(json_place_find(exact, len, (const unsigned[]){3, 1}, 2, false).column, 1, len + 1);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outermost_value_is_found_behind_blanks),
		cmocka_unit_test(members_are_found_by_their_number),
		cmocka_unit_test(brackets_and_quotes_in_strings_do_not_count),
		cmocka_unit_test(numbers_and_words_end_at_a_comma_or_blank),
		cmocka_unit_test(columns_count_characters),
		cmocka_unit_test(text_that_ends_early_is_not_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
