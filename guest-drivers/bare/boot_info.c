/* SPDX-License-Identifier: Apache-2.0 */
/* The three hand-overs: PVH start info (Xen public/arch-x86/hvm/start_info.h), Multiboot information (0.6.96, 3.3),
 * Linux boot_params (Documentation/arch/x86/zero-page.rst). */
#include "kit.h"

#include <asm/bootparam.h>

#define PVH_MAGIC 0x336ec578u

struct pvh_start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modules, cmdline, rsdp, memmap;
	uint32_t nr_ranges, reserved;
};

struct pvh_module {
	uint64_t start, size, name, reserved;
};

struct pvh_range {
	uint64_t start, size;
	uint32_t type, reserved;
};

#define MULTIBOOT_HAS_CMDLINE (1u << 2)
#define MULTIBOOT_HAS_MODULES (1u << 3)
#define MULTIBOOT_HAS_MAP     (1u << 6)

struct multiboot_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, nr_modules, modules, symbols[4], map_size, map;
};

struct multiboot_module {
	uint32_t start, end, name, reserved;
};

struct multiboot_range {
	uint32_t size;
	uint64_t start, length;
	uint32_t type;
} __attribute__((packed));

static const void *at(uint64_t address)
{
	return (const void *)(uintptr_t)address;
}

static void add_range(struct boot_info *info, uint64_t start, uint64_t size, uint32_t type)
{
	if (info->nr_ranges < BOOT_MAX_RANGES)
		info->ranges[info->nr_ranges++] = (struct boot_range){.start = start, .size = size, .type = type};
}

static void add_module(struct boot_info *info, uint64_t start, uint64_t size, const char *name)
{
	if (info->nr_modules < BOOT_MAX_MODULES)
		info->modules[info->nr_modules++] = (struct boot_module){.start = start, .size = size, .name = name};
}

static void read_pvh(struct boot_info *info, uint64_t address)
{
	const struct pvh_start_info *start = at(address);
	const struct pvh_module *modules = at(start->modules);
	const struct pvh_range *ranges = at(start->memmap);

	if (start->magic != PVH_MAGIC || start->version != 1)
		kit_exit(91);
	info->cmdline = at(start->cmdline);
	info->rsdp = start->rsdp;
	for (uint32_t i = 0; i < start->nr_ranges; i++)
		add_range(info, ranges[i].start, ranges[i].size, ranges[i].type);
	for (uint32_t i = 0; i < start->nr_modules; i++) {
		const char *name = at(modules[i].name);

		if (name && text_equal(name, "fdt"))
			info->fdt = modules[i].start;
		else if (modules[i].size)
			add_module(info, modules[i].start, modules[i].size, name);
	}
}

static void read_multiboot(struct boot_info *info, uint64_t address)
{
	const struct multiboot_info *mb = at(address);
	const struct multiboot_module *modules = at(mb->modules);

	if (!(mb->flags & MULTIBOOT_HAS_CMDLINE) || !(mb->flags & MULTIBOOT_HAS_MODULES) ||
	    !(mb->flags & MULTIBOOT_HAS_MAP))
		kit_exit(92);
	info->cmdline = at(mb->cmdline);
	for (uint32_t i = 0; i < mb->nr_modules; i++)
		add_module(info, modules[i].start, modules[i].end - modules[i].start, at(modules[i].name));
	for (uint32_t done = 0; done < mb->map_size;) {
		const struct multiboot_range *range = at(mb->map + done);

		add_range(info, range->start, range->length, range->type);
		done += range->size + (uint32_t)sizeof(range->size);
	}
}

static void read_linux(struct boot_info *info, uint64_t address)
{
	const struct boot_params *params = at(address);

	if (params->hdr.header != 0x53726448) /* "HdrS" */
		kit_exit(93);
	info->cmdline = at(params->hdr.cmd_line_ptr);
	info->rsdp = params->acpi_rsdp_addr;
	for (unsigned i = 0; i < params->e820_entries; i++)
		add_range(info, params->e820_table[i].addr, params->e820_table[i].size, params->e820_table[i].type);
	if (params->hdr.ramdisk_size)
		add_module(info, params->hdr.ramdisk_image, params->hdr.ramdisk_size, NULL);
	for (const struct setup_data *data = at(params->hdr.setup_data); data; data = at(data->next))
		if (data->type == SETUP_DTB)
			info->fdt = (uint64_t)(uintptr_t)data->data;
}

void boot_info_read(struct boot_info *info, unsigned protocol, uint64_t handed_over)
{
	info->protocol = protocol;
	if (protocol == BOOT_BY_PVH)
		read_pvh(info, handed_over);
	else if (protocol == BOOT_BY_MULTIBOOT)
		read_multiboot(info, handed_over);
	else
		read_linux(info, handed_over);
}

uint64_t boot_ram_end(const struct boot_info *info)
{
	const uint64_t here = (uint64_t)(uintptr_t)&boot_ram_end;

	for (unsigned i = 0; i < info->nr_ranges; i++)
		if (info->ranges[i].type == 1 && here - info->ranges[i].start < info->ranges[i].size)
			return info->ranges[i].start + info->ranges[i].size;
	kit_exit(94);
}

const char *boot_option(const struct boot_info *info, const char *key, char *buf, size_t size)
{
	const char *word = info->cmdline;

	while (*word) {
		const char *k = key;
		size_t len = 0;

		while (*k && *word == *k)
			word++, k++;
		if (!*k && *word == '=') {
			for (word++; *word && *word != ' ' && len + 1 < size; word++)
				buf[len++] = *word;
			buf[len] = 0;
			return buf;
		}
		while (*word && *word != ' ')
			word++;
		while (*word == ' ')
			word++;
	}
	return NULL;
}

uint64_t boot_option_number(const struct boot_info *info, const char *key, uint64_t otherwise)
{
	char digits[24];
	uint64_t value = 0;

	if (!boot_option(info, key, digits, sizeof(digits)))
		return otherwise;
	for (const char *d = digits; *d >= '0' && *d <= '9'; d++)
		value = value * 10 + (uint64_t)(*d - '0');
	return value;
}
