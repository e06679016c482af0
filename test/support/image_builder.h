/* SPDX-License-Identifier: Apache-2.0 */
/* Small synthetic kernels for tests: ELF32 and ELF64 with notes, bzImages around packed payloads, Multiboot headers. */
#ifndef VMM_TEST_IMAGE_BUILDER_H
#define VMM_TEST_IMAGE_BUILDER_H

#include <asm/bootparam.h>
#include <elf.h>
#include <lz4.h>
#include <lzma.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/compiler.h"
#include "base/endian.h"
#include "boot/decompress.h"

#define BUILT_MAX	   65536
#define BUILT_MAX_SEGMENTS 6

struct built_image {
	uint8_t bytes[BUILT_MAX];
	size_t size;
};

struct built_segment {
	uint64_t paddr;
	uint64_t vaddr; /* 0: as paddr */
	uint64_t memsz; /* 0: as filesz */
	const void *data;
	size_t filesz;
};

struct built_elf {
	bool is_32;
	uint16_t machine; /* 0: x86 of the class */
	uint16_t type;	  /* 0: ET_EXEC */
	uint64_t entry;
	struct built_segment segments[BUILT_MAX_SEGMENTS];
	unsigned nr_segments;
	unsigned pvh_note_size; /* 4 or 8; 0: no note */
	uint64_t pvh_entry;
	bool has_abi_tag;
	bool has_interpreter;
};

static inline void built_append(struct built_image *image, const void *bytes, size_t len)
{
	ASSERT(len <= sizeof(image->bytes) - image->size);
	if (len)
		memcpy(image->bytes + image->size, bytes, len);
	image->size += len;
}

static inline void built_pad(struct built_image *image, size_t align)
{
	while (image->size % align)
		built_append(image, "", 1);
}

/* Appends one note, padded to 4. */
static inline void built_note(struct built_image *image, const char *name, uint32_t type, const void *desc,
			      uint32_t desc_size)
{
	uint8_t head[sizeof(Elf64_Nhdr)];

	store_le32(head, (uint32_t)strlen(name) + 1);
	store_le32(head + 4, desc_size);
	store_le32(head + 8, type);
	built_append(image, head, sizeof(head));
	built_append(image, name, strlen(name) + 1);
	built_pad(image, 4);
	built_append(image, desc, desc_size);
	built_pad(image, 4);
}

/* Writes program header @index of @image, behind the ELF header. */
static inline void built_program_header(struct built_image *image, bool is_32, unsigned index, uint32_t type,
					uint64_t offset, const struct built_segment *s)
{
	uint64_t memsz = s->memsz ? s->memsz : s->filesz, vaddr = s->vaddr ? s->vaddr : s->paddr;

	if (is_32) {
		Elf32_Phdr ph = {.p_type = type,
				 .p_offset = (uint32_t)offset,
				 .p_vaddr = (uint32_t)vaddr,
				 .p_paddr = (uint32_t)s->paddr,
				 .p_filesz = (uint32_t)s->filesz,
				 .p_memsz = (uint32_t)memsz,
				 .p_align = 4};
		memcpy(image->bytes + sizeof(Elf32_Ehdr) + index * sizeof(ph), &ph, sizeof(ph));
	} else {
		Elf64_Phdr ph = {.p_type = type,
				 .p_offset = offset,
				 .p_vaddr = vaddr,
				 .p_paddr = s->paddr,
				 .p_filesz = s->filesz,
				 .p_memsz = memsz,
				 .p_align = 4};
		memcpy(image->bytes + sizeof(Elf64_Ehdr) + index * sizeof(ph), &ph, sizeof(ph));
	}
}

static inline void built_elf_header(struct built_image *image, const struct built_elf *elf, unsigned nr_headers)
{
	uint16_t type = elf->type ? elf->type : ET_EXEC;
	Elf64_Ehdr h64 = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
			  .e_type = type,
			  .e_machine = elf->machine ? elf->machine : EM_X86_64,
			  .e_version = EV_CURRENT,
			  .e_entry = elf->entry,
			  .e_phoff = sizeof(Elf64_Ehdr),
			  .e_ehsize = sizeof(Elf64_Ehdr),
			  .e_phentsize = sizeof(Elf64_Phdr),
			  .e_phnum = (uint16_t)nr_headers};
	Elf32_Ehdr h32 = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
			  .e_type = type,
			  .e_machine = elf->machine ? elf->machine : EM_386,
			  .e_version = EV_CURRENT,
			  .e_entry = (uint32_t)elf->entry,
			  .e_phoff = sizeof(Elf32_Ehdr),
			  .e_ehsize = sizeof(Elf32_Ehdr),
			  .e_phentsize = sizeof(Elf32_Phdr),
			  .e_phnum = (uint16_t)nr_headers};

	if (elf->is_32)
		memcpy(image->bytes, &h32, sizeof(h32));
	else
		memcpy(image->bytes, &h64, sizeof(h64));
}

/* Headers, then notes, then the segments' bytes at multiples of 16. */
static inline void built_elf(struct built_image *image, const struct built_elf *elf)
{
	bool has_notes = elf->pvh_note_size || elf->has_abi_tag;
	unsigned nr_headers = elf->nr_segments + has_notes + elf->has_interpreter, index = 0;
	struct built_segment note = {0};
	uint8_t entry[8], tag[16] = {0};
	size_t at;

	*image = (struct built_image){0};
	built_elf_header(image, elf, nr_headers);
	image->size = elf->is_32 ? sizeof(Elf32_Ehdr) + nr_headers * sizeof(Elf32_Phdr)
				 : sizeof(Elf64_Ehdr) + nr_headers * sizeof(Elf64_Phdr);
	at = image->size;
	store_le64(entry, elf->pvh_entry);
	if (has_notes)
		built_note(image, "GNU", NT_GNU_BUILD_ID, "12345678901234567890", 20);
	if (elf->pvh_note_size)
		built_note(image, "Xen", 18, entry, elf->pvh_note_size);
	if (elf->has_abi_tag)
		built_note(image, "GNU", NT_GNU_ABI_TAG, tag, sizeof(tag));
	note.filesz = image->size - at;
	if (has_notes)
		built_program_header(image, elf->is_32, index++, PT_NOTE, at, &note);
	if (elf->has_interpreter)
		built_program_header(image, elf->is_32, index++, PT_INTERP, at, &(struct built_segment){0});
	for (unsigned i = 0; i < elf->nr_segments; i++) {
		built_pad(image, 16);
		built_program_header(image, elf->is_32, index++, PT_LOAD, image->size, &elf->segments[i]);
		built_append(image, elf->segments[i].data, elf->segments[i].filesz);
	}
}

/* Some bytes that are the same in every run and compress, but not to nothing. */
static inline void built_fill(uint8_t *bytes, size_t len)
{
	uint32_t state = 12345;

	for (size_t i = 0; i < len; i++) {
		state = state * 1103515245U + 12345U;
		bytes[i] = (uint8_t)(state >> 16 & 0x1f);
	}
}

struct built_bzimage {
	uint16_t version; /* 0: 2.15 */
	const void *payload;
	size_t payload_size;
	uint16_t xloadflags;
	uint64_t pref_address;
	uint32_t init_size;
	uint32_t cmdline_size;
	uint32_t initrd_addr_max; /* 0: 0x7fffffff */
	const char *kernel_version;
};

#define BUILT_SETUP_SIZE     1024 /* boot sector and one setup sector */
#define BUILT_PAYLOAD_OFFSET 0x280
#define BUILT_VERSION_OFFSET 0x300
#define BUILT_HEADER(field)  (image->bytes + 0x1f1 + offsetof(struct setup_header, field))

static inline void built_bzimage(struct built_image *image, const struct built_bzimage *bz)
{
	static const char decompressor[BUILT_PAYLOAD_OFFSET] = "decompressor";

	*image = (struct built_image){.size = BUILT_SETUP_SIZE};
	built_append(image, decompressor, sizeof(decompressor));
	built_append(image, bz->payload, bz->payload_size);
	built_pad(image, 16);
	*BUILT_HEADER(setup_sects) = 1;
	store_le32(BUILT_HEADER(syssize), (uint32_t)(image->size - BUILT_SETUP_SIZE) / 16);
	store_le16(BUILT_HEADER(boot_flag), 0xaa55);
	store_le16(BUILT_HEADER(jump), 0x6aeb);
	store_le32(BUILT_HEADER(header), 0x53726448);
	store_le16(BUILT_HEADER(version), bz->version ? bz->version : 0x20f);
	*BUILT_HEADER(loadflags) = LOADED_HIGH | CAN_USE_HEAP;
	store_le16(BUILT_HEADER(xloadflags), bz->xloadflags);
	store_le32(BUILT_HEADER(cmdline_size), bz->cmdline_size);
	store_le32(BUILT_HEADER(initrd_addr_max), bz->initrd_addr_max ? bz->initrd_addr_max : 0x7fffffff);
	store_le32(BUILT_HEADER(payload_offset), BUILT_PAYLOAD_OFFSET);
	store_le32(BUILT_HEADER(payload_length), (uint32_t)bz->payload_size);
	store_le64(BUILT_HEADER(pref_address), bz->pref_address);
	store_le32(BUILT_HEADER(init_size), bz->init_size);
	if (bz->kernel_version) {
		store_le16(BUILT_HEADER(kernel_version), BUILT_VERSION_OFFSET - 0x200);
		memcpy(image->bytes + BUILT_VERSION_OFFSET, bz->kernel_version, strlen(bz->kernel_version) + 1);
	}
}

static inline size_t built_pack_gzip(const void *data, size_t size, uint8_t *out, size_t capacity)
{
	z_stream z = {0};
	int rc = deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);

	ASSERT(rc == Z_OK);
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)size;
	z.next_out = out;
	z.avail_out = (uInt)capacity;
	rc = deflate(&z, Z_FINISH);
	ASSERT(rc == Z_STREAM_END);
	deflateEnd(&z);
	return capacity - z.avail_out;
}

/* As the kernel's build does: CRC32, x86 branch filter, LZMA2. */
static inline size_t built_pack_xz(const void *data, size_t size, uint8_t *out, size_t capacity)
{
	lzma_options_lzma options;
	lzma_filter filters[] = {
		{.id = LZMA_FILTER_X86}, {.id = LZMA_FILTER_LZMA2, .options = &options}, {.id = LZMA_VLI_UNKNOWN}};
	size_t pos = 0;
	lzma_ret rc = lzma_lzma_preset(&options, 1) ? LZMA_OPTIONS_ERROR : LZMA_OK;

	/* A small dictionary: fuzzers pack thousands of times a second. */
	options.dict_size = 65536;
	if (rc == LZMA_OK)
		rc = lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, data, size, out, &pos, capacity);
	ASSERT(rc == LZMA_OK);
	return pos;
}

static inline size_t built_pack_zstd(const void *data, size_t size, uint8_t *out, size_t capacity)
{
	size_t n = ZSTD_compress(out, capacity, data, size, 19);

	ASSERT(!ZSTD_isError(n));
	return n;
}

/* Legacy frames hold blocks of 8 MiB. */
static inline size_t built_pack_lz4(const void *data, size_t size, uint8_t *out, size_t capacity)
{
	const size_t block = 8U << 20;
	size_t at = 4;

	store_le32(out, 0x184c2102);
	for (size_t done = 0; done < size; done += block) {
		size_t piece = size - done < block ? size - done : block;
		int n = LZ4_compress_default((const char *)data + done, (char *)out + at + 4, (int)piece,
					     (int)(capacity - at - 4));

		ASSERT(n > 0);
		store_le32(out + at, (uint32_t)n);
		at += 4 + (size_t)n;
	}
	return at;
}

/* @data packed in @format into @out, with the size word that the kernel's build appends to all but gzip. */
static inline size_t built_pack(enum decompress_format format, const void *data, size_t size, uint8_t *out,
				size_t capacity)
{
	size_t n = 0;

	if (format == DECOMPRESS_GZIP)
		return built_pack_gzip(data, size, out, capacity);
	if (format == DECOMPRESS_XZ)
		n = built_pack_xz(data, size, out, capacity);
	else if (format == DECOMPRESS_ZSTD)
		n = built_pack_zstd(data, size, out, capacity);
	else if (format == DECOMPRESS_LZ4)
		n = built_pack_lz4(data, size, out, capacity);
	ASSERT(n && n + 4 <= capacity);
	store_le32(out + n, (uint32_t)size);
	return n + 4;
}

/* A Multiboot header of 12 bytes, or of 32 with the five addresses. */
static inline size_t built_multiboot_header(uint8_t *at, uint32_t flags, const uint32_t *addresses)
{
	store_le32(at, 0x1badb002);
	store_le32(at + 4, flags);
	store_le32(at + 8, 0U - 0x1badb002U - flags);
	for (unsigned i = 0; addresses && i < 5; i++)
		store_le32(at + 12 + 4 * i, addresses[i]);
	return addresses ? 32 : 12;
}

#endif
