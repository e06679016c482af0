/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static void assert_document(struct json *json, const char *want)
{
	size_t len;

	assert_int_equal(json_finish(json, &len), 0);
	assert_string_equal(json->buf, want);
	assert_int_equal(len, strlen(want));
}

static void nested_values_are_separated_by_commas(void **state)
{
	char buf[256];
	struct json json;

	(void)state;
	json_init(&json, buf, sizeof(buf));
	json_open_object(&json, NULL);
	json_put_string(&json, "event", "started");
	json_open_array(&json, "cpus");
	json_put_u64(&json, NULL, 0);
	json_put_i64(&json, NULL, -1);
	json_open_array(&json, NULL);
	json_close(&json);
	json_open_object(&json, NULL);
	json_put_null(&json, "none");
	json_close(&json);
	json_put_bool(&json, NULL, true);
	json_close(&json);
	json_open_object(&json, "empty");
	json_close(&json);
	json_put_bool(&json, "last", false);
	json_close(&json);
	assert_document(&json,
			"{\"event\":\"started\",\"cpus\":[0,-1,[],{\"none\":null},true],\"empty\":{},"
			"\"last\":false}\n");
}

static void a_lone_value_is_a_document(void **state)
{
	char buf[32];
	struct json json;

	(void)state;
	json_init(&json, buf, sizeof(buf));
	json_put_u64(&json, NULL, 7);
	assert_document(&json, "7\n");
}

static void integers_keep_their_full_range(void **state)
{
	char buf[128];
	struct json json;

	(void)state;
	json_init(&json, buf, sizeof(buf));
	json_open_array(&json, NULL);
	json_put_u64(&json, NULL, UINT64_MAX);
	json_put_i64(&json, NULL, INT64_MIN);
	json_put_i64(&json, NULL, INT64_MAX);
	json_close(&json);
	assert_document(&json, "[18446744073709551615,-9223372036854775808,9223372036854775807]\n");
}

static void doubles_have_the_decimals_asked_for(void **state)
{
	char buf[512];
	struct json json;

	(void)state;
	json_init(&json, buf, sizeof(buf));
	json_open_array(&json, NULL);
	json_put_fixed(&json, NULL, 1.84, 3);
	json_put_fixed(&json, NULL, 2.5, 0);
	json_put_fixed(&json, NULL, -0.125, 2);
	json_put_fixed(&json, NULL, 1e15, 1);
	json_put_fixed(&json, NULL, NAN, 1);
	json_put_fixed(&json, NULL, INFINITY, 1);
	json_put_fixed(&json, NULL, -INFINITY, 1);
	json_close(&json);
	assert_document(&json, "[1.840,2,-0.12,1000000000000000.0,null,null,null]\n");
}

static void strings_are_escaped(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *out;
	} cases[] = {
		{"", 0, "\"\""},
		{"a\"b\\c/d", 7, "\"a\\\"b\\\\c/d\""},
		{"\n\r\t\b\f", 5, "\"\\n\\r\\t\\u0008\\u000c\""},
		{"a\0b", 3, "\"a\\u0000b\""},
		{"\x01\x1b\x1f\x20", 4, "\"\\u0001\\u001b\\u001f \""},
		{"\x7e\x7f", 2, "\"~\\u007f\""},
		{"\xc2\x9b", 2, "\"\\u009b\""},				 /* C1: a terminal's CSI */
		{"\xc2\xa0", 2, "\"\xc2\xa0\""},			 /* first character after C1 */
		{"\xc3\xa9\xe2\x82\xac", 5, "\"\xc3\xa9\xe2\x82\xac\""}, /* e acute, euro sign */
		{"\xf0\x9f\x98\x80", 4, "\"\xf0\x9f\x98\x80\""},	 /* U+1F600 */
		{"\xf4\x8f\xbf\xbf", 4, "\"\xf4\x8f\xbf\xbf\""},	 /* U+10FFFF */
		{"\xef\xbf\xbd", 3, "\"\\ufffd\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buf[128], want[128];
		struct json json;

		json_init(&json, buf, sizeof(buf));
		json_put_bytes(&json, NULL, cases[i].in, cases[i].len);
		strcpy(want, cases[i].out);
		assert_document(&json, strcat(want, "\n"));
	}
}

/* Unicode 15.0, 3.9: one replacement for each maximal subpart of an ill-formed sequence. */
static void ill_formed_utf8_becomes_replacement_characters(void **state)
{
	static const struct {
		const char *in;
		unsigned replacements;
	} cases[] = {
		{"\x80", 1},
		{"\xbf\xbf", 2},
		{"\xc0\xaf", 2}, /* overlong */
		{"\xc1\xbf", 2},
		{"\xe0\x9f\xbf", 3},	 /* overlong */
		{"\xf0\x8f\xbf\xbf", 4}, /* overlong */
		{"\xed\xa0\x80", 3},	 /* surrogate */
		{"\xf4\x90\x80\x80", 4}, /* above U+10FFFF */
		{"\xf5\x80\x80\x80", 4},
		{"\xff\xfe", 2},
		{"\xc3", 1}, /* cut off */
		{"\xe2\x82", 1},
		{"\xf0\x9f\x98", 1},
		{"\xe2\x82\xe2\x82", 2},
		{"\xc3\xc3", 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buf[128], want[128] = "\"<";
		struct json json;
		char in[16] = "<";

		strcat(strcat(in, cases[i].in), ">");
		for (unsigned n = 0; n < cases[i].replacements; n++)
			strcat(want, "\\ufffd");
		strcat(want, ">\"\n");
		json_init(&json, buf, sizeof(buf));
		json_put_string(&json, NULL, in);
		assert_document(&json, want);
	}
}

static void a_sequence_is_not_read_beyond_its_end(void **state)
{
	/* A heap copy of exact size, so that a sanitizer sees an overrun. */
	uint8_t *in = malloc(2);
	char buf[32];
	struct json json;

	(void)state;
	assert_non_null(in);
	memcpy(in, "\xe2\x82", 2);
	json_init(&json, buf, sizeof(buf));
	json_put_bytes(&json, NULL, in, 2);
	free(in);
	assert_document(&json, "\"\\ufffd\"\n");
}

static void keys_are_escaped_too(void **state)
{
	char buf[64];
	struct json json;

	(void)state;
	json_init(&json, buf, sizeof(buf));
	json_open_object(&json, NULL);
	json_put_u64(&json, "a\"\n", 1);
	json_close(&json);
	assert_document(&json, "{\"a\\\"\\n\":1}\n");
}

static void write_sample(struct json *json)
{
	json_open_object(json, NULL);
	json_put_string(json, "s", "a\x01\xff\"z");
	json_put_fixed(json, "f", 0.5, 3);
	json_open_array(json, "a");
	json_put_u64(json, NULL, 12345);
	json_put_bool(json, NULL, false);
	json_close(json);
	json_close(json);
}

/* Every size short of the whole is refused, and nothing is written behind the buffer. */
static void a_document_that_does_not_fit_is_refused_whole(void **state)
{
	char full[256];
	struct json json;
	size_t len, need;

	(void)state;
	json_init(&json, full, sizeof(full));
	write_sample(&json);
	assert_int_equal(json_finish(&json, &need), 0);
	for (size_t size = 0; size <= need + 1; size++) {
		char *buf = malloc(size + 1);

		assert_non_null(buf);
		buf[size] = '#';
		json_init(&json, buf, size);
		write_sample(&json);
		int err = json_finish(&json, &len);

		assert_int_equal(err, size > need ? 0 : -ENOSPC);
		assert_int_equal(len, err ? 0 : need);
		assert_true(size == 0 || buf[len] == '\0');
		assert_true(err || !strcmp(buf, full));
		assert_true(buf[size] == '#');
		free(buf);
	}
}

static void a_huge_double_fits_or_is_refused(void **state)
{
	char small[64], big[512];
	struct json json;
	size_t len;

	(void)state;
	json_init(&json, small, sizeof(small));
	json_put_fixed(&json, NULL, 1.7e308, 9);
	assert_int_equal(json_finish(&json, &len), -ENOSPC);
	json_init(&json, big, sizeof(big));
	json_put_fixed(&json, NULL, 1.7e308, 9);
	assert_int_equal(json_finish(&json, &len), 0);
	assert_int_equal(len, 309 + 1 + 9 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nested_values_are_separated_by_commas),
		cmocka_unit_test(a_lone_value_is_a_document),
		cmocka_unit_test(integers_keep_their_full_range),
		cmocka_unit_test(doubles_have_the_decimals_asked_for),
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(ill_formed_utf8_becomes_replacement_characters),
		cmocka_unit_test(a_sequence_is_not_read_beyond_its_end),
		cmocka_unit_test(keys_are_escaped_too),
		cmocka_unit_test(a_document_that_does_not_fit_is_refused_whole),
		cmocka_unit_test(a_huge_double_fits_or_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
