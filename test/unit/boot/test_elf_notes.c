/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "boot/elf.h"
#include "boot/elf_notes.h"
#include "support/image_builder.h"

static int scan(const struct built_image *image, uint64_t alignment, struct elf_notes *notes, struct error *err)
{
	struct image_source src = image_source_memory("kernel", "k", image->bytes, image->size);

	*notes = (struct elf_notes){0};
	return elf_notes_scan(&src, 0, image->size, alignment, notes, err);
}

static void pvh_entry_of_four_and_of_eight_bytes_is_found_among_others(void **state)
{
	static const uint8_t entry[8] = {0x78, 0x56, 0x34, 0x12};

	(void)state;
	for (uint32_t size = 4; size <= 8; size += 4) {
		struct built_image image = {.size = 0};
		struct elf_notes notes;
		struct error err;

		built_note(&image, "GNU", NT_GNU_BUILD_ID, "abcdef", 6);
		built_note(&image, "Linux", 0x101, "", 0);
		built_note(&image, "Xen", 18, entry, size);
		built_note(&image, "Xen", 6, "linux", 6);
		assert_int_equal(scan(&image, 4, &notes, &err), 0);
		assert_true(notes.has_pvh_entry);
		assert_int_equal(notes.pvh_entry, 0x12345678);
		assert_false(notes.is_user_program);
	}
}

static void other_notes_are_not_taken_for_the_pvh_entry(void **state)
{
	struct built_image image = {.size = 0};
	struct elf_notes notes;
	struct error err;

	(void)state;
	built_note(&image, "GNU", 18, "1234", 4);
	built_note(&image, "XenX", 18, "1234", 4);
	built_note(&image, "Xen", 1, "1234", 4);
	assert_int_equal(scan(&image, 4, &notes, &err), 0);
	assert_false(notes.has_pvh_entry);
}

static void abi_tag_marks_a_user_program(void **state)
{
	struct built_image image = {.size = 0};
	struct elf_notes notes;
	struct error err;

	(void)state;
	built_note(&image, "GNU", NT_GNU_ABI_TAG, "0123456789abcdef", 16);
	assert_int_equal(scan(&image, 4, &notes, &err), 0);
	assert_true(notes.is_user_program);
}

static void notes_aligned_to_eight_are_followed(void **state)
{
	struct built_image image = {.size = 0};
	struct elf_notes notes;
	struct error err;

	(void)state;
	/* Header 12, name 4, description 4: the next note begins at 24. */
	built_note(&image, "GNU", 5, "1234", 4);
	built_pad(&image, 8);
	built_note(&image, "Xen", 18, "\x01\x00\x00\x00", 4);
	assert_int_equal(scan(&image, 8, &notes, &err), 0);
	assert_int_equal(notes.pvh_entry, 1);
}

static void pvh_note_of_another_size_is_refused(void **state)
{
	struct built_image image = {.size = 0};
	struct elf_notes notes;
	struct error err;

	(void)state;
	built_note(&image, "Xen", 18, "123", 3);
	assert_int_equal(scan(&image, 4, &notes, &err), -EINVAL);
	assert_non_null(strstr(err.text, "has 3 bytes, not 4 or 8"));
}

static void hostile_note_sizes_are_refused(void **state)
{
	static const uint32_t sizes[][2] = {
		{0xffffffff, 0}, {0, 0xffffffff}, {0xffffffff, 0xffffffff}, {0xfffffffd, 4}, {4, 5}, {100, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct built_image image = {.size = 0};
		struct elf_notes notes;
		struct error err;

		built_note(&image, "Xen", 18, "1234", 4);
		store_le32(image.bytes, sizes[i][0]);
		store_le32(image.bytes + 4, sizes[i][1]);
		assert_int_equal(scan(&image, 4, &notes, &err), -EINVAL);
	}
}

static void notes_cut_off_anywhere_are_refused(void **state)
{
	struct built_image image = {.size = 0};
	struct elf_notes notes;
	struct error err;
	size_t full, first;

	(void)state;
	built_note(&image, "GNU", 3, "12345678", 8);
	first = image.size;
	built_note(&image, "Xen", 18, "1234", 4);
	full = image.size;
	for (image.size = 1; image.size < full; image.size++)
		assert_int_equal(scan(&image, 4, &notes, &err), image.size == first ? 0 : -EINVAL);
}

static void total_of_scanned_bytes_is_limited(void **state)
{
	struct elf_notes notes = {0};
	struct built_image image = {.size = 0};
	struct image_source src = image_source_memory("kernel", "k", image.bytes, ELF_MAX_NOTE_BYTES);
	struct error err;

	(void)state;
	assert_int_equal(elf_notes_scan(&src, 0, ELF_MAX_NOTE_BYTES - 4, 4, &notes, &err), 0);
	assert_int_equal(elf_notes_scan(&src, 0, 12, 4, &notes, &err), -EINVAL);
	assert_non_null(strstr(err.text, "more than 65536 bytes"));
	assert_int_equal(elf_notes_scan(&src, 0, UINT64_MAX, 4, &notes, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pvh_entry_of_four_and_of_eight_bytes_is_found_among_others),
		cmocka_unit_test(other_notes_are_not_taken_for_the_pvh_entry),
		cmocka_unit_test(abi_tag_marks_a_user_program),
		cmocka_unit_test(notes_aligned_to_eight_are_followed),
		cmocka_unit_test(pvh_note_of_another_size_is_refused),
		cmocka_unit_test(hostile_note_sizes_are_refused),
		cmocka_unit_test(notes_cut_off_anywhere_are_refused),
		cmocka_unit_test(total_of_scanned_bytes_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
