/* SPDX-License-Identifier: Apache-2.0 */
/* Prints what the VMM handed over, one fact a line. */
#include "guest.h"

#define FDT_MAGIC 0xedfe0dd0u /* big-endian 0xd00dfeed */

static void print_module(const struct boot_module *module)
{
	const char *bytes = (const char *)(uintptr_t)module->start;

	print("module ");
	print_number(module->size);
	print_char(' ');
	print(module->name && *module->name ? module->name : "-");
	print_char(' ');
	for (uint64_t i = 0; i < module->size && i < 64; i++)
		print_char(bytes[i] >= ' ' && bytes[i] < 0x7f ? bytes[i] : '?');
	print("\n");
}

static int tell(const struct boot_info *info)
{
	static const char *const protocols[] = {
		[BOOT_BY_PVH] = "pvh", [BOOT_BY_MULTIBOOT] = "multiboot", [BOOT_BY_LINUX] = "linux"};

	print("protocol ");
	print(protocols[info->protocol]);
	print("\ncmdline ");
	print(info->cmdline);
	print("\n");
	for (unsigned i = 0; i < info->nr_ranges; i++) {
		print(info->ranges[i].type == 1 ? "ram " : "reserved ");
		print_hex(info->ranges[i].start);
		print_char(' ');
		print_hex(info->ranges[i].start + info->ranges[i].size);
		print("\n");
	}
	for (unsigned i = 0; i < info->nr_modules; i++)
		print_module(&info->modules[i]);
	if (info->fdt)
		print(*(const uint32_t *)(uintptr_t)info->fdt == FDT_MAGIC ? "fdt ok\n" : "fdt bad\n");
	if (info->rsdp)
		print(memcmp((const void *)(uintptr_t)info->rsdp, "RSD PTR ", 8) == 0 ? "rsdp ok\n" : "rsdp bad\n");
	return 0;
}

const struct guest_test guest_boot_tests[] = {{"boot-info", tell}, {0}};
