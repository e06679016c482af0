/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <asm/bootparam.h>
#include <string.h>

#include "boot/layout.h"
#include "boot/linux_params.h"

#define MIB (1ULL << 20)

static void write(struct guest_mem *mem, const struct image_kernel *kernel, struct image_handover *handover,
		  struct boot_params *params)
{
	struct error err;

	assert_int_equal(guest_mem_init(mem, 16 * MIB), 0);
	/* What an earlier writer left must not shine through. */
	memset(mem->regions[0].hva + LAYOUT_BOOT_PARAMS, 0xff, sizeof(*params));
	e820_build(&handover->map, mem);
	assert_int_equal(linux_params_write(kernel, handover, mem, &err), 0);
	assert_int_equal(guest_mem_read(mem, gpa(LAYOUT_BOOT_PARAMS), params, sizeof(*params)), 0);
}

static const struct image_kernel vmlinux = {
	.start = 4 * MIB, .end = 6 * MIB, .working_end = 6 * MIB, .initrd_end = 0x80000000, .cmdline_max = 4095};

static void vmlinux_gets_a_header_that_linux_accepts(void **state)
{
	struct image_handover handover = {.initrd_start = 8 * MIB, .initrd_size = 5000, .rsdp = 0xe0000};
	struct boot_params params;
	struct guest_mem mem;

	(void)state;
	write(&mem, &vmlinux, &handover, &params);
	assert_int_equal(params.hdr.header, 0x53726448);
	assert_int_equal(params.hdr.boot_flag, 0xaa55);
	assert_int_equal(params.hdr.version, 0x20f);
	assert_int_equal(params.hdr.type_of_loader, 0xff);
	assert_int_equal(params.hdr.loadflags, LOADED_HIGH);
	assert_int_equal(params.hdr.cmd_line_ptr, LAYOUT_CMDLINE);
	assert_int_equal(params.hdr.ramdisk_image, 8 * MIB);
	assert_int_equal(params.hdr.ramdisk_size, 5000);
	assert_int_equal(params.hdr.initrd_addr_max, 0x7fffffff);
	assert_int_equal(params.hdr.setup_data, 0);
	assert_int_equal(params.acpi_rsdp_addr, 0xe0000);
	assert_int_equal(params.sentinel, 0);
	assert_int_equal(params.screen_info.orig_video_isVGA, 0);
	guest_mem_fini(&mem);
}

static void memory_map_is_handed_over(void **state)
{
	struct image_handover handover = {0};
	struct boot_params params;
	struct guest_mem mem;

	(void)state;
	write(&mem, &vmlinux, &handover, &params);
	assert_int_equal(params.e820_entries, handover.map.count);
	for (unsigned i = 0; i < handover.map.count; i++) {
		assert_int_equal(params.e820_table[i].addr, handover.map.entries[i].base);
		assert_int_equal(params.e820_table[i].size, handover.map.entries[i].size);
		assert_int_equal(params.e820_table[i].type, handover.map.entries[i].type);
	}
	assert_int_equal(params.e820_table[handover.map.count].size, 0);
	guest_mem_fini(&mem);
}

static void bzimage_keeps_its_header_but_for_the_loaders_fields(void **state)
{
	struct image_handover handover = {0};
	struct image_kernel kernel = vmlinux;
	struct setup_header header = {.version = 0x20d,
				      .loadflags = KASLR_FLAG | CAN_USE_HEAP,
				      .cmd_line_ptr = 0x41414141,
				      .setup_data = 0x4141414141414141,
				      .type_of_loader = 0x41,
				      .ramdisk_size = 0x41414141,
				      .kernel_alignment = 0x200000,
				      .init_size = 0x123000};
	struct boot_params params;
	struct guest_mem mem;

	(void)state;
	kernel.has_setup_header = true;
	memcpy(kernel.setup_header, &header, sizeof(header));
	write(&mem, &kernel, &handover, &params);
	assert_int_equal(params.hdr.version, 0x20d);
	assert_int_equal(params.hdr.kernel_alignment, 0x200000);
	assert_int_equal(params.hdr.init_size, 0x123000);
	assert_int_equal(params.hdr.loadflags, LOADED_HIGH | KASLR_FLAG);
	assert_int_equal(params.hdr.cmd_line_ptr, LAYOUT_CMDLINE);
	assert_int_equal(params.hdr.setup_data, 0);
	assert_int_equal(params.hdr.type_of_loader, 0xff);
	assert_int_equal(params.hdr.ramdisk_size, 0);
	assert_int_equal(params.ext_ramdisk_image, 0);
	guest_mem_fini(&mem);
}

static void device_tree_is_the_only_setup_data(void **state)
{
	struct image_handover handover = {.fdt_size = 777};
	struct boot_params params;
	struct setup_data node;
	struct guest_mem mem;

	(void)state;
	write(&mem, &vmlinux, &handover, &params);
	assert_int_equal(params.hdr.setup_data, LAYOUT_FDT);
	assert_int_equal(guest_mem_read(&mem, gpa(LAYOUT_FDT), &node, sizeof(node)), 0);
	assert_int_equal(node.next, 0);
	assert_int_equal(node.type, SETUP_DTB);
	assert_int_equal(node.len, 777);
	guest_mem_fini(&mem);
}

/* It has ACPI and the MP table, and would count the CPUs of the tree once more. */
static void linux_gets_no_device_tree(void **state)
{
	struct image_handover handover = {.fdt_size = 777};
	struct image_kernel kernel = vmlinux;
	struct boot_params params;
	struct guest_mem mem;

	(void)state;
	kernel.is_linux = true;
	write(&mem, &kernel, &handover, &params);
	assert_int_equal(params.hdr.setup_data, 0);
	guest_mem_fini(&mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vmlinux_gets_a_header_that_linux_accepts),
		cmocka_unit_test(memory_map_is_handed_over),
		cmocka_unit_test(bzimage_keeps_its_header_but_for_the_loaders_fields),
		cmocka_unit_test(device_tree_is_the_only_setup_data),
		cmocka_unit_test(linux_gets_no_device_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
