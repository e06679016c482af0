/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/multiboot.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"
#include "boot/layout.h"

/* 3.1.1: the header lies within the first 8192 bytes, at a multiple of 4. */
#define SEARCH_SIZE    8192
#define HEADER_ALIGN   4
#define HEADER_MAGIC   0x1badb002U
#define HEADER_SIZE    12 /* magic, flags, checksum */
#define ADDRESSES_SIZE 32

/* 3.1.2: what the kernel asks for. Modules are always page-aligned and memory is always told; a video mode is only a
 * preference. Bits 3-15 unknown to the loader mean that it must not start the kernel. */
#define WANTS_UNKNOWN 0xfff8U
#define HAS_ADDRESSES (1U << 16)

/* 3.3: fields of the information that are valid. */
#define INFO_MEMORY  (1U << 0)
#define INFO_CMDLINE (1U << 2)
#define INFO_MODULES (1U << 3)
#define INFO_MMAP    (1U << 6)
#define INFO_LOADER  (1U << 9)

struct info_wire {
	le32 flags;
	le32 mem_lower; /* KiB */
	le32 mem_upper;
	le32 boot_device;
	le32 cmdline;
	le32 mods_count;
	le32 mods_addr;
	le32 syms[4];
	le32 mmap_length;
	le32 mmap_addr;
	le32 drives[2];
	le32 config_table;
	le32 boot_loader_name;
	le32 apm_table;
	le32 vbe[4];
	le32 framebuffer[7];
};

struct module_wire {
	le32 start;
	le32 end;
	le32 string;
	le32 reserved;
};

struct mmap_wire {
	le32 size; /* of the rest */
	le32 base[2];
	le32 length[2];
	le32 type;
};

#define MODULE_NAME_SIZE 64

/* What the guest finds from LAYOUT_START_INFO on. */
struct multiboot_page {
	struct info_wire info;
	char loader_name[4];
	struct module_wire modules[INITRD_MAX_ITEMS];
	struct mmap_wire mmap[E820_MAX_ENTRIES];
	char module_names[INITRD_MAX_ITEMS][MODULE_NAME_SIZE];
};

_Static_assert(sizeof(struct info_wire) == 116 && sizeof(struct mmap_wire) == 24, "no padding");
_Static_assert(LAYOUT_START_INFO + sizeof(struct multiboot_page) <= LAYOUT_BOOT_PARAMS, "one page");

static void take_header(const uint8_t *at, uint64_t offset, struct multiboot_header *header)
{
	header->found = true;
	header->offset = offset;
	header->flags = load_le32(at + 4);
}

int multiboot_find(const struct image_source *src, struct multiboot_header *header, struct error *err)
{
	uint8_t bytes[SEARCH_SIZE];
	size_t len = src->size < SEARCH_SIZE ? (size_t)src->size : SEARCH_SIZE;
	int code = image_source_read(src, 0, bytes, len, err);

	*header = (struct multiboot_header){0};
	for (size_t at = 0; !code && !header->found && range_within(at, HEADER_SIZE, len); at += HEADER_ALIGN) {
		uint32_t sum = load_le32(bytes + at) + load_le32(bytes + at + 4) + load_le32(bytes + at + 8);

		if (load_le32(bytes + at) == HEADER_MAGIC && sum == 0)
			take_header(bytes + at, at, header);
	}
	if (code || !header->found || !(header->flags & HAS_ADDRESSES))
		return code;
	if (!range_within(header->offset, ADDRESSES_SIZE, len))
		return image_source_fail(src, err, -EINVAL, "its Multiboot header is cut off");
	header->has_addresses = true;
	header->header_addr = load_le32(bytes + header->offset + 12);
	header->load_addr = load_le32(bytes + header->offset + 16);
	header->load_end_addr = load_le32(bytes + header->offset + 20);
	header->bss_end_addr = load_le32(bytes + header->offset + 24);
	header->entry_addr = load_le32(bytes + header->offset + 28);
	return 0;
}

/* 3.1.3: one segment, whose file offset follows from where the header lies in the file and in memory. */
static int plan_addresses(const struct image_source *src, const struct multiboot_header *h, struct elf_image *elf,
			  struct error *err)
{
	struct elf_segment *s = &elf->segments[0];

	*elf = (struct elf_image){.entry = h->entry_addr, .nr_segments = 1};
	if (h->load_addr > h->header_addr || h->header_addr - h->load_addr > h->offset)
		return image_source_fail(src, err, -EINVAL,
					 "its Multiboot header at offset %llu contradicts its addresses 0x%x and 0x%x",
					 (unsigned long long)h->offset, h->header_addr, h->load_addr);
	s->paddr = h->load_addr;
	s->vaddr = h->load_addr;
	s->offset = h->offset - (h->header_addr - h->load_addr);
	s->filesz = src->size - s->offset;
	if (h->load_end_addr)
		s->filesz = h->load_end_addr > h->load_addr ? h->load_end_addr - h->load_addr : 0;
	s->memsz = s->filesz;
	if (h->bss_end_addr)
		s->memsz = h->bss_end_addr > h->load_addr ? h->bss_end_addr - h->load_addr : 0;
	if (s->filesz == 0 || s->memsz < s->filesz)
		return image_source_fail(src, err, -EINVAL, "its Multiboot load addresses end before they begin");
	if (!range_within(s->offset, s->filesz, src->size))
		return image_source_fail(src, err, -EINVAL,
					 "is truncated: its Multiboot header tells of %llu bytes, the file has %llu",
					 (unsigned long long)(s->offset + s->filesz), (unsigned long long)src->size);
	return 0;
}

/* A higher-half kernel gives its entry as a virtual address. */
static void make_entry_physical(struct elf_image *elf)
{
	for (unsigned i = 0; i < elf->nr_segments && !elf_contains(elf, elf->entry); i++) {
		const struct elf_segment *s = &elf->segments[i];

		if (elf->entry >= s->vaddr && elf->entry - s->vaddr < s->memsz)
			elf->entry = elf->entry - s->vaddr + s->paddr;
	}
}

int multiboot_plan(const struct image_source *src, const struct multiboot_header *header, struct elf_image *elf,
		   struct error *err)
{
	int code;

	if (header->flags & WANTS_UNKNOWN)
		return image_source_fail(src, err, -ENOEXEC, "its Multiboot header wants unknown features (flags 0x%x)",
					 header->flags);
	if (header->has_addresses)
		return plan_addresses(src, header, elf, err);
	code = elf_parse(src, elf, err);
	if (!code && elf->is_64)
		return image_source_fail(src, err, -ENOEXEC,
					 "is a 64-bit ELF; Multiboot takes 32-bit ones (objcopy -O elf32-i386)");
	if (!code)
		make_entry_physical(elf);
	return code;
}

static le32 address_of(size_t offset)
{
	return le32_of((uint32_t)(LAYOUT_START_INFO + offset));
}

static void split64(le32 halves[2], uint64_t value)
{
	halves[0] = le32_of((uint32_t)value);
	halves[1] = le32_of((uint32_t)(value >> 32));
}

/* The last name of @path, without the slashes that may follow that of a folder. */
static void copy_name(char name[MODULE_NAME_SIZE], const char *path)
{
	size_t end = strlen(path), start, len;

	while (end > 1 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/'; start--)
		;
	len = end - start;
	memcpy(name, path + start, len < MODULE_NAME_SIZE ? len : MODULE_NAME_SIZE - 1);
}

static void fill_modules(struct multiboot_page *page, const struct initrd_set *initrds)
{
	for (unsigned i = 0; i < initrds->count; i++) {
		const struct initrd_part *part = &initrds->parts[i];
		uint64_t start = initrds->start + part->offset;

		copy_name(page->module_names[i], part->name);
		page->modules[i] = (struct module_wire){
			.start = le32_of((uint32_t)start),
			.end = le32_of((uint32_t)(start + part->size)),
			.string = address_of(offsetof(struct multiboot_page, module_names[0]) + i * MODULE_NAME_SIZE),
		};
	}
	page->info.mods_count = le32_of(initrds->count);
	page->info.mods_addr = address_of(offsetof(struct multiboot_page, modules));
}

static void fill_mmap(struct multiboot_page *page, const struct e820_map *map)
{
	for (unsigned i = 0; i < map->count; i++) {
		page->mmap[i].size = le32_of(sizeof(struct mmap_wire) - sizeof(le32));
		split64(page->mmap[i].base, map->entries[i].base);
		split64(page->mmap[i].length, map->entries[i].size);
		page->mmap[i].type = le32_of(map->entries[i].type);
	}
	page->info.mmap_length = le32_of(map->count * (uint32_t)sizeof(struct mmap_wire));
	page->info.mmap_addr = address_of(offsetof(struct multiboot_page, mmap));
}

int multiboot_write(const struct image_handover *handover, const struct initrd_set *initrds, struct guest_mem *mem,
		    struct error *err)
{
	struct multiboot_page page = {
		.info.flags = le32_of(INFO_MEMORY | INFO_CMDLINE | INFO_MODULES | INFO_MMAP | INFO_LOADER),
		.info.mem_lower = le32_of(LAYOUT_LOW_RESERVED >> 10),
		.info.mem_upper = le32_of((uint32_t)((image_low_ram_end(mem) - LAYOUT_HIGH_MEM) >> 10)),
		.info.cmdline = le32_of((uint32_t)LAYOUT_CMDLINE),
		.info.boot_loader_name = address_of(offsetof(struct multiboot_page, loader_name)),
		.loader_name = "vmm",
	};

	fill_modules(&page, initrds);
	fill_mmap(&page, &handover->map);
	return image_write(mem, LAYOUT_START_INFO, &page, sizeof(page), err);
}
