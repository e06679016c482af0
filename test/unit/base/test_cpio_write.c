/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/compiler.h"
#include "base/cpio.h"
#include "base/cpio_write.h"

static void a_header_has_every_field_at_its_place(void **state)
{
	const struct cpio_member member = {.name = "dev/x",
					   .ino = 0x12345678,
					   .mode = 020644,
					   .uid = 1000,
					   .gid = 0xfffffffe,
					   .nlink = 2,
					   .mtime = 0x6543210f,
					   .size = 0xabcdef,
					   .rdev_major = 7,
					   .rdev_minor = 300};
	static const char expected[] =
		"070701"
		"12345678"
		"000021A4"
		"000003E8"
		"FFFFFFFE"
		"00000002"
		"6543210F"
		"00ABCDEF"
		"00000000"
		"00000000"
		"00000007"
		"0000012C"
		"00000006"
		"00000000"
		"dev/x";
	uint8_t bytes[128];

	(void)state;
	memset(bytes, 0x55, sizeof(bytes));
	cpio_put_header(bytes, &member);
	assert_int_equal(cpio_header_size(5), sizeof(expected));
	assert_memory_equal(bytes, expected, sizeof(expected));
	assert_int_equal(bytes[sizeof(expected)], 0x55);
}

static void header_and_data_are_padded_to_four_bytes(void **state)
{
	static const char *const names[] = {"1", "12", "123", "1234", "12345"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct cpio_member member = {.name = names[i]};
		size_t len = strlen(names[i]), size = cpio_header_size(len);
		uint8_t bytes[128];

		assert_int_equal(size % 4, 0);
		assert_in_range(size, 110 + len + 1, 110 + len + 4);
		memset(bytes, 0x55, sizeof(bytes));
		cpio_put_header(bytes, &member);
		for (size_t at = 110 + len; at < size; at++)
			assert_int_equal(bytes[at], 0);
		assert_int_equal(bytes[size], 0x55);
		assert_int_equal(cpio_member_size(len, 0), size);
		assert_int_equal(cpio_member_size(len, 1), size + 4);
		assert_int_equal(cpio_member_size(len, 4), size + 4);
		assert_int_equal(cpio_member_size(len, UINT32_MAX), size + 0x100000000);
	}
}

static void the_reader_reads_what_is_written(void **state)
{
	const struct cpio_member file = {
		.name = "name\n\xff", .ino = 9, .mode = 0100755, .uid = 1, .gid = 2, .nlink = 1, .mtime = 3, .size = 5};
	const struct cpio_member trailer = {.name = CPIO_TRAILER, .nlink = 1};
	uint8_t bytes[512] = {0};
	struct cpio_entry entry;
	struct cpio cpio;
	uint64_t at = cpio_header_size(6);

	(void)state;
	cpio_put_header(bytes, &file);
	memcpy(bytes + at, "12345", 5);
	at = cpio_member_size(6, 5);
	cpio_put_header(bytes + at, &trailer);
	at += cpio_member_size(strlen(CPIO_TRAILER), 0);
	cpio_init(&cpio, bytes, at);
	assert_int_equal(cpio_next(&cpio, &entry), 1);
	assert_string_equal(entry.name, "name\n\xff");
	assert_int_equal(entry.ino, 9);
	assert_int_equal(entry.mode, 0100755);
	assert_int_equal(entry.uid, 1);
	assert_int_equal(entry.gid, 2);
	assert_int_equal(entry.nlink, 1);
	assert_int_equal(entry.mtime, 3);
	assert_int_equal(entry.data_size, 5);
	assert_memory_equal(bytes + entry.data_offset, "12345", 5);
	assert_int_equal(cpio_next(&cpio, &entry), 0);
	assert_int_equal(cpio.offset, at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_has_every_field_at_its_place),
		cmocka_unit_test(header_and_data_are_padded_to_four_bytes),
		cmocka_unit_test(the_reader_reads_what_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
