/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/utf8.h"

static void expect(const char *bytes, size_t len, size_t n, uint32_t expected)
{
	uint32_t code;

	assert_int_equal(utf8_decode((const uint8_t *)bytes, len, &code), n);
	assert_int_equal(code, expected);
}

static void each_length_is_decoded(void **state)
{
	(void)state;
	expect("\0", 1, 1, 0);
	expect("A", 1, 1, 'A');
	expect("\xc2\x80", 2, 2, 0x80);
	expect("\xdf\xbf", 2, 2, 0x7ff);
	expect("\xe0\xa0\x80", 3, 3, 0x800);
	expect("\xef\xbf\xbf", 3, 3, 0xffff);
	expect("\xf0\x90\x80\x80", 4, 4, 0x10000);
	expect("\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff);
}

static void ill_formed_ones_are_replaced_by_their_maximal_subpart(void **state)
{
	(void)state;
	expect("\x80", 1, 1, UTF8_REPLACEMENT);
	expect("\xc0\x80", 2, 1, UTF8_REPLACEMENT);	    /* overlong */
	expect("\xe0\x9f\xbf", 3, 1, UTF8_REPLACEMENT);	    /* overlong */
	expect("\xed\xa0\x80", 3, 1, UTF8_REPLACEMENT);	    /* a surrogate */
	expect("\xf4\x90\x80\x80", 4, 1, UTF8_REPLACEMENT); /* above U+10FFFF */
	expect("\xf5\x80\x80\x80", 4, 1, UTF8_REPLACEMENT);
	expect("\xf0\x9f\x98!", 4, 3, UTF8_REPLACEMENT);
	expect("\xe2\x82", 2, 2, UTF8_REPLACEMENT); /* it ends too early */
	expect("\xff", 1, 1, UTF8_REPLACEMENT);
}

static void every_code_point_comes_back(void **state)
{
	(void)state;
	for (uint32_t code = 0x80; code <= 0x10ffff; code++) {
		char bytes[4];
		size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

		for (size_t i = n - 1; i; i--)
			bytes[i] = (char)(0x80 | (code >> 6 * (n - 1 - i) & 0x3f));
		bytes[0] = (char)((0xf00u >> n & 0xff) | code >> 6 * (n - 1));
		if (code >= 0xd800 && code < 0xe000)
			expect(bytes, n, 1, UTF8_REPLACEMENT);
		else
			expect(bytes, n, n, code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_length_is_decoded),
		cmocka_unit_test(ill_formed_ones_are_replaced_by_their_maximal_subpart),
		cmocka_unit_test(every_code_point_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
