/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cpio.h"

#define HEADER_SIZE CPIO_HEADER_SIZE
#define NAMESIZE_AT (6 + 11 * 8)
#define FILESIZE_AT (6 + 6 * 8)

struct archive {
	uint8_t bytes[8192];
	size_t len;
};

static void add_bytes(struct archive *a, const void *data, size_t len)
{
	assert_true(len <= sizeof(a->bytes) - a->len);
	memcpy(a->bytes + a->len, data, len);
	a->len += len;
}

static void pad_to_4(struct archive *a)
{
	while (a->len % 4)
		add_bytes(a, "", 1);
}

/* Appends one entry; returns where its header is. */
static size_t add_entry(struct archive *a, const char *magic, const char *name, unsigned mode, const void *data,
			size_t len)
{
	char header[HEADER_SIZE + 1];
	size_t at = a->len;
	int n = snprintf(header, sizeof(header), "%s%08X%08X%08X%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", magic, 0xABu,
			 mode, 1000u, 100u, 2u, 0x5f000000u, (unsigned)len, 0u, 0u, 0u, 0u, (unsigned)strlen(name) + 1,
			 0u);

	assert_int_equal(n, HEADER_SIZE);
	add_bytes(a, header, HEADER_SIZE);
	add_bytes(a, name, strlen(name) + 1);
	pad_to_4(a);
	add_bytes(a, data, len);
	pad_to_4(a);
	return at;
}

static void add_trailer(struct archive *a)
{
	add_entry(a, "070701", "TRAILER!!!", 0, "", 0);
}

/* Walks a heap copy of exact size, so that a sanitizer sees an overrun; returns the last answer. */
static int walk(const struct archive *a, size_t len, unsigned *entries, uint64_t *stop)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct cpio_entry entry;
	struct cpio cpio;
	int answer;

	assert_non_null(copy);
	memcpy(copy, a->bytes, len);
	cpio_init(&cpio, copy, len);
	*entries = 0;
	while ((answer = cpio_next(&cpio, &entry)) == 1) {
		assert_true(entry.data_offset <= len && entry.data_size <= len - entry.data_offset);
		(*entries)++;
	}
	*stop = cpio.offset;
	free(copy);
	return answer;
}

static void entries_are_read_with_their_data(void **state)
{
	static struct archive a;
	struct cpio_entry entry;
	struct cpio cpio;

	(void)state;
	a.len = 0;
	add_entry(&a, "070701", "bin", S_IFDIR | 0755, "", 0);
	add_entry(&a, "070702", "bin/sh", S_IFREG | 0711, "#!x", 3);
	add_entry(&a, "070701", "init", S_IFLNK | 0777, "bin/sh", 6);
	add_trailer(&a);
	cpio_init(&cpio, a.bytes, a.len);

	assert_int_equal(cpio_next(&cpio, &entry), 1);
	assert_string_equal(entry.name, "bin");
	assert_int_equal(entry.mode, S_IFDIR | 0755);
	assert_int_equal(entry.data_size, 0);

	assert_int_equal(cpio_next(&cpio, &entry), 1);
	assert_string_equal(entry.name, "bin/sh");
	assert_int_equal(entry.mode, S_IFREG | 0711);
	assert_int_equal(entry.ino, 0xab);
	assert_int_equal(entry.uid, 1000);
	assert_int_equal(entry.gid, 100);
	assert_int_equal(entry.nlink, 2);
	assert_int_equal(entry.mtime, 0x5f000000);
	assert_int_equal(entry.data_size, 3);
	assert_int_equal(entry.data_offset % 4, 0);
	assert_memory_equal(a.bytes + entry.data_offset, "#!x", 3);

	assert_int_equal(cpio_next(&cpio, &entry), 1);
	assert_string_equal(entry.name, "init");
	assert_true(S_ISLNK(entry.mode));
	assert_memory_equal(a.bytes + entry.data_offset, "bin/sh", 6);

	assert_int_equal(cpio_next(&cpio, &entry), 0);
	assert_int_equal(cpio.offset, a.len);
	assert_int_equal(cpio_next(&cpio, &entry), 0);
}

static void concatenated_archives_are_one(void **state)
{
	static struct archive a;
	static const uint8_t zeros[512];
	unsigned n;
	uint64_t stop;

	(void)state;
	a.len = 0;
	add_entry(&a, "070701", "one", S_IFREG, "1", 1);
	add_trailer(&a);
	add_bytes(&a, zeros, sizeof(zeros));
	add_entry(&a, "070701", "two", S_IFREG, "2", 1);
	add_entry(&a, "070701", "three", S_IFREG, "3", 1);
	add_trailer(&a);
	add_bytes(&a, zeros, 3);
	assert_int_equal(walk(&a, a.len, &n, &stop), 0);
	assert_int_equal(n, 3);
	assert_int_equal(stop, a.len);
}

static void a_compressed_archive_behind_is_where_the_walk_ends(void **state)
{
	static struct archive a;
	size_t end;
	unsigned n;
	uint64_t stop;

	(void)state;
	a.len = 0;
	add_entry(&a, "070701", "kernel/x86/microcode", S_IFREG, "ucode", 5);
	add_trailer(&a);
	end = a.len;
	add_bytes(&a, "\x1f\x8b\x08\x00", 4);
	assert_int_equal(walk(&a, a.len, &n, &stop), 0);
	assert_int_equal(n, 1);
	assert_int_equal(stop, end);
}

static void nothing_and_only_zeros_have_no_entries(void **state)
{
	static struct archive a;
	unsigned n;
	uint64_t stop;

	(void)state;
	memset(a.bytes, 0, sizeof(a.bytes));
	assert_int_equal(walk(&a, 0, &n, &stop), 0);
	assert_int_equal(n, 0);
	assert_int_equal(walk(&a, 4096, &n, &stop), 0);
	assert_int_equal(n, 0);
	assert_int_equal(stop, 4096);
}

static void names_padded_with_nul_bytes_are_accepted(void **state)
{
	static struct archive a;
	struct cpio_entry entry;
	struct cpio cpio;
	size_t at;

	(void)state;
	a.len = 0;
	at = add_entry(&a, "070701", "file-with-padding", S_IFREG, "", 0);
	memset(a.bytes + at + HEADER_SIZE + 4, 0, 13);
	cpio_init(&cpio, a.bytes, a.len);
	assert_int_equal(cpio_next(&cpio, &entry), 1);
	assert_string_equal(entry.name, "file");
}

/* Each case damages one field of the second of two entries. */
static void a_damaged_header_is_rejected_where_it_is(void **state)
{
	static const struct {
		size_t at;
		const char *text;
	} cases[] = {
		{0, "070707"},
		{0, "070703"},
		{0, "0x0701"},
		{6, "0000000g"},
		{6, " 0000001"},
		{6, "+0000001"},
		{6, "0x000001"},
		{6 + 12 * 8, "-0000001"},
		{NAMESIZE_AT, "00000000"},
		{NAMESIZE_AT, "00000004"}, /* cuts the name before its NUL */
		{NAMESIZE_AT, "00001001"},
		{NAMESIZE_AT, "ffffffff"},
		{FILESIZE_AT, "00001000"},
		{FILESIZE_AT, "ffffffff"},
		{FILESIZE_AT, "fffffffc"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static struct archive a;
		uint64_t stop;
		unsigned n;
		size_t at;

		a.len = 0;
		add_entry(&a, "070701", "good", S_IFREG, "g", 1);
		at = add_entry(&a, "070701", "broken", S_IFREG, "b", 1);
		add_trailer(&a);
		memcpy(a.bytes + at + cases[i].at, cases[i].text, strlen(cases[i].text));
		assert_int_equal(walk(&a, a.len, &n, &stop), -EINVAL);
		assert_int_equal(n, 1);
		assert_int_equal(stop, at);
	}
}

static void an_archive_cut_anywhere_is_safe(void **state)
{
	static struct archive a;
	size_t second, trailer;
	uint64_t stop;
	unsigned n;

	(void)state;
	a.len = 0;
	add_entry(&a, "070701", "first", S_IFREG, "12345", 5);
	second = add_entry(&a, "070701", "second", S_IFREG, "67", 2);
	trailer = a.len;
	add_trailer(&a);
	for (size_t len = 0; len <= a.len; len++) {
		int answer = walk(&a, len, &n, &stop);
		/* Cut inside an entry: damaged, unless only padding is missing. */
		bool whole = len == 0 || (len >= second - 3 && len <= second) ||
			     (len >= trailer - 2 && len <= trailer) ||
			     len >= trailer + HEADER_SIZE + sizeof("TRAILER!!!");

		assert_int_equal(answer, whole ? 0 : -EINVAL);
		assert_true(stop <= len);
	}
}

static void a_header_off_its_alignment_is_not_taken_for_one(void **state)
{
	static struct archive a;
	uint64_t stop;
	unsigned n;

	(void)state;
	a.len = 0;
	add_bytes(&a, "\0\0", 2);
	add_entry(&a, "070701", "file", S_IFREG, "", 0);
	assert_int_equal(walk(&a, a.len, &n, &stop), 0);
	assert_int_equal(n, 0);
	assert_int_equal(stop, 2);
}

static void a_header_is_parsed_alone(void **state)
{
	static struct archive a;
	struct cpio_header header;

	(void)state;
	a.len = 0;
	add_entry(&a, "070701", "name", S_IFREG | 04640, "data", 4);
	assert_true(cpio_parse_header(a.bytes, &header));
	assert_int_equal(header.ino, 0xab);
	assert_int_equal(header.mode, S_IFREG | 04640);
	assert_int_equal(header.uid, 1000);
	assert_int_equal(header.gid, 100);
	assert_int_equal(header.nlink, 2);
	assert_int_equal(header.mtime, 0x5f000000);
	assert_int_equal(header.data_size, 4);
	assert_int_equal(header.name_size, 5);
	memcpy(a.bytes + NAMESIZE_AT, "00001000", 8);
	assert_true(cpio_parse_header(a.bytes, &header));
	memcpy(a.bytes + NAMESIZE_AT, "00001001", 8);
	assert_false(cpio_parse_header(a.bytes, &header));
	memcpy(a.bytes + NAMESIZE_AT, "00000000", 8);
	assert_false(cpio_parse_header(a.bytes, &header));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_read_with_their_data),
		cmocka_unit_test(concatenated_archives_are_one),
		cmocka_unit_test(a_compressed_archive_behind_is_where_the_walk_ends),
		cmocka_unit_test(nothing_and_only_zeros_have_no_entries),
		cmocka_unit_test(names_padded_with_nul_bytes_are_accepted),
		cmocka_unit_test(a_damaged_header_is_rejected_where_it_is),
		cmocka_unit_test(an_archive_cut_anywhere_is_safe),
		cmocka_unit_test(a_header_off_its_alignment_is_not_taken_for_one),
		cmocka_unit_test(a_header_is_parsed_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
