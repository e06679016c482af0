/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "boot/elf.h"
#include "support/image_builder.h"

#define MIB		 (1ULL << 20)
#define TEXT		 (4 * MIB)
#define DATA		 (5 * MIB)
#define IN_HEADER(field) offsetof(Elf64_Ehdr, field)
#define IN_FIRST(field)	 (sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, field))
#define IN_SECOND(field) (sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, field))

static const struct built_elf two_segments = {
	.entry = TEXT,
	.segments = {{.paddr = TEXT, .data = "text bytes", .filesz = 10},
		     {.paddr = DATA, .data = "data", .filesz = 4, .memsz = 3 * 4096}},
	.nr_segments = 2,
};

static struct image_source source_of(const struct built_image *image)
{
	return image_source_memory("kernel", "k", image->bytes, image->size);
}

static int parse(const struct built_image *image, struct elf_image *elf, struct error *err)
{
	struct image_source src = source_of(image);

	return elf_parse(&src, elf, err);
}

static int load(const struct built_image *image, const struct guest_mem *mem, struct image_kernel *kernel,
		struct error *err)
{
	struct image_source src = source_of(image);
	struct elf_image elf;
	int code = elf_parse(&src, &elf, err);

	return code ? code : elf_load(&src, &elf, mem, kernel, err);
}

static void segments_of_both_classes_are_loaded(void **state)
{
	(void)state;
	for (int is_32 = 0; is_32 <= 1; is_32++) {
		struct built_elf elf = two_segments;
		struct image_kernel kernel = {0};
		struct built_image image;
		struct guest_mem mem;
		struct error err;

		elf.is_32 = is_32;
		built_elf(&image, &elf);
		assert_int_equal(guest_mem_init(&mem, 16 * MIB), 0);
		assert_int_equal(load(&image, &mem, &kernel, &err), 0);
		assert_memory_equal(mem.regions[0].hva + TEXT, "text bytes", 10);
		assert_memory_equal(mem.regions[0].hva + DATA, "data", 4);
		assert_int_equal(kernel.start, TEXT);
		assert_int_equal(kernel.end, DATA + 3 * 4096);
		guest_mem_fini(&mem);
	}
}

static void bss_commits_no_memory(void **state)
{
	struct image_kernel kernel = {0};
	unsigned char resident[3];
	struct built_image image;
	struct guest_mem mem;
	struct error err;

	(void)state;
	built_elf(&image, &two_segments);
	assert_int_equal(guest_mem_init(&mem, 16 * MIB), 0);
	(void)madvise(mem.regions[0].hva, 16 * MIB, MADV_NOHUGEPAGE);
	assert_int_equal(load(&image, &mem, &kernel, &err), 0);
	assert_int_equal(mincore(mem.regions[0].hva + DATA, sizeof(resident) * 4096, resident), 0);
	assert_int_equal(resident[0] & 1, 1);
	assert_int_equal(resident[1] & 1, 0);
	assert_int_equal(resident[2] & 1, 0);
	guest_mem_fini(&mem);
}

static void facts_of_the_header_are_returned(void **state)
{
	struct built_elf spec = two_segments;
	struct built_image image;
	struct elf_image elf;
	struct error err;

	(void)state;
	spec.pvh_note_size = 8;
	spec.pvh_entry = DATA;
	built_elf(&image, &spec);
	assert_true(elf_recognise(image.bytes, image.size));
	assert_false(elf_recognise(image.bytes, 3));
	assert_int_equal(parse(&image, &elf, &err), 0);
	assert_true(elf.is_64 && elf.has_pvh_note);
	assert_int_equal(elf.pvh_entry, DATA);
	assert_int_equal(elf.entry, TEXT);
	assert_int_equal(elf.nr_segments, 2);
	assert_true(elf_contains(&elf, TEXT + 9) && elf_contains(&elf, DATA + 3 * 4096 - 1));
	assert_false(elf_contains(&elf, TEXT + 10) || elf_contains(&elf, TEXT - 1) || elf_contains(&elf, 0));
}

static void files_that_are_no_kernels_are_named(void **state)
{
	static const struct {
		uint16_t machine;
		uint16_t type;
		bool abi_tag;
		bool interpreter;
		const char *expected;
	} cases[] = {
		{EM_AARCH64, ET_EXEC, false, false, "is for aarch64 (ELF machine 183); vmm runs x86-64"},
		{EM_RISCV, ET_DYN, false, false, "is for RISC-V"},
		{EM_386, ET_EXEC, false, false, "is for 32-bit x86"},
		{0x4242, ET_EXEC, false, false, "is for an unknown machine"},
		{EM_X86_64, ET_DYN, false, false, "position-independent user-space program or shared library"},
		{EM_X86_64, ET_REL, false, false, "object file or kernel module"},
		{EM_X86_64, ET_CORE, false, false, "core dump"},
		{EM_X86_64, 0xfe00, false, false, "unknown type"},
		{EM_X86_64, ET_EXEC, true, false, "is a user-space program, not a kernel"},
		{EM_X86_64, ET_EXEC, false, true, "is a user-space program, not a kernel"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct built_elf spec = two_segments;
		struct built_image image;
		struct elf_image elf;
		struct error err;

		spec.machine = cases[i].machine;
		spec.type = cases[i].type;
		spec.has_abi_tag = cases[i].abi_tag;
		spec.has_interpreter = cases[i].interpreter;
		built_elf(&image, &spec);
		assert_int_equal(parse(&image, &elf, &err), -ENOEXEC);
		assert_non_null(strstr(err.text, cases[i].expected));
	}
}

/* One field of a good image is overwritten with @value of @size bytes. */
struct mutation {
	size_t offset;
	unsigned size;
	uint64_t value;
	const char *expected;
};

static const struct mutation mutations[] = {
	{EI_CLASS, 1, 0, "ELF class 0"},
	{EI_CLASS, 1, 3, "ELF class 3"},
	{EI_DATA, 1, ELFDATA2MSB, "big-endian"},
	{EI_DATA, 1, 9, "damaged ELF identification"},
	{EI_VERSION, 1, 0, "damaged ELF identification"},
	{IN_HEADER(e_phnum), 2, 0, "no program headers"},
	{IN_HEADER(e_phnum), 2, 0xffff, "at most 128"},
	{IN_HEADER(e_phnum), 2, 129, "at most 128"},
	{IN_HEADER(e_phnum), 2, 128, "program headers reach behind its end"},
	{IN_HEADER(e_phentsize), 2, 0, "program headers of 0 bytes, not 56"},
	{IN_HEADER(e_phentsize), 2, 32, "program headers of 32 bytes, not 56"},
	{IN_HEADER(e_phentsize), 2, 0xffff, "program headers of 65535 bytes"},
	{IN_HEADER(e_phoff), 8, UINT64_MAX, "program headers reach behind its end"},
	{IN_HEADER(e_phoff), 8, UINT64_MAX - 100, "program headers reach behind its end"},
	{IN_HEADER(e_phoff), 8, 1 << 20, "program headers reach behind its end"},
	{IN_FIRST(p_filesz), 8, 11, "more bytes in the file (11) than in memory (10)"},
	{IN_FIRST(p_filesz), 8, UINT64_MAX, "more bytes in the file"},
	{IN_FIRST(p_memsz), 8, 0, "more bytes in the file"},
	{IN_FIRST(p_offset), 8, UINT64_MAX, "reaches behind its end"},
	{IN_FIRST(p_offset), 8, UINT64_MAX - 4, "reaches behind its end"},
	{IN_FIRST(p_paddr), 8, UINT64_MAX, "wraps around"},
	{IN_FIRST(p_memsz), 8, UINT64_MAX, "wraps around"},
	{IN_FIRST(p_memsz), 8, MIB + 1, "overlap at 0x500000"},
	{IN_SECOND(p_paddr), 8, TEXT + 9, "overlap at 0x400009"},
	{IN_FIRST(p_memsz), 8, 1ULL << 40, "overlap"},
	{IN_SECOND(p_memsz), 8, 1ULL << 40, "only the first 3 GiB"},
	{IN_SECOND(p_paddr), 8, 1ULL << 33, "only the first 3 GiB"},
	{IN_SECOND(p_memsz), 8, 12 * MIB, "needs memory up to 17M, but the guest has 16M; use -m 32M"},
	{IN_SECOND(p_paddr), 8, 0x7000, "holds boot parameters"},
	{IN_SECOND(p_paddr), 8, 0x9c000, "holds firmware tables"},
};

static void hostile_fields_are_refused(void **state)
{
	struct guest_mem mem;

	(void)state;
	assert_int_equal(guest_mem_init(&mem, 16 * MIB), 0);
	for (size_t i = 0; i < ARRAY_SIZE(mutations); i++) {
		struct image_kernel kernel = {0};
		struct built_image image;
		struct error err = {.text = ""};
		uint8_t value[8];

		built_elf(&image, &two_segments);
		store_le64(value, mutations[i].value);
		memcpy(image.bytes + mutations[i].offset, value, mutations[i].size);
		assert_true(load(&image, &mem, &kernel, &err) < 0);
		if (!strstr(err.text, mutations[i].expected))
			fail_msg("mutation %zu: \"%s\" lacks \"%s\"", i, err.text, mutations[i].expected);
	}
	guest_mem_fini(&mem);
}

static void file_without_loadable_bytes_is_refused(void **state)
{
	struct built_elf spec = {.entry = TEXT, .pvh_note_size = 4};
	struct built_image image;
	struct elf_image elf;
	struct error err;

	(void)state;
	built_elf(&image, &spec);
	assert_int_equal(parse(&image, &elf, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no loadable segment"));
}

static void every_truncation_is_refused(void **state)
{
	(void)state;
	for (int is_32 = 0; is_32 <= 1; is_32++) {
		struct built_elf spec = two_segments;
		struct built_image image;
		struct guest_mem mem;
		size_t full;

		spec.is_32 = is_32;
		spec.pvh_note_size = 8;
		built_elf(&image, &spec);
		full = image.size;
		assert_int_equal(guest_mem_init(&mem, 16 * MIB), 0);
		for (image.size = 0; image.size < full; image.size++) {
			struct image_kernel kernel = {0};
			struct error err = {.text = ""};

			assert_int_equal(load(&image, &mem, &kernel, &err), -EINVAL);
			assert_string_not_equal(err.text, "");
		}
		guest_mem_fini(&mem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_of_both_classes_are_loaded),
		cmocka_unit_test(bss_commits_no_memory),
		cmocka_unit_test(facts_of_the_header_are_returned),
		cmocka_unit_test(files_that_are_no_kernels_are_named),
		cmocka_unit_test(hostile_fields_are_refused),
		cmocka_unit_test(file_without_loadable_bytes_is_refused),
		cmocka_unit_test(every_truncation_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
