/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "matrix/xml.h"

static char *written;
static size_t written_len;

static const char *text_of(const void *data, size_t len)
{
	FILE *to;

	free(written);
	to = open_memstream(&written, &written_len);
	assert_non_null(to);
	xml_put_text(to, data, len);
	fclose(to);
	return written;
}

static const char *attribute_of(const char *value)
{
	FILE *to;

	free(written);
	to = open_memstream(&written, &written_len);
	assert_non_null(to);
	xml_put_attribute(to, "a", value);
	fclose(to);
	return written;
}

static void markup_is_escaped(void **state)
{
	(void)state;
	assert_string_equal(text_of("<a> & \"b\" ]]>", 13), "&lt;a&gt; &amp; \"b\" ]]&gt;");
	assert_string_equal(attribute_of("<a> & \"b\""), " a=\"&lt;a&gt; &amp; &quot;b&quot;\"");
}

static void blanks_survive_a_parser(void **state)
{
	(void)state;
	assert_string_equal(text_of("a\tb\nc\r\nd\re", 10), "a\tb\nc\nd&#13;e");
	assert_string_equal(text_of("a\r\n", 3), "a\n");
	assert_string_equal(text_of("a\r", 2), "a&#13;");
	assert_string_equal(attribute_of("a\tb\nc"), " a=\"a&#9;b&#10;c\"");
}

static void controls_become_pictures(void **state)
{
	(void)state;
	assert_string_equal(text_of("\0\a\033[0m", 6), "&#9216;&#9223;&#9243;[0m");
	assert_string_equal(text_of("\x7f\xc2\x85", 3), "&#127;&#133;");
}

static void utf8_stays_and_what_is_none_is_replaced(void **state)
{
	(void)state;
	assert_string_equal(text_of("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9), "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_string_equal(text_of("a\xff", 2), "a&#65533;");
	assert_string_equal(text_of("\xe2\x82", 2), "&#65533;");
	assert_string_equal(text_of("\xed\xa0\x80", 3), "&#65533;&#65533;&#65533;");
	assert_string_equal(text_of("\xef\xbf\xbf", 3), "&#65533;");
	assert_string_equal(text_of("\xef\xbf\xbe", 3), "&#65533;");
}

/* XML 1.0, 2.2: #x9 | #xA | #xD | [#x20-#xD7FF] | [#xE000-#xFFFD] | [#x10000-#x10FFFF]; and no markup. */
static void whatever_goes_in_the_result_is_valid(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 5000; seed++) {
		unsigned char data[48];
		const uint8_t *p;
		size_t left;

		srand(seed);
		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = (unsigned char)(seed % 2 ? rand() : rand() % 64 + (rand() % 2 ? 0 : 160));
		p = (const uint8_t *)text_of(data, sizeof(data));
		for (left = written_len; left;) {
			uint32_t code;
			size_t n = utf8_decode(p, left, &code);

			assert_true(code != UTF8_REPLACEMENT && code != 0xfffe && code != 0xffff);
			assert_true(code >= 0x20 || code == '\t' || code == '\n');
			assert_true(code != '<');
			if (code == '&')
				assert_true(memchr(p, ';', left < 9 ? left : 9) != NULL);
			p += n;
			left -= n;
		}
	}
}

static void nothing_is_left_behind(void **state)
{
	(void)state;
	assert_string_equal(text_of("", 0), "");
	free(written);
	written = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(markup_is_escaped),
		cmocka_unit_test(blanks_survive_a_parser),
		cmocka_unit_test(controls_become_pictures),
		cmocka_unit_test(utf8_stays_and_what_is_none_is_replaced),
		cmocka_unit_test(whatever_goes_in_the_result_is_valid),
		cmocka_unit_test(nothing_is_left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
