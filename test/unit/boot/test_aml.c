/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot/aml.h"

#define assert_encoding(aml, ...)                                                                                      \
	do {                                                                                                           \
		static const uint8_t want[] = {__VA_ARGS__};                                                           \
		size_t got_len;                                                                                        \
		assert_int_equal(aml_finish(aml, &got_len), 0);                                                        \
		assert_int_equal(got_len, sizeof(want));                                                               \
		assert_memory_equal((aml)->buf, want, sizeof(want));                                                   \
	} while (0)

static uint8_t buf[1 << 20];

static void integers_take_the_shortest_form(void **state)
{
	static const struct {
		uint64_t value;
		size_t len;
		uint8_t bytes[9];
	} cases[] = {
		{0, 1, {0x00}},
		{1, 1, {0x01}},
		{2, 2, {0x0a, 0x02}},
		{0xff, 2, {0x0a, 0xff}},
		{0x100, 3, {0x0b, 0x00, 0x01}},
		{0xffff, 3, {0x0b, 0xff, 0xff}},
		{0x10000, 5, {0x0c, 0x00, 0x00, 0x01, 0x00}},
		{0xffffffff, 5, {0x0c, 0xff, 0xff, 0xff, 0xff}},
		{0x100000000, 9, {0x0e, 0, 0, 0, 0, 1, 0, 0, 0}},
		{UINT64_MAX - 1, 9, {0x0e, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		{UINT64_MAX, 1, {0xff}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct aml aml;
		size_t len;

		aml_init(&aml, buf, sizeof(buf));
		aml_put_integer(&aml, cases[i].value);
		assert_int_equal(aml_finish(&aml, &len), 0);
		assert_int_equal(len, cases[i].len);
		assert_memory_equal(buf, cases[i].bytes, len);
	}
}

static void names_are_filled_up_with_underscores(void **state)
{
	struct aml aml;

	(void)state;
	aml_init(&aml, buf, sizeof(buf));
	aml_put_name(&aml, "_S5");
	aml_put_integer(&aml, 1);
	aml_put_name(&aml, "VR0F");
	aml_put_string(&aml, "ok");
	assert_encoding(&aml, 0x08, '_', 'S', '5', '_', 0x01, 0x08, 'V', 'R', '0', 'F', 0x0d, 'o', 'k', 0);
}

/* ACPI 6.3, 19.3.4 gives PNP0C0A as an example of the compression; PNP0501 is what every firmware has. */
static void eisa_ids_are_compressed(void **state)
{
	struct aml aml;

	(void)state;
	aml_init(&aml, buf, sizeof(buf));
	aml_put_eisa_id(&aml, "PNP0501");
	aml_put_eisa_id(&aml, "PNP0C0A");
	assert_encoding(&aml, 0x0c, 0x41, 0xd0, 0x05, 0x01, 0x0c, 0x41, 0xd0, 0x0c, 0x0a);
}

static void scopes_and_devices_nest(void **state)
{
	struct aml aml;

	(void)state;
	aml_init(&aml, buf, sizeof(buf));
	aml_open_scope(&aml, "_SB");
	aml_open_device(&aml, "A");
	aml_put_name(&aml, "B");
	aml_put_integer(&aml, 0);
	aml_close(&aml);
	aml_close(&aml);
	assert_encoding(&aml, 0x10, 18, '_', 'S', 'B', '_', 0x5b, 0x82, 11, 'A', '_', '_', '_', 0x08, 'B', '_', '_',
			'_', 0x00);
}

static void packages_count_their_elements(void **state)
{
	struct aml aml;

	(void)state;
	aml_init(&aml, buf, sizeof(buf));
	aml_open_package(&aml, 2);
	aml_put_integer(&aml, 5);
	aml_put_integer(&aml, 0);
	aml_close(&aml);
	assert_encoding(&aml, 0x12, 5, 2, 0x0a, 5, 0);
}

/* Content of n bytes in a package; the length counts its own bytes (ACPI 6.3, 20.2.4). */
static void package_lengths_grow_with_the_content(void **state)
{
	static const struct {
		size_t content;
		size_t len;
		uint8_t bytes[4];
	} cases[] = {
		{62, 1, {0x3f}},
		{63, 2, {0x41, 0x04}},		       /* 65 */
		{4093, 2, {0x4f, 0xff}},	       /* 4095 */
		{4094, 3, {0x81, 0x00, 0x01}},	       /* 4097 */
		{1048572 - 64, 3, {0x8f, 0xfb, 0xff}}, /* 0xfffbf */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct aml aml;
		size_t len;

		aml_init(&aml, buf, sizeof(buf));
		aml_open_package(&aml, 0xcc);
		for (size_t n = 1; n < cases[i].content; n++)
			aml_put_integer(&aml, 1);
		aml_close(&aml);
		assert_int_equal(aml_finish(&aml, &len), 0);
		assert_int_equal(len, 1 + cases[i].len + cases[i].content);
		assert_int_equal(buf[0], 0x12);
		assert_memory_equal(buf + 1, cases[i].bytes, cases[i].len);
		assert_int_equal(buf[1 + cases[i].len], 0xcc);
		assert_int_equal(buf[len - 1], 0x01);
	}
}

static void templates_hold_descriptors_and_an_end_tag(void **state)
{
	struct aml aml;

	(void)state;
	aml_init(&aml, buf, sizeof(buf));
	aml_open_template(&aml);
	aml_add_memory32(&aml, 0xd0001000, 0x1000);
	aml_add_interrupt(&aml, 9, false);
	aml_close(&aml);
	assert_encoding(&aml, 0x11, 26, 0x0a, 23,			      /* Buffer (23) */
			0x86, 9, 0, 1, 0x00, 0x10, 0x00, 0xd0, 0, 0x10, 0, 0, /* Memory32Fixed (ReadWrite) */
			0x89, 6, 0, 0x03, 1, 9, 0, 0, 0,		      /* Interrupt (Consumer, Edge, High) */
			0x79, 0);
}

static void ports_and_isa_interrupts_are_small_descriptors(void **state)
{
	struct aml aml;

	(void)state;
	aml_init(&aml, buf, sizeof(buf));
	aml_open_template(&aml);
	aml_add_io(&aml, 0x3f8, 8);
	aml_add_isa_irq(&aml, 4);
	aml_add_isa_irq(&aml, 12);
	aml_close(&aml);
	assert_encoding(&aml, 0x11, 19, 0x0a, 16, 0x47, 1, 0xf8, 3, 0xf8, 3, 1, 8, 0x22, 0x10, 0, 0x22, 0, 0x10, 0x79,
			0);
}

static void a_shared_interrupt_says_so(void **state)
{
	struct aml aml;

	(void)state;
	aml_init(&aml, buf, sizeof(buf));
	aml_add_interrupt(&aml, 0x12345678, true);
	assert_encoding(&aml, 0x89, 6, 0, 0x0b, 1, 0x78, 0x56, 0x34, 0x12);
}

static void encode_sample(struct aml *aml)
{
	aml_open_scope(aml, "_SB");
	aml_open_device(aml, "DEV");
	aml_put_name(aml, "_HID");
	aml_put_eisa_id(aml, "PNP0501");
	aml_put_name(aml, "_CRS");
	aml_open_template(aml);
	aml_add_io(aml, 0x3f8, 8);
	aml_add_memory32(aml, 0, 1);
	aml_close(aml);
	aml_put_name(aml, "S");
	aml_put_string(aml, "a string that makes the package long");
	aml_close(aml);
	aml_close(aml);
}

static void what_does_not_fit_is_refused(void **state)
{
	struct aml aml;
	size_t need, len;

	(void)state;
	aml_init(&aml, buf, sizeof(buf));
	encode_sample(&aml);
	assert_int_equal(aml_finish(&aml, &need), 0);
	for (size_t size = 0; size <= need; size++) {
		/* A heap buffer of exact size, so that a sanitizer sees an overrun. */
		uint8_t *small = malloc(size ? size : 1);

		assert_non_null(small);
		aml_init(&aml, small, size);
		encode_sample(&aml);
		int err = aml_finish(&aml, &len);

		assert_int_equal(err, size < need ? -ENOSPC : 0);
		assert_int_equal(len, size < need ? 0 : need);
		assert_true(err || !memcmp(small, buf, need));
		free(small);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_take_the_shortest_form),
		cmocka_unit_test(names_are_filled_up_with_underscores),
		cmocka_unit_test(eisa_ids_are_compressed),
		cmocka_unit_test(scopes_and_devices_nest),
		cmocka_unit_test(packages_count_their_elements),
		cmocka_unit_test(package_lengths_grow_with_the_content),
		cmocka_unit_test(templates_hold_descriptors_and_an_end_tag),
		cmocka_unit_test(ports_and_isa_interrupts_are_small_descriptors),
		cmocka_unit_test(a_shared_interrupt_says_so),
		cmocka_unit_test(what_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
