/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/parse.h"

#define UNTOUCHED 0x5a5a5a5aULL

struct parse_case {
	const char *text;
	int err;
	uint64_t value; /* when err is 0 */
};

static void check_cases(const struct parse_case *cases, size_t n, int (*parse)(const char *, uint64_t *))
{
	for (size_t i = 0; i < n; i++) {
		uint64_t value = UNTOUCHED;
		uint64_t want = cases[i].err ? UNTOUCHED : cases[i].value;
		int err = parse(cases[i].text, &value);

		if (err != cases[i].err || value != want)
			fail_msg("\"%s\": got %d, %" PRIu64, cases[i].text, err, value);
	}
}

static void sizes_are_powers_of_1024(void **state)
{
	static const struct parse_case cases[] = {
		{"0", 0, 0},
		{"512", 0, 512},
		{"512B", 0, 512},
		{"64K", 0, 64 << 10},
		{"64k", 0, 64 << 10},
		{"256M", 0, 256 << 20},
		{"256MB", 0, 256 << 20},
		{"256MiB", 0, 256 << 20},
		{"256m", 0, 256 << 20},
		{"4G", 0, 4ULL << 30},
		{"1tiB", 0, 1ULL << 40},
		{"00012", 0, 12},
		{"18446744073709551615", 0, UINT64_MAX},
		{"16777215T", 0, 16777215ULL << 40},
	};

	(void)state;
	check_cases(cases, ARRAY_SIZE(cases), parse_size);
}

static void what_is_not_a_size_is_rejected(void **state)
{
	static const struct parse_case cases[] = {
		{"", -EINVAL, 0},     {" 1", -EINVAL, 0},
		{"1 ", -EINVAL, 0},   {"-1", -EINVAL, 0},
		{"+1", -EINVAL, 0},   {"M", -EINVAL, 0},
		{"1x", -EINVAL, 0},   {"1.5G", -EINVAL, 0},
		{"1Mi", -EINVAL, 0},  {"1MiBs", -EINVAL, 0},
		{"1MBB", -EINVAL, 0}, {"1iB", -EINVAL, 0},
		{"0x10", -EINVAL, 0}, {"1KM", -EINVAL, 0},
		{"1MM", -EINVAL, 0},  {"99999999999999999999999x", -EINVAL, 0},
	};

	(void)state;
	check_cases(cases, ARRAY_SIZE(cases), parse_size);
}

static void a_size_beyond_64_bits_is_out_of_range(void **state)
{
	static const struct parse_case cases[] = {
		{"18446744073709551616", -ERANGE, 0},
		{"99999999999999999999999999", -ERANGE, 0},
		{"16777216T", -ERANGE, 0},
		{"18014398509481984K", -ERANGE, 0},
	};

	(void)state;
	check_cases(cases, ARRAY_SIZE(cases), parse_size);
}

static void durations_have_units_and_fractions(void **state)
{
	static const struct parse_case cases[] = {
		{"0", 0, 0},
		{"90", 0, 90000000000ULL},
		{"90s", 0, 90000000000ULL},
		{"500ms", 0, 500000000ULL},
		{"2m", 0, 120000000000ULL},
		{"1h", 0, 3600000000000ULL},
		{"1.5s", 0, 1500000000ULL},
		{"1.5", 0, 1500000000ULL},
		{"0.25h", 0, 900000000000ULL},
		{"1.75m", 0, 105000000000ULL},
		{"3us", 0, 3000},
		{"7ns", 0, 7},
		{"0.0000000019s", 0, 1},
		{"0.1234567891234567891234567890s", 0, 123456789},
	};

	(void)state;
	check_cases(cases, ARRAY_SIZE(cases), parse_duration);
}

static void what_is_not_a_duration_is_rejected(void **state)
{
	static const struct parse_case cases[] = {
		{"", -EINVAL, 0},
		{"s", -EINVAL, 0},
		{"1.", -EINVAL, 0},
		{".5", -EINVAL, 0},
		{"1.s", -EINVAL, 0},
		{"1.5.5s", -EINVAL, 0},
		{"1sec", -EINVAL, 0},
		{"1 s", -EINVAL, 0},
		{"-1s", -EINVAL, 0},
		{"1S", -EINVAL, 0},
		{"1s ", -EINVAL, 0},
		{"18446744074", -ERANGE, 0},
		{"99999999999999999999ns", -ERANGE, 0},
		{"18446744073.709551616s", -ERANGE, 0},
		{"5124096h", -ERANGE, 0},
	};

	(void)state;
	check_cases(cases, ARRAY_SIZE(cases), parse_duration);
}

static void the_longest_duration_still_fits(void **state)
{
	uint64_t ns;

	(void)state;
	assert_int_equal(parse_duration("18446744073.709551615s", &ns), 0);
	assert_true(ns == UINT64_MAX);
}

static int parse_any_u64(const char *text, uint64_t *value)
{
	return parse_u64(text, UINT64_MAX, value);
}

static void numbers_are_decimal_or_hexadecimal(void **state)
{
	static const struct parse_case cases[] = {
		{"0", 0, 0},
		{"010", 0, 10},
		{"0x10", 0, 16},
		{"0XfF", 0, 255},
		{"18446744073709551615", 0, UINT64_MAX},
		{"0xffffffffffffffff", 0, UINT64_MAX},
		{"18446744073709551616", -ERANGE, 0},
		{"0x10000000000000000", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"0x", -EINVAL, 0},
		{"x1", -EINVAL, 0},
		{"1f", -EINVAL, 0},
		{"0xg", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"1 ", -EINVAL, 0},
	};

	(void)state;
	check_cases(cases, ARRAY_SIZE(cases), parse_any_u64);
}

static void a_number_above_the_limit_is_out_of_range(void **state)
{
	uint64_t value = UNTOUCHED;

	(void)state;
	assert_int_equal(parse_u64("65", 64, &value), -ERANGE);
	assert_true(value == UNTOUCHED);
	assert_int_equal(parse_u64("64", 64, &value), 0);
	assert_true(value == 64);
}

static void sizes_are_written_for_people(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{0, "0 bytes"},	     {1, "1 byte"},	   {512, "512 bytes"}, {1023, "1023 bytes"},
		{1024, "1K"},	     {1025, "1.0K"},	   {1536, "1.5K"},     {(1 << 20) - 1, "1023.9K"},
		{256 << 20, "256M"}, {3ULL << 29, "1.5G"}, {1ULL << 40, "1T"}, {UINT64_MAX, "16777215.9T"},
	};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(format_size(cases[i].bytes, buf, sizeof(buf)), cases[i].text);
}

static void a_short_buffer_gets_a_terminated_prefix(void **state)
{
	char buf[4] = "xxx";

	(void)state;
	assert_string_equal(format_size(256 << 20, buf, sizeof(buf)), "256");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_powers_of_1024),
		cmocka_unit_test(what_is_not_a_size_is_rejected),
		cmocka_unit_test(a_size_beyond_64_bits_is_out_of_range),
		cmocka_unit_test(durations_have_units_and_fractions),
		cmocka_unit_test(what_is_not_a_duration_is_rejected),
		cmocka_unit_test(the_longest_duration_still_fits),
		cmocka_unit_test(numbers_are_decimal_or_hexadecimal),
		cmocka_unit_test(a_number_above_the_limit_is_out_of_range),
		cmocka_unit_test(sizes_are_written_for_people),
		cmocka_unit_test(a_short_buffer_gets_a_terminated_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
