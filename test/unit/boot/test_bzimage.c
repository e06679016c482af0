/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot/bzimage.h"
#include "boot/layout.h"
#include "support/image_builder.h"

#define MIB  (1ULL << 20)
#define RAM  (16 * MIB)
#define TEXT (4 * MIB)

#define IN_HEADER(field) (0x1f1 + offsetof(struct setup_header, field))

/* A vmlinux of some kilobytes, and the same in each packing. */
struct fixture {
	struct guest_mem mem;
	uint8_t text[20000];
	struct built_image vmlinux;
	struct built_image image;
	uint8_t payload[40000];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct built_elf elf = {
		.entry = TEXT + 16,
		.segments = {{.paddr = TEXT, .data = f->text, .filesz = sizeof(f->text), .memsz = 65536}},
		.nr_segments = 1};

	built_fill(f->text, sizeof(f->text));
	built_elf(&f->vmlinux, &elf);
	*state = f;
	return guest_mem_init(&f->mem, RAM);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	guest_mem_fini(&f->mem);
	free(f);
	return 0;
}

static void build(struct fixture *f, enum decompress_format format, struct built_bzimage spec)
{
	if (format == DECOMPRESS_NONE) {
		spec.payload = f->vmlinux.bytes;
		spec.payload_size = f->vmlinux.size;
	} else if (format == DECOMPRESS_UNKNOWN) {
		memcpy(f->payload, "BZh91AY&SY", 10);
		spec.payload = f->payload;
		spec.payload_size = 1000;
	} else {
		spec.payload = f->payload;
		spec.payload_size =
			built_pack(format, f->vmlinux.bytes, f->vmlinux.size, f->payload, sizeof(f->payload));
	}
	if (!spec.cmdline_size)
		spec.cmdline_size = 2047;
	built_bzimage(&f->image, &spec);
}

static int load(struct fixture *f, struct image_kernel *kernel, struct image_info *info, struct error *err)
{
	struct image_source src = image_source_memory("kernel", "k", f->image.bytes, f->image.size);

	*kernel = (struct image_kernel){0};
	*info = (struct image_info){0};
	*err = (struct error){.text = ""};
	return bzimage_load(&src, &f->mem, kernel, info, err);
}

static void every_packing_loads_the_same_kernel(void **state)
{
	static const struct {
		enum decompress_format format;
		const char *name;
	} cases[] = {{DECOMPRESS_GZIP, "gzip"},
		     {DECOMPRESS_XZ, "xz"},
		     {DECOMPRESS_ZSTD, "zstd"},
		     {DECOMPRESS_LZ4, "lz4"},
		     {DECOMPRESS_NONE, "none"}};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct image_kernel kernel;
		struct image_info info;
		struct error err;

		memset(f->mem.regions[0].hva + TEXT, 0, sizeof(f->text));
		build(f, cases[i].format,
		      (struct built_bzimage){.init_size = 2 * MIB, .kernel_version = "6.1.0 (a@b) #1"});
		assert_true(bzimage_recognise(f->image.bytes, f->image.size));
		assert_int_equal(load(f, &kernel, &info, &err), 0);
		assert_memory_equal(f->mem.regions[0].hva + TEXT, f->text, sizeof(f->text));
		assert_string_equal(info.payload, cases[i].name);
		assert_string_equal(info.version, "6.1.0 (a@b) #1");
		assert_false(info.entered_in_image);
		assert_int_equal(kernel.entry, TEXT + 16);
		assert_int_equal(kernel.start, TEXT);
		assert_int_equal(kernel.end, TEXT + 65536);
		assert_int_equal(kernel.working_end, TEXT + 2 * MIB);
		assert_int_equal(kernel.initrd_end, 0x80000000);
		assert_int_equal(kernel.cmdline_max, 2047);
		assert_true(kernel.has_setup_header);
		assert_memory_equal(kernel.setup_header, f->image.bytes + 0x1f1, sizeof(struct setup_header));
	}
}

static void unknown_payload_is_entered_in_the_image(void **state)
{
	struct fixture *f = *state;
	struct image_kernel kernel;
	struct image_info info;
	struct error err;

	build(f, DECOMPRESS_UNKNOWN,
	      (struct built_bzimage){.xloadflags = XLF_KERNEL_64, .pref_address = 2 * MIB, .init_size = 3 * MIB});
	assert_int_equal(load(f, &kernel, &info, &err), 0);
	assert_true(info.entered_in_image);
	assert_string_equal(info.payload, "unknown");
	assert_int_equal(kernel.entry, 2 * MIB + 0x200);
	assert_int_equal(kernel.start, 2 * MIB);
	assert_int_equal(kernel.end, 5 * MIB);
	assert_memory_equal(f->mem.regions[0].hva + 2 * MIB, "decompressor", 12);
}

static void unusable_preferred_address_falls_back_to_one_mib(void **state)
{
	static const uint64_t addresses[] = {0, 0x7000, 2 * MIB + 1};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		struct image_kernel kernel;
		struct image_info info;
		struct error err;

		build(f, DECOMPRESS_UNKNOWN,
		      (struct built_bzimage){
			      .xloadflags = XLF_KERNEL_64, .pref_address = addresses[i], .init_size = 3 * MIB});
		assert_int_equal(load(f, &kernel, &info, &err), 0);
		assert_int_equal(kernel.start, LAYOUT_HIGH_MEM);
	}
}

static void unknown_payload_without_room_or_64_bit_entry_is_refused(void **state)
{
	static const struct {
		struct built_bzimage spec;
		const char *expected;
	} cases[] = {
		{{.pref_address = 2 * MIB}, "no 64-bit entry"},
		{{.xloadflags = XLF_KERNEL_64, .version = 0x20b}, "no 64-bit entry"},
		{{.xloadflags = XLF_KERNEL_64, .pref_address = 2 * MIB, .init_size = 15 * MIB}, "use -m 32M"},
		{{.xloadflags = XLF_KERNEL_64, .pref_address = 2 * MIB, .init_size = UINT32_MAX}, "first 3 GiB"},
		{{.xloadflags = XLF_KERNEL_64, .pref_address = UINT64_MAX - 4095, .init_size = 1}, "first 3 GiB"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct image_kernel kernel;
		struct image_info info;
		struct error err;

		build(f, DECOMPRESS_UNKNOWN, cases[i].spec);
		assert_true(load(f, &kernel, &info, &err) < 0);
		assert_non_null(strstr(err.text, cases[i].expected));
	}
}

static void hostile_header_fields_are_refused(void **state)
{
	static const struct {
		size_t offset;
		unsigned size;
		uint32_t value;
		const char *expected;
	} cases[] = {
		{IN_HEADER(version), 2, 0x207, "boot protocol 2.07; 2.08"},
		{IN_HEADER(version), 2, 0, "boot protocol 0.00"},
		{IN_HEADER(setup_sects), 1, 0xff, "is truncated: its header tells of"},
		{IN_HEADER(setup_sects), 1, 0, "is truncated: its header tells of"},
		{IN_HEADER(syssize), 4, 0, "0 bytes of kernel code"},
		{IN_HEADER(syssize), 4, UINT32_MAX, "is truncated: its header tells of"},
		{IN_HEADER(payload_offset), 4, UINT32_MAX, "payload reaches behind its kernel code"},
		{IN_HEADER(payload_length), 4, UINT32_MAX, "payload reaches behind its kernel code"},
		{IN_HEADER(payload_length), 4, 0, "no 64-bit entry"},
		{IN_HEADER(payload_length), 4, 100, "gzip payload is damaged: it ends too early"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct image_kernel kernel;
		struct image_info info;
		struct error err;
		uint8_t value[4];

		build(f, DECOMPRESS_GZIP, (struct built_bzimage){0});
		store_le32(value, cases[i].value);
		memcpy(f->image.bytes + cases[i].offset, value, cases[i].size);
		assert_true(load(f, &kernel, &info, &err) < 0);
		if (!strstr(err.text, cases[i].expected))
			fail_msg("case %zu: \"%s\" lacks \"%s\"", i, err.text, cases[i].expected);
	}
}

static void header_is_copied_up_to_its_own_length_and_no_further(void **state)
{
	struct fixture *f = *state;
	struct image_kernel kernel;
	struct image_info info;
	struct error err;

	build(f, DECOMPRESS_GZIP, (struct built_bzimage){.init_size = MIB});
	memset(f->image.bytes + 0x26c, 0xee, 0x80);
	assert_int_equal(load(f, &kernel, &info, &err), 0);
	assert_int_equal(kernel.setup_header[0x26c - 0x1f1], 0);
	f->image.bytes[0x201] = 0xff;
	assert_int_equal(load(f, &kernel, &info, &err), 0);
	assert_int_equal(kernel.setup_header[IMAGE_SETUP_HEADER_SIZE - 1], 0xee);
	/* Without its end the header has no payload any more. */
	f->image.bytes[0x201] = 0x40;
	assert_int_equal(load(f, &kernel, &info, &err), -ENOEXEC);
}

static void payload_that_is_no_x86_64_vmlinux_is_refused(void **state)
{
	static const struct {
		struct built_elf elf;
		const char *expected;
	} cases[] = {
		{{.is_32 = true, .entry = TEXT}, "payload of kernel k: is a 32-bit Linux"},
		{{.entry = TEXT + 10}, "entry point 0x40000a outside its segments"},
		{{.entry = TEXT, .machine = EM_AARCH64}, "is for aarch64"},
	};
	struct fixture *f = *state;
	struct image_kernel kernel;
	struct image_info info;
	struct error err;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct built_elf elf = cases[i].elf;

		elf.segments[0] = (struct built_segment){.paddr = TEXT, .data = "text bytes", .filesz = 10};
		elf.nr_segments = 1;
		built_elf(&f->vmlinux, &elf);
		build(f, DECOMPRESS_ZSTD, (struct built_bzimage){0});
		assert_true(load(f, &kernel, &info, &err) < 0);
		assert_non_null(strstr(err.text, cases[i].expected));
	}
	f->vmlinux.size = 0;
	built_append(&f->vmlinux, "not an ELF", 10);
	build(f, DECOMPRESS_LZ4, (struct built_bzimage){0});
	assert_int_equal(load(f, &kernel, &info, &err), -EINVAL);
	assert_non_null(strstr(err.text, "is not an ELF vmlinux"));
}

static void payload_larger_than_ram_is_refused(void **state)
{
	static const uint8_t zeros[40000];
	struct fixture *f = *state;
	struct image_kernel kernel;
	struct image_info info;
	struct error err;

	guest_mem_fini(&f->mem);
	assert_int_equal(guest_mem_init(&f->mem, 32768), 0);
	f->vmlinux.size = 0;
	built_append(&f->vmlinux, zeros, sizeof(zeros));
	build(f, DECOMPRESS_XZ, (struct built_bzimage){0});
	assert_int_equal(load(f, &kernel, &info, &err), -EFBIG);
	assert_non_null(strstr(err.text, "decompresses to more than 32K"));
}

static void version_string_is_cut_at_the_first_odd_byte(void **state)
{
	static const struct {
		const char *version;
		const char *expected;
	} cases[] = {
		{"6.1\x1b[2J", "6.1"},
		{"6.1\xff", "6.1"},
		{"", ""},
		{NULL, ""},
		{"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890",
		 "0123456789012345678901234567890123456789012345678901234567890123456789012345678"},
	};
	struct fixture *f = *state;
	struct image_kernel kernel;
	struct image_info info;
	struct error err;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		build(f, DECOMPRESS_GZIP, (struct built_bzimage){.kernel_version = cases[i].version});
		assert_int_equal(load(f, &kernel, &info, &err), 0);
		assert_string_equal(info.version, cases[i].expected);
	}
	/* A string that would begin behind the setup part is none. */
	store_le16(f->image.bytes + IN_HEADER(kernel_version), 0xffff);
	assert_int_equal(load(f, &kernel, &info, &err), 0);
	assert_string_equal(info.version, "");
}

static void every_truncation_is_refused(void **state)
{
	struct fixture *f = *state;
	size_t full;

	build(f, DECOMPRESS_GZIP, (struct built_bzimage){.kernel_version = "6.1"});
	full = f->image.size;
	for (f->image.size = 0; f->image.size < full; f->image.size++) {
		struct image_kernel kernel;
		struct image_info info;
		struct error err;

		assert_true(load(f, &kernel, &info, &err) < 0);
		assert_string_not_equal(err.text, "");
	}
	assert_false(bzimage_recognise(f->image.bytes, 0x205));
}

#define bzimage_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		bzimage_test(every_packing_loads_the_same_kernel),
		bzimage_test(unknown_payload_is_entered_in_the_image),
		bzimage_test(unusable_preferred_address_falls_back_to_one_mib),
		bzimage_test(unknown_payload_without_room_or_64_bit_entry_is_refused),
		bzimage_test(hostile_header_fields_are_refused),
		bzimage_test(header_is_copied_up_to_its_own_length_and_no_further),
		bzimage_test(payload_that_is_no_x86_64_vmlinux_is_refused),
		bzimage_test(payload_larger_than_ram_is_refused),
		bzimage_test(version_string_is_cut_at_the_first_odd_byte),
		bzimage_test(every_truncation_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
