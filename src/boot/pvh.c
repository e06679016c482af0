/* SPDX-License-Identifier: Apache-2.0 */
/* Structures of Xen's public/arch-x86/hvm/start_info.h; direct boot ABI in Xen's docs/misc/pvh.pandoc. */
#include "boot/pvh.h"

#include "base/endian.h"
#include "boot/layout.h"

#define START_INFO_MAGIC   0x336ec578U
#define START_INFO_VERSION 1
#define MEMORY_TYPE_RAM	   1

struct start_info_wire {
	le32 magic;
	le32 version;
	le32 flags;
	le32 nr_modules;
	le64 modlist_paddr;
	le64 cmdline_paddr;
	le64 rsdp_paddr;
	le64 memmap_paddr;
	le32 memmap_entries;
	le32 reserved;
};

struct module_wire {
	le64 paddr;
	le64 size;
	le64 cmdline_paddr;
	le64 reserved;
};

struct memmap_wire {
	le64 addr;
	le64 size;
	le32 type;
	le32 reserved;
};

#define MODULE_INITRD 0
#define MODULE_FDT    1
#define NR_MODULES    2

/* What the guest finds from LAYOUT_START_INFO on. */
struct pvh_page {
	struct start_info_wire info;
	struct module_wire modules[NR_MODULES];
	char fdt_name[4];
	char no_name[4];
	struct memmap_wire memmap[E820_MAX_ENTRIES];
};

_Static_assert(sizeof(struct start_info_wire) == 56, "version 1 of the start info");
_Static_assert(sizeof(struct module_wire) == 32 && sizeof(struct memmap_wire) == 24, "no padding");
_Static_assert(LAYOUT_START_INFO + sizeof(struct pvh_page) <= LAYOUT_BOOT_PARAMS, "one page");
_Static_assert(E820_RAM == MEMORY_TYPE_RAM && E820_RESERVED == 2, "PVH uses the types of e820");

static le64 address_of(size_t offset)
{
	return le64_of(LAYOUT_START_INFO + offset);
}

static void fill_modules(struct pvh_page *page, const struct image_handover *handover)
{
	unsigned count = 0;

	if (handover->initrd_size || handover->fdt_size) {
		page->modules[MODULE_INITRD].paddr = le64_of(handover->initrd_start);
		page->modules[MODULE_INITRD].size = le64_of(handover->initrd_size);
		/* Empty, but there: FreeBSD compares it without a look at the pointer. */
		page->modules[MODULE_INITRD].cmdline_paddr = address_of(offsetof(struct pvh_page, no_name));
		count = MODULE_INITRD + 1;
	}
	if (handover->fdt_size) {
		page->modules[MODULE_FDT] = (struct module_wire){
			.paddr = le64_of(IMAGE_FDT_ADDRESS),
			.size = le64_of(handover->fdt_size),
			.cmdline_paddr = address_of(offsetof(struct pvh_page, fdt_name)),
		};
		memcpy(page->fdt_name, "fdt", sizeof("fdt"));
		count = MODULE_FDT + 1;
	}
	page->info.nr_modules = le32_of(count);
	if (count)
		page->info.modlist_paddr = address_of(offsetof(struct pvh_page, modules));
}

static void fill_memmap(struct pvh_page *page, const struct e820_map *map)
{
	for (unsigned i = 0; i < map->count; i++) {
		page->memmap[i].addr = le64_of(map->entries[i].base);
		page->memmap[i].size = le64_of(map->entries[i].size);
		page->memmap[i].type = le32_of(map->entries[i].type);
	}
	page->info.memmap_paddr = address_of(offsetof(struct pvh_page, memmap));
	page->info.memmap_entries = le32_of(map->count);
}

int pvh_write(const struct image_handover *handover, struct guest_mem *mem, struct error *err)
{
	struct pvh_page page = {
		.info.magic = le32_of(START_INFO_MAGIC),
		.info.version = le32_of(START_INFO_VERSION),
		.info.cmdline_paddr = le64_of(LAYOUT_CMDLINE),
		.info.rsdp_paddr = le64_of(handover->rsdp),
	};

	fill_modules(&page, handover);
	fill_memmap(&page, &handover->map);
	return image_write(mem, LAYOUT_START_INFO, &page, sizeof(page), err);
}
