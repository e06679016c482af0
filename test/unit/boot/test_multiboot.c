/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "boot/layout.h"
#include "boot/multiboot.h"
#include "support/image_builder.h"

#define MIB	      (1ULL << 20)
#define HAS_ADDRESSES (1U << 16)

static int find(const struct built_image *image, struct multiboot_header *header, struct error *err)
{
	struct image_source src = image_source_memory("kernel", "k", image->bytes, image->size);

	return multiboot_find(&src, header, err);
}

static int plan(const struct built_image *image, struct elf_image *elf, struct error *err)
{
	struct image_source src = image_source_memory("kernel", "k", image->bytes, image->size);
	struct multiboot_header header;
	int code = multiboot_find(&src, &header, err);

	assert_int_equal(code, 0);
	assert_true(header.found);
	return multiboot_plan(&src, &header, elf, err);
}

static void header_is_found_at_any_aligned_place_of_the_first_8_kib(void **state)
{
	static const struct {
		size_t offset;
		bool found;
	} places[] = {{0, true}, {4, true}, {4096, true}, {8180, true}, {8184, false}, {6, false}, {9000, false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct built_image image = {.size = 16384};
		struct multiboot_header header;
		struct error err;

		built_multiboot_header(image.bytes + places[i].offset, 3, NULL);
		assert_int_equal(find(&image, &header, &err), 0);
		assert_int_equal(header.found, places[i].found);
		if (header.found)
			assert_int_equal(header.offset, places[i].offset);
	}
}

static void magic_with_a_wrong_checksum_is_passed_over(void **state)
{
	struct built_image image = {.size = 4096};
	struct multiboot_header header;
	struct error err;

	(void)state;
	built_multiboot_header(image.bytes, 0, NULL);
	image.bytes[8]++;
	assert_int_equal(find(&image, &header, &err), 0);
	assert_false(header.found);
	built_multiboot_header(image.bytes + 64, 2, NULL);
	assert_int_equal(find(&image, &header, &err), 0);
	assert_int_equal(header.offset, 64);
}

static void every_truncation_of_a_header_is_clean(void **state)
{
	static const uint32_t addresses[5] = {0x100000, 0x100000, 0, 0, 0x100020};
	struct built_image image = {.size = 0};
	struct error err;

	(void)state;
	built_multiboot_header(image.bytes, HAS_ADDRESSES, addresses);
	for (image.size = 0; image.size <= 32; image.size++) {
		struct multiboot_header header;
		int code = find(&image, &header, &err);

		assert_int_equal(code, image.size >= 12 && image.size < 32 ? -EINVAL : 0);
		assert_int_equal(header.found, image.size >= 12);
	}
}

static void elf32_is_loaded_by_its_program_headers(void **state)
{
	uint8_t text[64] = {0};
	struct built_elf spec = {.is_32 = true,
				 .entry = 0xc0400010,
				 .segments = {{.paddr = 4 * MIB, .vaddr = 0xc0400000, .data = text, .filesz = 64}},
				 .nr_segments = 1};
	struct built_image image;
	struct elf_image elf;
	struct error err;

	(void)state;
	built_multiboot_header(text, 7, NULL);
	built_elf(&image, &spec);
	assert_int_equal(plan(&image, &elf, &err), 0);
	assert_int_equal(elf.segments[0].paddr, 4 * MIB);
	assert_int_equal(elf.entry, 4 * MIB + 0x10);
	spec.is_32 = false;
	built_elf(&image, &spec);
	assert_int_equal(plan(&image, &elf, &err), -ENOEXEC);
	assert_non_null(strstr(err.text, "objcopy -O elf32-i386"));
}

static void address_fields_describe_one_segment(void **state)
{
	/* The header lies at file offset 16 and at 1 MiB + 8, so that loading starts at file offset 8. */
	static const uint32_t addresses[5] = {0x100008, 0x100000, 0x100100, 0x102000, 0x100040};
	struct built_image image = {.size = 4096};
	struct elf_image elf;
	struct error err;

	(void)state;
	built_multiboot_header(image.bytes + 16, HAS_ADDRESSES, addresses);
	assert_int_equal(plan(&image, &elf, &err), 0);
	assert_int_equal(elf.nr_segments, 1);
	assert_int_equal(elf.segments[0].offset, 8);
	assert_int_equal(elf.segments[0].paddr, 0x100000);
	assert_int_equal(elf.segments[0].filesz, 0x100);
	assert_int_equal(elf.segments[0].memsz, 0x2000);
	assert_int_equal(elf.entry, 0x100040);
}

static void load_end_of_zero_means_the_whole_file(void **state)
{
	static const uint32_t addresses[5] = {0x100000, 0x100000, 0, 0, 0x100040};
	struct built_image image = {.size = 4096};
	struct elf_image elf;
	struct error err;

	(void)state;
	built_multiboot_header(image.bytes + 64, HAS_ADDRESSES, addresses);
	assert_int_equal(plan(&image, &elf, &err), 0);
	assert_int_equal(elf.segments[0].offset, 64);
	assert_int_equal(elf.segments[0].filesz, 4096 - 64);
	assert_int_equal(elf.segments[0].memsz, 4096 - 64);
}

/* The addresses with which other loaders were made to read and write out of bounds. */
static void hostile_addresses_are_refused(void **state)
{
	static const uint32_t cases[][5] = {
		{0x100000, 0x100001, 0, 0, 0x100000},		    /* header below the load address */
		{0x100011, 0x100000, 0, 0, 0x100000},		    /* offset before the file */
		{0xffffffff, 0, 0, 0, 0},			    /* so too */
		{0x100000, 0x100000, 0xffffffff, 0, 0x100000},	    /* end behind the file */
		{0x100000, 0x100000, 0x100100, 0x1000ff, 0x100000}, /* bss ends before the data */
		{0x100000, 0x100000, 0x100000, 0, 0x100000},	    /* nothing to load */
		{0x100000, 0x100000, 0xfff, 0, 0x100000},	    /* end before the beginning */
		{0x100000, 0x100000, 0x100100, 0x1, 0x100000},	    /* bss end before the beginning */
		{0x100000, 0x100000, 0x100ff1, 0x200000, 0x100000}, /* one byte behind the file */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct built_image image = {.size = 4096};
		struct elf_image elf;
		struct error err;

		built_multiboot_header(image.bytes + 16, HAS_ADDRESSES, cases[i]);
		assert_int_equal(plan(&image, &elf, &err), -EINVAL);
	}
}

static void unknown_requirements_are_refused(void **state)
{
	struct built_image image = {.size = 4096};
	struct elf_image elf;
	struct error err;

	(void)state;
	built_multiboot_header(image.bytes, 1U << 15, NULL);
	assert_int_equal(plan(&image, &elf, &err), -ENOEXEC);
	assert_non_null(strstr(err.text, "unknown features (flags 0x8000)"));
}

static void information_tells_memory_command_line_and_modules(void **state)
{
	struct initrd_set initrds = {
		.count = 2,
		.parts = {{.name = "/a/first", .size = 10}, {.name = "second", .offset = 4096, .size = 20}},
		.start = 8 * MIB,
		.size = 4116};
	struct image_handover handover = {0};
	const uint8_t *info, *module, *entry;
	struct guest_mem mem;
	struct error err;

	(void)state;
	assert_int_equal(guest_mem_init(&mem, 16 * MIB), 0);
	e820_build(&handover.map, &mem);
	assert_int_equal(multiboot_write(&handover, &initrds, &mem, &err), 0);
	info = mem.regions[0].hva + LAYOUT_START_INFO;
	assert_int_equal(load_le32(info) & 0x4d, 0x4d);
	assert_int_equal(load_le32(info + 4), LAYOUT_LOW_RESERVED / 1024);
	assert_int_equal(load_le32(info + 8), 15 * 1024);
	assert_int_equal(load_le32(info + 16), LAYOUT_CMDLINE);
	assert_int_equal(load_le32(info + 20), 2);
	module = mem.regions[0].hva + load_le32(info + 24);
	assert_int_equal(load_le32(module), 8 * MIB);
	assert_int_equal(load_le32(module + 4), 8 * MIB + 10);
	assert_string_equal((const char *)mem.regions[0].hva + load_le32(module + 8), "first");
	assert_int_equal(load_le32(module + 16), 8 * MIB + 4096);
	assert_int_equal(load_le32(module + 20), 8 * MIB + 4096 + 20);
	assert_string_equal((const char *)mem.regions[0].hva + load_le32(module + 24), "second");
	assert_int_equal(load_le32(info + 44), handover.map.count * 24);
	entry = mem.regions[0].hva + load_le32(info + 48);
	for (unsigned i = 0; i < handover.map.count; i++, entry += 24) {
		assert_int_equal(load_le32(entry), 20);
		assert_int_equal(load_le64(entry + 4), handover.map.entries[i].base);
		assert_int_equal(load_le64(entry + 12), handover.map.entries[i].size);
		assert_int_equal(load_le32(entry + 20), handover.map.entries[i].type);
	}
	guest_mem_fini(&mem);
}

static void modules_are_named_by_the_end_of_their_paths(void **state)
{
	static const char long_name[] = "/x/0123456789012345678901234567890123456789012345678901234567890123456789";
	static const struct {
		const char *path, *name;
	} cases[] = {{"rootfs/", "rootfs"}, {"/a/b//", "b"}, {"/", ""}, {"", ""}, {"./x", "x"}};
	struct initrd_set initrds = {.count = INITRD_MAX_ITEMS, .start = 8 * MIB};
	struct image_handover handover = {0};
	const uint8_t *ram, *modules;
	struct guest_mem mem;
	struct error err;

	(void)state;
	for (size_t i = 0; i < INITRD_MAX_ITEMS; i++)
		initrds.parts[i].name = i < ARRAY_SIZE(cases) ? cases[i].path : long_name;
	assert_int_equal(guest_mem_init(&mem, 16 * MIB), 0);
	assert_int_equal(multiboot_write(&handover, &initrds, &mem, &err), 0);
	ram = mem.regions[0].hva;
	assert_int_equal(load_le32(ram + LAYOUT_START_INFO + 20), INITRD_MAX_ITEMS);
	modules = ram + load_le32(ram + LAYOUT_START_INFO + 24);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal((const char *)ram + load_le32(modules + 16 * i + 8), cases[i].name);
	assert_int_equal(strlen((const char *)ram + load_le32(modules + 16 * (INITRD_MAX_ITEMS - 1) + 8)), 63);
	guest_mem_fini(&mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_is_found_at_any_aligned_place_of_the_first_8_kib),
		cmocka_unit_test(magic_with_a_wrong_checksum_is_passed_over),
		cmocka_unit_test(every_truncation_of_a_header_is_clean),
		cmocka_unit_test(elf32_is_loaded_by_its_program_headers),
		cmocka_unit_test(address_fields_describe_one_segment),
		cmocka_unit_test(load_end_of_zero_means_the_whole_file),
		cmocka_unit_test(hostile_addresses_are_refused),
		cmocka_unit_test(unknown_requirements_are_refused),
		cmocka_unit_test(information_tells_memory_command_line_and_modules),
		cmocka_unit_test(modules_are_named_by_the_end_of_their_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
