/* SPDX-License-Identifier: Apache-2.0 */
/* ELF images (System V gABI, chapters 4 and 5). */
#include "boot/elf.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"
#include "boot/elf_notes.h"

/* One program header of either class. */
struct program_header {
	uint32_t type;
	uint64_t align;
	struct elf_segment segment;
};

struct program_table {
	uint64_t offset;
	uint16_t entry_size;
	uint16_t count;
};

bool elf_recognise(const uint8_t *head, size_t len)
{
	return len >= SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0;
}

bool elf_contains(const struct elf_image *elf, uint64_t address)
{
	for (unsigned i = 0; i < elf->nr_segments; i++) {
		const struct elf_segment *s = &elf->segments[i];

		if (address >= s->paddr && address - s->paddr < s->memsz)
			return true;
	}
	return false;
}

static const char *machine_name(uint16_t machine)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} names[] = {
		{EM_MIPS, "MIPS"},   {EM_PPC, "PowerPC"},     {EM_PPC64, "PowerPC 64"}, {EM_S390, "s390"},
		{EM_ARM, "Arm"},     {EM_AARCH64, "aarch64"}, {EM_RISCV, "RISC-V"},	{EM_SPARCV9, "SPARC 64"},
		{EM_IA_64, "IA-64"}, {EM_386, "32-bit x86"},  {EM_X86_64, "x86-64"},	{EM_BPF, "BPF"},
		{258, "LoongArch"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].machine == machine)
			return names[i].name;
	return "an unknown machine";
}

/* Which ELF types are never kernels, and what they are. */
static const char *foreign_type(uint16_t type)
{
	switch (type) {
	case ET_EXEC:
		return NULL;
	case ET_DYN:
		return "is a position-independent user-space program or shared library, not a kernel; give a bzImage "
		       "or a vmlinux";
	case ET_REL:
		return "is an object file or kernel module (.ko), not a kernel; give a bzImage or a vmlinux";
	case ET_CORE:
		return "is a core dump, not a kernel; give a bzImage or a vmlinux";
	default:
		return "is an ELF file of unknown type, not an executable kernel";
	}
}

static int check_identity(const struct image_source *src, const uint8_t *ident, struct error *err)
{
	if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64)
		return image_source_fail(src, err, -EINVAL, "has ELF class %u, neither 32- nor 64-bit",
					 ident[EI_CLASS]);
	if (ident[EI_DATA] == ELFDATA2MSB)
		return image_source_fail(src, err, -ENOEXEC, "is a big-endian ELF; vmm runs x86-64");
	if (ident[EI_DATA] != ELFDATA2LSB || ident[EI_VERSION] != EV_CURRENT)
		return image_source_fail(src, err, -EINVAL, "has a damaged ELF identification");
	return 0;
}

static int check_kind(const struct image_source *src, bool is_64, uint16_t machine, uint16_t type, struct error *err)
{
	const char *foreign = foreign_type(type);

	if (machine != EM_X86_64 && (is_64 || machine != EM_386))
		return image_source_fail(src, err, -ENOEXEC, "is for %s (ELF machine %u); vmm runs x86-64",
					 machine_name(machine), machine);
	if (foreign)
		return image_source_fail(src, err, -ENOEXEC, "%s", foreign);
	return 0;
}

static int parse_header(const struct image_source *src, struct elf_image *elf, struct program_table *table,
			struct error *err)
{
	uint8_t h[sizeof(Elf64_Ehdr)] = {0};
	uint16_t machine, type;
	int code = image_source_read(src, 0, h, EI_NIDENT, err);

	if (!code)
		code = check_identity(src, h, err);
	if (code)
		return code;
	elf->is_64 = h[EI_CLASS] == ELFCLASS64;
	code = image_source_read(src, 0, h, elf->is_64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr), err);
	if (code)
		return code;
	/* The two classes agree up to e_version. */
	machine = load_le16(h + offsetof(Elf64_Ehdr, e_machine));
	type = load_le16(h + offsetof(Elf64_Ehdr, e_type));
	if (elf->is_64) {
		elf->entry = load_le64(h + offsetof(Elf64_Ehdr, e_entry));
		table->offset = load_le64(h + offsetof(Elf64_Ehdr, e_phoff));
		table->entry_size = load_le16(h + offsetof(Elf64_Ehdr, e_phentsize));
		table->count = load_le16(h + offsetof(Elf64_Ehdr, e_phnum));
	} else {
		elf->entry = load_le32(h + offsetof(Elf32_Ehdr, e_entry));
		table->offset = load_le32(h + offsetof(Elf32_Ehdr, e_phoff));
		table->entry_size = load_le16(h + offsetof(Elf32_Ehdr, e_phentsize));
		table->count = load_le16(h + offsetof(Elf32_Ehdr, e_phnum));
	}
	return check_kind(src, elf->is_64, machine, type, err);
}

static int check_table(const struct image_source *src, const struct elf_image *elf, const struct program_table *table,
		       struct error *err)
{
	size_t expected = elf->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);

	if (table->count == 0)
		return image_source_fail(src, err, -EINVAL, "has no program headers, so nothing to load");
	if (table->entry_size != expected)
		return image_source_fail(src, err, -EINVAL, "has program headers of %u bytes, not %zu",
					 table->entry_size, expected);
	if (table->count > ELF_MAX_PROGRAM_HEADERS)
		return image_source_fail(src, err, -EINVAL, "has %u program headers; at most %d are supported",
					 table->count, ELF_MAX_PROGRAM_HEADERS);
	if (!range_within(table->offset, (uint64_t)table->count * expected, src->size))
		return image_source_fail(
			src, err, -EINVAL,
			"is truncated or damaged: its program headers reach behind its end; build or fetch it again");
	return 0;
}

static int read_program_header(const struct image_source *src, bool is_64, uint64_t offset, struct program_header *ph,
			       struct error *err)
{
	uint8_t p[sizeof(Elf64_Phdr)] = {0};
	struct elf_segment *s = &ph->segment;
	int code = image_source_read(src, offset, p, is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr), err);

	if (code)
		return code;
	ph->type = load_le32(p);
	if (is_64) {
		s->offset = load_le64(p + offsetof(Elf64_Phdr, p_offset));
		s->vaddr = load_le64(p + offsetof(Elf64_Phdr, p_vaddr));
		s->paddr = load_le64(p + offsetof(Elf64_Phdr, p_paddr));
		s->filesz = load_le64(p + offsetof(Elf64_Phdr, p_filesz));
		s->memsz = load_le64(p + offsetof(Elf64_Phdr, p_memsz));
		ph->align = load_le64(p + offsetof(Elf64_Phdr, p_align));
	} else {
		s->offset = load_le32(p + offsetof(Elf32_Phdr, p_offset));
		s->vaddr = load_le32(p + offsetof(Elf32_Phdr, p_vaddr));
		s->paddr = load_le32(p + offsetof(Elf32_Phdr, p_paddr));
		s->filesz = load_le32(p + offsetof(Elf32_Phdr, p_filesz));
		s->memsz = load_le32(p + offsetof(Elf32_Phdr, p_memsz));
		ph->align = load_le32(p + offsetof(Elf32_Phdr, p_align));
	}
	return 0;
}

static int add_segment(const struct image_source *src, struct elf_image *elf, const struct elf_segment *s,
		       struct error *err)
{
	uint64_t end;

	if (s->filesz > s->memsz)
		return image_source_fail(src, err, -EINVAL,
					 "has a segment with more bytes in the file (%llu) than in memory (%llu)",
					 (unsigned long long)s->filesz, (unsigned long long)s->memsz);
	if (s->memsz == 0)
		return 0;
	if (s->filesz && !range_within(s->offset, s->filesz, src->size))
		return image_source_fail(src, err, -EINVAL,
					 "is truncated or damaged: a segment of %llu bytes at offset %llu reaches "
					 "behind its end; build or fetch it again",
					 (unsigned long long)s->filesz, (unsigned long long)s->offset);
	if (!checked_add(s->paddr, s->memsz, &end))
		return image_source_fail(src, err, -EINVAL,
					 "has a segment at 0x%llx that wraps around the address space",
					 (unsigned long long)s->paddr);
	for (unsigned i = 0; i < elf->nr_segments; i++)
		if (ranges_overlap(s->paddr, s->memsz, elf->segments[i].paddr, elf->segments[i].memsz))
			return image_source_fail(src, err, -EINVAL, "has segments that overlap at 0x%llx",
						 (unsigned long long)s->paddr);
	elf->segments[elf->nr_segments++] = *s;
	return 0;
}

static int take_program_header(const struct image_source *src, struct elf_image *elf, const struct program_header *ph,
			       struct elf_notes *notes, struct error *err)
{
	switch (ph->type) {
	case PT_LOAD:
		return add_segment(src, elf, &ph->segment, err);
	case PT_NOTE:
		return elf_notes_scan(src, ph->segment.offset, ph->segment.filesz, ph->align, notes, err);
	case PT_INTERP:
		notes->is_user_program = true;
		return 0;
	default:
		return 0;
	}
}

int elf_parse(const struct image_source *src, struct elf_image *elf, struct error *err)
{
	struct program_table table;
	struct elf_notes notes = {0};
	int code;

	*elf = (struct elf_image){0};
	code = parse_header(src, elf, &table, err);
	if (!code)
		code = check_table(src, elf, &table, err);
	for (unsigned i = 0; i < table.count && !code; i++) {
		struct program_header ph;

		code = read_program_header(src, elf->is_64, table.offset + (uint64_t)i * table.entry_size, &ph, err);
		if (!code)
			code = take_program_header(src, elf, &ph, &notes, err);
	}
	if (code)
		return code;
	/* FreeBSD's kernel names an interpreter too. */
	if (notes.is_user_program && !notes.has_pvh_entry)
		return image_source_fail(src, err, -ENOEXEC,
					 "is a user-space program, not a kernel; give a bzImage or a vmlinux");
	if (elf->nr_segments == 0)
		return image_source_fail(src, err, -EINVAL, "has no loadable segment");
	elf->has_pvh_note = notes.has_pvh_entry;
	elf->pvh_entry = notes.pvh_entry;
	elf->is_linux = notes.is_linux;
	return 0;
}

int elf_load(const struct image_source *src, const struct elf_image *elf, const struct guest_mem *mem,
	     struct image_kernel *kernel, struct error *err)
{
	int code = 0;

	ASSERT(elf->nr_segments > 0);
	kernel->start = UINT64_MAX;
	kernel->end = 0;
	for (unsigned i = 0; i < elf->nr_segments && !code; i++) {
		const struct elf_segment *s = &elf->segments[i];

		code = image_check_range(src, mem, s->paddr, s->memsz, err);
		if (s->paddr < kernel->start)
			kernel->start = s->paddr;
		if (s->paddr + s->memsz > kernel->end)
			kernel->end = s->paddr + s->memsz;
	}
	/* All are checked before the first is read, so that the message does not depend on their order. */
	for (unsigned i = 0; i < elf->nr_segments && !code; i++) {
		const struct elf_segment *s = &elf->segments[i];

		code = image_source_load(src, s->offset, s->filesz, mem, gpa(s->paddr), err);
	}
	kernel->working_end = kernel->end;
	return code;
}
