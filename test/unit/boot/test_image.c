/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <libfdt.h>

#include <asm/bootparam.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot/image.h"
#include "boot/initrd.h"
#include "boot/image_kernel.h"
#include "boot/layout.h"
#include "support/image_builder.h"
#include "support/image_files.h"

#define MIB  (1ULL << 20)
#define RAM  (16 * MIB)
#define TEXT (4 * MIB)

struct loaded {
	struct guest_mem mem;
	struct image_entry entry;
	struct image_info info;
	struct error err;
	int code;
};

static void load(struct loaded *l, const struct built_image *image, struct image_request req)
{
	struct image_source src = image_source_memory("kernel", "k", image->bytes, image->size);

	*l = (struct loaded){0};
	assert_int_equal(guest_mem_init(&l->mem, RAM), 0);
	l->code = image_load_source(&src, &req, &l->mem, &l->entry, &l->info, &l->err);
}

static void unload(struct loaded *l)
{
	guest_mem_fini(&l->mem);
}

/* What distinguishes the kernels that a user may give. */
enum kind { ELF64, ELF64_PVH, ELF32, ELF32_PVH, ELF32_MULTIBOOT, FLAT_MULTIBOOT, BZIMAGE, TEXT_FILE };

static void build_elf(struct built_image *image, enum kind kind)
{
	uint8_t text[256] = {0};
	struct built_elf spec = {.is_32 = kind != ELF64 && kind != ELF64_PVH,
				 .entry = TEXT + 128,
				 .segments = {{.paddr = TEXT, .data = text, .filesz = sizeof(text), .memsz = 8192}},
				 .nr_segments = 1,
				 .pvh_note_size = kind == ELF64_PVH   ? 8
						  : kind == ELF32_PVH ? 4
								      : 0,
				 .pvh_entry = TEXT + 64};

	if (kind == ELF32_MULTIBOOT)
		built_multiboot_header(text, 3, NULL);
	built_elf(image, &spec);
}

static void build(struct built_image *image, enum kind kind)
{
	static const uint32_t addresses[5] = {TEXT, TEXT, 0, TEXT + 8192, TEXT + 128};
	struct built_image vmlinux;
	uint8_t payload[4096];
	struct built_bzimage bz = {.payload = payload, .cmdline_size = 2047, .initrd_addr_max = 12 * MIB - 1};

	*image = (struct built_image){0};
	switch (kind) {
	case BZIMAGE:
		build_elf(&vmlinux, ELF64);
		bz.payload_size = built_pack(DECOMPRESS_GZIP, vmlinux.bytes, vmlinux.size, payload, sizeof(payload));
		built_bzimage(image, &bz);
		break;
	case FLAT_MULTIBOOT:
		image->size = 512;
		built_multiboot_header(image->bytes, 1U << 16, addresses);
		break;
	case TEXT_FILE:
		built_append(image, "hello, world", 12);
		break;
	default:
		build_elf(image, kind);
	}
}

static void each_kernel_is_entered_by_the_protocol_asked_for_or_its_best(void **state)
{
	static const struct {
		enum kind kind;
		enum image_protocol protocol;
		const char *refusal; /* NULL: it loads */
		enum image_format format;
		uint64_t rip;
	} cases[] = {
		{ELF64, IMAGE_PROTOCOL_AUTO, NULL, IMAGE_ELF_LINUX, TEXT + 128},
		{ELF64_PVH, IMAGE_PROTOCOL_AUTO, NULL, IMAGE_ELF_PVH, TEXT + 64},
		{ELF32_PVH, IMAGE_PROTOCOL_AUTO, NULL, IMAGE_ELF_PVH, TEXT + 64},
		{ELF32_MULTIBOOT, IMAGE_PROTOCOL_AUTO, NULL, IMAGE_MULTIBOOT, TEXT + 128},
		{BZIMAGE, IMAGE_PROTOCOL_AUTO, NULL, IMAGE_BZIMAGE, TEXT + 128},
		{ELF32, IMAGE_PROTOCOL_AUTO, "neither a PVH note nor a Multiboot header", 0, 0},
		{FLAT_MULTIBOOT, IMAGE_PROTOCOL_AUTO, "neither bzImage nor ELF", 0, 0},
		{TEXT_FILE, IMAGE_PROTOCOL_AUTO, "is not a kernel image: neither bzImage nor ELF", 0, 0},
		{ELF64, IMAGE_PROTOCOL_LINUX, NULL, IMAGE_ELF_LINUX, TEXT + 128},
		{ELF64_PVH, IMAGE_PROTOCOL_LINUX, NULL, IMAGE_ELF_LINUX, TEXT + 128},
		{BZIMAGE, IMAGE_PROTOCOL_LINUX, NULL, IMAGE_BZIMAGE, TEXT + 128},
		{ELF32_PVH, IMAGE_PROTOCOL_LINUX, "--boot linux takes a 64-bit vmlinux or a bzImage", 0, 0},
		{ELF64_PVH, IMAGE_PROTOCOL_PVH, NULL, IMAGE_ELF_PVH, TEXT + 64},
		{ELF64, IMAGE_PROTOCOL_PVH, "ELF without a PVH note (kernel built without CONFIG_PVH)", 0, 0},
		{ELF32_MULTIBOOT, IMAGE_PROTOCOL_PVH, "ELF without a PVH note", 0, 0},
		{BZIMAGE, IMAGE_PROTOCOL_PVH, "is a bzImage, which has no PVH entry", 0, 0},
		{ELF32_MULTIBOOT, IMAGE_PROTOCOL_MULTIBOOT, NULL, IMAGE_MULTIBOOT, TEXT + 128},
		{FLAT_MULTIBOOT, IMAGE_PROTOCOL_MULTIBOOT, NULL, IMAGE_MULTIBOOT, TEXT + 128},
		{ELF64, IMAGE_PROTOCOL_MULTIBOOT, "has no Multiboot header", 0, 0},
		{BZIMAGE, IMAGE_PROTOCOL_MULTIBOOT, "has no Multiboot header", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct built_image image;
		struct loaded l;

		build(&image, cases[i].kind);
		load(&l, &image, (struct image_request){.protocol = cases[i].protocol});
		if (cases[i].refusal) {
			assert_int_equal(l.code, -ENOEXEC);
			assert_non_null(strstr(l.err.text, cases[i].refusal));
		} else {
			assert_int_equal(l.code, 0);
			assert_int_equal(l.info.format, cases[i].format);
			assert_int_equal(l.entry.rip, cases[i].rip);
			assert_int_equal(l.entry.rsp, LAYOUT_BOOT_STACK);
			assert_int_equal(l.info.kernel_start, TEXT);
			assert_int_equal(l.info.kernel_end, TEXT + 8192);
		}
		unload(&l);
	}
}

static void registers_at_entry_are_those_of_the_protocol(void **state)
{
	static const struct {
		enum kind kind;
		struct image_entry entry;
	} cases[] = {
		{BZIMAGE, {.mode = IMAGE_CPU_LONG64, .rsi = LAYOUT_BOOT_PARAMS}},
		{ELF64, {.mode = IMAGE_CPU_LONG64, .rsi = LAYOUT_BOOT_PARAMS}},
		{ELF64_PVH, {.mode = IMAGE_CPU_PROT32, .rbx = LAYOUT_START_INFO}},
		{ELF32_MULTIBOOT, {.mode = IMAGE_CPU_PROT32, .rax = 0x2badb002, .rbx = LAYOUT_START_INFO}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct built_image image;
		struct loaded l;

		build(&image, cases[i].kind);
		load(&l, &image, (struct image_request){0});
		assert_int_equal(l.code, 0);
		assert_int_equal(l.entry.mode, cases[i].entry.mode);
		assert_int_equal(l.entry.rax, cases[i].entry.rax);
		assert_int_equal(l.entry.rbx, cases[i].entry.rbx);
		assert_int_equal(l.entry.rsi, cases[i].entry.rsi);
		unload(&l);
	}
}

static void command_line_up_to_the_kernels_limit_is_handed_over(void **state)
{
	static const struct {
		enum kind kind;
		size_t limit;
	} cases[] = {{BZIMAGE, 2047}, {ELF64, 4095}, {ELF64_PVH, 4095}, {ELF32_MULTIBOOT, 4095}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct built_image image;
		struct loaded l;
		char cmdline[4097], limit[32];

		memset(cmdline, 'x', sizeof(cmdline));
		cmdline[cases[i].limit] = '\0';
		build(&image, cases[i].kind);
		load(&l, &image, (struct image_request){.cmdline = cmdline});
		assert_int_equal(l.code, 0);
		assert_string_equal((char *)l.mem.regions[0].hva + LAYOUT_CMDLINE, cmdline);
		unload(&l);
		cmdline[cases[i].limit] = 'x';
		cmdline[cases[i].limit + 1] = '\0';
		load(&l, &image, (struct image_request){.cmdline = cmdline});
		assert_int_equal(l.code, -E2BIG);
		snprintf(limit, sizeof(limit), "takes at most %zu", cases[i].limit);
		assert_non_null(strstr(l.err.text, limit));
		unload(&l);
	}
}

static void device_tree_is_built_only_for_a_described_machine(void **state)
{
	const struct machine machine = {.nr_cpus = 1};
	struct built_image image;
	struct loaded l;

	(void)state;
	build(&image, ELF64_PVH);
	load(&l, &image, (struct image_request){.machine = &machine});
	assert_int_equal(l.code, 0);
	assert_int_equal(l.info.fdt_start, IMAGE_FDT_ADDRESS);
	assert_int_equal(fdt_check_full(l.mem.regions[0].hva + IMAGE_FDT_ADDRESS, l.info.fdt_size), 0);
	unload(&l);
	load(&l, &image, (struct image_request){0});
	assert_int_equal(l.code, 0);
	assert_int_equal(l.info.fdt_start, 0);
	assert_int_equal(l.info.fdt_size, 0);
	unload(&l);
}

/* The address cells of a property of /chosen that this machine's tree gives in two cells. */
static uint64_t chosen_address(const void *fdt, const char *name)
{
	int len = 0;
	const void *value = fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), name, &len);

	assert_non_null(value);
	return len == 8 ? fdt64_ld(value) : fdt32_ld(value);
}

static void files_are_loaded_by_their_paths(void **state)
{
	struct image_files *files = *state;
	const struct initrd_item initrds[] = {
		{.kind = INITRD_FILE, .path = image_files_create(files, "a", "first", 5, 0)},
		{.kind = INITRD_BYTES, .path = "b", .bytes = "second", .size = 6}};
	const struct machine machine = {.nr_cpus = 1};
	struct image_request req = {.initrds = initrds, .nr_initrds = 2, .cmdline = "quiet", .machine = &machine};
	struct loaded l = {.code = 0};
	const uint8_t *fdt;
	struct boot_params params;
	struct built_image image;

	build(&image, BZIMAGE);
	req.kernel_path = image_files_create(files, "bzImage", image.bytes, image.size, 0);
	assert_int_equal(guest_mem_init(&l.mem, RAM), 0);
	assert_int_equal(image_load(&req, &l.mem, &l.entry, &l.info, &l.err), 0);
	assert_int_equal(l.info.file_size, image.size);
	assert_string_equal(l.info.payload, "gzip");
	/* Below the kernel's initrd_addr_max. */
	assert_int_equal(l.info.initrd_start, 12 * MIB - 4096);
	assert_int_equal(l.info.initrd_size, 14);
	assert_memory_equal(l.mem.regions[0].hva + l.info.initrd_start, "first\0\0\0second", 14);
	assert_int_equal(guest_mem_read(&l.mem, gpa(LAYOUT_BOOT_PARAMS), &params, sizeof(params)), 0);
	assert_int_equal(params.hdr.ramdisk_image, l.info.initrd_start);
	assert_int_equal(params.hdr.ramdisk_size, 14);
	fdt = l.mem.regions[0].hva + l.info.fdt_start;
	assert_int_equal(chosen_address(fdt, "linux,initrd-start"), l.info.initrd_start);
	assert_int_equal(chosen_address(fdt, "linux,initrd-end"), l.info.initrd_start + 14);
	unload(&l);
}

static void multiboot_initrds_are_page_aligned_modules(void **state)
{
	struct image_files *files = *state;
	const struct initrd_item initrds[] = {
		{.kind = INITRD_FILE, .path = image_files_create(files, "a", "first", 5, 0)},
		{.kind = INITRD_BYTES, .path = "b", .bytes = "second", .size = 6}};
	struct built_image image;
	struct loaded l;
	const uint8_t *ram;

	build(&image, ELF32_MULTIBOOT);
	load(&l, &image, (struct image_request){.initrds = initrds, .nr_initrds = 2});
	assert_int_equal(l.code, 0);
	ram = l.mem.regions[0].hva;
	assert_int_equal(load_le32(ram + LAYOUT_START_INFO + 20), 2);
	assert_memory_equal(ram + l.info.initrd_start + 4096, "second", 6);
	unload(&l);
}

static void missing_empty_and_misplaced_files_are_refused(void **state)
{
	struct image_files *files = *state;
	const struct initrd_item missing = {.kind = INITRD_FILE, .path = "/nonexistent/initrd"};
	struct image_request req = {.kernel_path = "/nonexistent/bzImage"};
	struct loaded l = {.code = 0};
	struct built_image image;

	assert_int_equal(guest_mem_init(&l.mem, RAM), 0);
	assert_int_equal(image_load(&req, &l.mem, &l.entry, &l.info, &l.err), -ENOENT);
	assert_non_null(strstr(l.err.text, "kernel /nonexistent/bzImage"));
	req.kernel_path = image_files_create(files, "empty", "", 0, 0);
	assert_int_equal(image_load(&req, &l.mem, &l.entry, &l.info, &l.err), -EINVAL);
	assert_non_null(strstr(l.err.text, "is an empty file"));
	req.kernel_path = files->folder;
	assert_int_equal(image_load(&req, &l.mem, &l.entry, &l.info, &l.err), -EISDIR);
	build(&image, ELF64);
	req.kernel_path = image_files_create(files, "vmlinux", image.bytes, image.size, 0);
	req.initrds = &missing;
	req.nr_initrds = 1;
	assert_int_equal(image_load(&req, &l.mem, &l.entry, &l.info, &l.err), -ENOENT);
	assert_non_null(strstr(l.err.text, "initrd /nonexistent/initrd"));
	unload(&l);
}

static void guest_without_two_mib_is_refused(void **state)
{
	struct built_image image;
	struct image_source src;
	struct loaded l = {.code = 0};

	(void)state;
	build(&image, ELF64);
	src = image_source_memory("kernel", "k", image.bytes, image.size);
	assert_int_equal(guest_mem_init(&l.mem, MIB), 0);
	assert_int_equal(image_load_source(&src, &(struct image_request){0}, &l.mem, &l.entry, &l.info, &l.err),
			 -ENOMEM);
	assert_non_null(strstr(l.err.text, "use -m 2M or more"));
	unload(&l);
}

static void entry_outside_the_segments_is_refused(void **state)
{
	struct built_elf spec = {.entry = TEXT + 10,
				 .segments = {{.paddr = TEXT, .data = "text bytes", .filesz = 10}},
				 .nr_segments = 1};
	struct built_image image;
	struct loaded l;

	(void)state;
	built_elf(&image, &spec);
	load(&l, &image, (struct image_request){0});
	assert_int_equal(l.code, -EINVAL);
	assert_non_null(strstr(l.err.text, "entry point 0x40000a outside its segments"));
	unload(&l);
	spec.pvh_note_size = 8;
	spec.pvh_entry = 1ULL << 32 | TEXT;
	built_elf(&image, &spec);
	load(&l, &image, (struct image_request){0});
	assert_int_equal(l.code, -EINVAL);
	unload(&l);
}

/* Every cut of every kind either fails with a line or loads (a flat Multiboot image has no length of its own). */
static void every_truncation_fails_cleanly_or_loads(void **state)
{
	(void)state;
	for (unsigned kind = ELF64; kind <= TEXT_FILE; kind++) {
		enum image_protocol protocol = kind == FLAT_MULTIBOOT ? IMAGE_PROTOCOL_MULTIBOOT : IMAGE_PROTOCOL_AUTO;
		struct built_image image;
		size_t full;

		build(&image, kind);
		full = image.size;
		for (image.size = 1; image.size < full; image.size++) {
			struct loaded l;

			load(&l, &image, (struct image_request){.protocol = protocol});
			if (kind != FLAT_MULTIBOOT)
				assert_true(l.code < 0);
			if (l.code < 0)
				assert_string_not_equal(l.err.text, "");
			unload(&l);
		}
	}
}

static void formats_have_names(void **state)
{
	(void)state;
	assert_string_equal(image_format_name(IMAGE_BZIMAGE), "bzImage");
	assert_string_equal(image_format_name(IMAGE_MULTIBOOT), "Multiboot");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kernel_is_entered_by_the_protocol_asked_for_or_its_best),
		cmocka_unit_test(registers_at_entry_are_those_of_the_protocol),
		cmocka_unit_test(command_line_up_to_the_kernels_limit_is_handed_over),
		cmocka_unit_test(device_tree_is_built_only_for_a_described_machine),
		image_files_test(files_are_loaded_by_their_paths),
		image_files_test(multiboot_initrds_are_page_aligned_modules),
		image_files_test(missing_empty_and_misplaced_files_are_refused),
		cmocka_unit_test(guest_without_two_mib_is_refused),
		cmocka_unit_test(entry_outside_the_segments_is_refused),
		cmocka_unit_test(every_truncation_fails_cleanly_or_loads),
		cmocka_unit_test(formats_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
