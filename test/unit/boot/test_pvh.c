/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/endian.h"
#include "boot/layout.h"
#include "boot/pvh.h"

#define MIB (1ULL << 20)

/* Offsets of Xen's hvm_start_info, hvm_modlist_entry and hvm_memmap_table_entry. */
#define INFO_MAGIC	 0
#define INFO_VERSION	 4
#define INFO_NR_MODULES	 12
#define INFO_MODLIST	 16
#define INFO_CMDLINE	 24
#define INFO_RSDP	 32
#define INFO_MEMMAP	 40
#define INFO_MEMMAP_SIZE 48
#define MODULE_SIZE	 32
#define MEMMAP_SIZE	 24

static const uint8_t *write(struct guest_mem *mem, struct image_handover *handover)
{
	struct error err;

	assert_int_equal(guest_mem_init(mem, 16 * MIB), 0);
	e820_build(&handover->map, mem);
	assert_int_equal(pvh_write(handover, mem, &err), 0);
	return mem->regions[0].hva + LAYOUT_START_INFO;
}

static void start_info_points_to_command_line_rsdp_and_memory_map(void **state)
{
	struct image_handover handover = {.rsdp = 0xe0000};
	struct guest_mem mem;
	const uint8_t *info = write(&mem, &handover), *entry;

	(void)state;
	assert_int_equal(load_le32(info + INFO_MAGIC), 0x336ec578);
	assert_int_equal(load_le32(info + INFO_VERSION), 1);
	assert_int_equal(load_le64(info + INFO_CMDLINE), LAYOUT_CMDLINE);
	assert_int_equal(load_le64(info + INFO_RSDP), 0xe0000);
	assert_int_equal(load_le32(info + INFO_MEMMAP_SIZE), handover.map.count);
	entry = mem.regions[0].hva + load_le64(info + INFO_MEMMAP);
	for (unsigned i = 0; i < handover.map.count; i++, entry += MEMMAP_SIZE) {
		assert_int_equal(load_le64(entry), handover.map.entries[i].base);
		assert_int_equal(load_le64(entry + 8), handover.map.entries[i].size);
		assert_int_equal(load_le32(entry + 16), handover.map.entries[i].type);
	}
	assert_int_equal(load_le32(info + INFO_NR_MODULES), 0);
	guest_mem_fini(&mem);
}

static void initrd_is_module_zero(void **state)
{
	struct image_handover handover = {.initrd_start = 8 * MIB, .initrd_size = 1234};
	struct guest_mem mem;
	const uint8_t *info = write(&mem, &handover), *module = mem.regions[0].hva + load_le64(info + INFO_MODLIST);

	(void)state;
	assert_int_equal(load_le32(info + INFO_NR_MODULES), 1);
	assert_int_equal(load_le64(module), 8 * MIB);
	assert_int_equal(load_le64(module + 8), 1234);
	assert_string_equal((const char *)mem.regions[0].hva + load_le64(module + 16), "");
	guest_mem_fini(&mem);
}

static void device_tree_is_module_one_by_name_and_never_module_zero(void **state)
{
	(void)state;
	for (uint64_t initrd_size = 0; initrd_size <= 1234; initrd_size += 1234) {
		struct image_handover handover = {.initrd_size = initrd_size, .fdt_size = 777};
		struct guest_mem mem;
		const uint8_t *info = write(&mem, &handover);
		const uint8_t *modules = mem.regions[0].hva + load_le64(info + INFO_MODLIST);

		assert_int_equal(load_le32(info + INFO_NR_MODULES), 2);
		assert_int_equal(load_le64(modules + 8), initrd_size);
		assert_int_equal(load_le64(modules + MODULE_SIZE), IMAGE_FDT_ADDRESS);
		assert_int_equal(load_le64(modules + MODULE_SIZE + 8), 777);
		assert_string_equal((const char *)mem.regions[0].hva + load_le64(modules + MODULE_SIZE + 16), "fdt");
		guest_mem_fini(&mem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_info_points_to_command_line_rsdp_and_memory_map),
		cmocka_unit_test(initrd_is_module_zero),
		cmocka_unit_test(device_tree_is_module_one_by_name_and_never_module_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
