/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/linux_params.h"

#include <asm/bootparam.h>
#include <string.h>

#include "base/endian.h"
#include "boot/layout.h"

#define PARAMS_SIZE 4096
_Static_assert(sizeof(struct boot_params) == PARAMS_SIZE, "boot_params is one page");
_Static_assert(offsetof(struct boot_params, hdr) == IMAGE_SETUP_HEADER_START, "as in the bzImage");
_Static_assert(E820_MAX_ENTRIES <= E820_MAX_ENTRIES_ZEROPAGE, "the whole map fits");
_Static_assert(sizeof(struct setup_data) == IMAGE_SETUP_DATA_SIZE, "the device tree follows it");

#define PARAM(field)  (params + offsetof(struct boot_params, field))
#define HEADER(field) PARAM(hdr.field)

#define HEADER_MAGIC	 0x53726448U /* "HdrS" */
#define BOOT_FLAG	 0xaa55U
#define PROTOCOL_VERSION 0x020fU
#define LOADER_UNDEFINED 0xffU
#define VIDEO_NORMAL	 0xffffU

/* A vmlinux has no setup header: the fields that Linux looks at, as a bzImage of protocol 2.15 would have them. */
static void make_up_header(uint8_t *params, const struct image_kernel *kernel)
{
	store_le16(HEADER(boot_flag), BOOT_FLAG);
	store_le32(HEADER(header), HEADER_MAGIC);
	store_le16(HEADER(version), PROTOCOL_VERSION);
	store_le32(HEADER(initrd_addr_max), (uint32_t)(kernel->initrd_end - 1));
	store_le32(HEADER(cmdline_size), (uint32_t)kernel->cmdline_max);
	store_le16(HEADER(xloadflags), XLF_KERNEL_64);
	store_le64(HEADER(pref_address), kernel->start);
	store_le32(HEADER(init_size), (uint32_t)(kernel->end - kernel->start));
}

/* The fields that the boot protocol has the loader write. */
static void fill_loader_fields(uint8_t *params, const struct image_handover *handover, bool with_fdt)
{
	*HEADER(type_of_loader) = LOADER_UNDEFINED;
	*HEADER(loadflags) |= LOADED_HIGH;
	*HEADER(loadflags) &= (uint8_t)~CAN_USE_HEAP;
	store_le16(HEADER(vid_mode), VIDEO_NORMAL);
	store_le32(HEADER(cmd_line_ptr), (uint32_t)LAYOUT_CMDLINE);
	store_le32(HEADER(ramdisk_image), (uint32_t)handover->initrd_start);
	store_le32(HEADER(ramdisk_size), (uint32_t)handover->initrd_size);
	store_le32(PARAM(ext_ramdisk_image), (uint32_t)(handover->initrd_start >> 32));
	store_le32(PARAM(ext_ramdisk_size), (uint32_t)(handover->initrd_size >> 32));
	store_le64(HEADER(setup_data), with_fdt ? LAYOUT_FDT : 0);
	store_le64(PARAM(acpi_rsdp_addr), handover->rsdp);
}

static void fill_e820(uint8_t *params, const struct e820_map *map)
{
	for (unsigned i = 0; i < map->count; i++) {
		uint8_t *entry = PARAM(e820_table) + i * sizeof(struct boot_e820_entry);

		store_le64(entry + offsetof(struct boot_e820_entry, addr), map->entries[i].base);
		store_le64(entry + offsetof(struct boot_e820_entry, size), map->entries[i].size);
		store_le32(entry + offsetof(struct boot_e820_entry, type), map->entries[i].type);
	}
	*PARAM(e820_entries) = (uint8_t)map->count;
}

static int write_setup_data(const struct image_handover *handover, struct guest_mem *mem, struct error *err)
{
	uint8_t node[IMAGE_SETUP_DATA_SIZE] = {0};

	store_le32(node + offsetof(struct setup_data, type), SETUP_DTB);
	store_le32(node + offsetof(struct setup_data, len), handover->fdt_size);
	return image_write(mem, LAYOUT_FDT, node, sizeof(node), err);
}

int linux_params_write(const struct image_kernel *kernel, const struct image_handover *handover, struct guest_mem *mem,
		       struct error *err)
{
	/* All else stays zero: no screen, so that no driver touches a VGA that is not there, and no sentinel. */
	uint8_t params[PARAMS_SIZE] = {0};
	/* Linux has ACPI and the MP table; with CONFIG_OF it would count the tree's CPUs once more (x86_dtb_init). */
	bool with_fdt = handover->fdt_size && !kernel->is_linux;
	int code;

	if (kernel->has_setup_header)
		memcpy(params + IMAGE_SETUP_HEADER_START, kernel->setup_header, sizeof(kernel->setup_header));
	else
		make_up_header(params, kernel);
	fill_loader_fields(params, handover, with_fdt);
	fill_e820(params, &handover->map);
	code = image_write(mem, LAYOUT_BOOT_PARAMS, params, sizeof(params), err);
	return code || !with_fdt ? code : write_setup_data(handover, mem, err);
}
