/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <libfdt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "boot/fdt.h"

#define CMDLINE "console=ttyS0 quiet"

static uint8_t buf[LAYOUT_FDT_SIZE];
static const struct guest_region regions[] = {
	{.base = {0}, .size = GUEST_MMIO_HOLE_START},
	{.base = {GUEST_MMIO_HOLE_END}, .size = 1ULL << 30},
};

static struct machine make_machine(unsigned nr_cpus, unsigned nr_virtio)
{
	struct machine machine = {.nr_cpus = nr_cpus, .nr_virtio = nr_virtio};

	for (unsigned i = 0; i < nr_virtio; i++)
		machine.virtio[i] = (struct machine_virtio_slot){
			.base = LAYOUT_VIRTIO_MMIO + i * LAYOUT_VIRTIO_MMIO_SIZE, .gsi = 9 + i % 15};
	return machine;
}

/* A memory layout only to be described: nothing is mapped. */
static struct guest_mem describe_memory(unsigned nr_regions)
{
	struct guest_mem mem = {.nr_regions = nr_regions};

	for (unsigned i = 0; i < nr_regions; i++)
		mem.regions[i] = regions[i];
	return mem;
}

static int build(unsigned nr_cpus, unsigned nr_virtio, unsigned nr_regions, uint64_t initrd_size)
{
	struct machine machine = make_machine(nr_cpus, nr_virtio);
	struct guest_mem mem = describe_memory(nr_regions);
	struct error err;
	int size = fdt_build(&machine, &mem, CMDLINE, 0x123456000, initrd_size, buf, sizeof(buf), &err);

	assert_true(size > 0);
	assert_int_equal(fdt_check_full(buf, (size_t)size), 0);
	assert_int_equal(fdt_totalsize(buf), size);
	return size;
}

static int find_node(const char *path)
{
	int node = fdt_path_offset(buf, path);

	if (node < 0)
		fail_msg("%s: %s", path, fdt_strerror(node));
	return node;
}

static void assert_string(const char *path, const char *name, const char *want)
{
	int len;
	const char *value = fdt_getprop(buf, find_node(path), name, &len);

	assert_non_null(value);
	assert_int_equal(len, strlen(want) + 1);
	assert_string_equal(value, want);
}

/* The property is exactly these cells. */
static void assert_cells(const char *path, const char *name, const uint32_t *want, unsigned n)
{
	int len;
	const fdt32_t *cells = fdt_getprop(buf, find_node(path), name, &len);

	assert_non_null(cells);
	assert_int_equal(len, n * sizeof(*cells));
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(fdt32_ld(&cells[i]), want[i]);
}

#define assert_cells_are(path, name, ...)                                                                              \
	assert_cells(path, name, (const uint32_t[]){__VA_ARGS__},                                                      \
		     sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static bool has_property(const char *path, const char *name)
{
	return fdt_getprop(buf, find_node(path), name, NULL) != NULL;
}

static void the_root_counts_in_two_cells(void **state)
{
	(void)state;
	build(1, 1, 1, 0);
	assert_int_equal(fdt_address_cells(buf, 0), 2);
	assert_int_equal(fdt_size_cells(buf, 0), 2);
	assert_true(has_property("/", "compatible"));
	assert_true(has_property("/", "model"));
}

static void chosen_has_the_command_line_and_the_initrd(void **state)
{
	(void)state;
	build(1, 0, 1, 0x2001);
	assert_string("/chosen", "bootargs", CMDLINE);
	assert_cells_are("/chosen", "linux,initrd-start", 1, 0x23456000);
	assert_cells_are("/chosen", "linux,initrd-end", 1, 0x23458001);
	/* The console's path leads to the first UART. */
	const char *path = fdt_getprop(buf, find_node("/chosen"), "stdout-path", NULL);

	assert_non_null(path);
	assert_int_equal(find_node(path), find_node("/isa/serial@3f8"));
}

static void without_an_initrd_there_is_no_range(void **state)
{
	(void)state;
	build(1, 0, 1, 0);
	assert_false(has_property("/chosen", "linux,initrd-start"));
	assert_false(has_property("/chosen", "linux,initrd-end"));
}

static void memory_has_a_range_for_each_region(void **state)
{
	(void)state;
	build(1, 0, 1, 0);
	assert_string("/memory@0", "device_type", "memory");
	assert_cells_are("/memory@0", "reg", 0, 0, 0, 0xc0000000);
	build(1, 0, 2, 0);
	assert_cells_are("/memory@0", "reg", 0, 0, 0, 0xc0000000, 1, 0, 0, 0x40000000);
}

static void each_processor_has_a_node(void **state)
{
	int cpus, node, n = 0;

	(void)state;
	build(LAYOUT_MAX_CPUS, 0, 1, 0);
	cpus = find_node("/cpus");
	assert_int_equal(fdt_address_cells(buf, cpus), 1);
	assert_int_equal(fdt_size_cells(buf, cpus), 0);
	fdt_for_each_subnode(node, buf, cpus)
	{
		const fdt32_t *reg = fdt_getprop(buf, node, "reg", NULL);

		assert_non_null(reg);
		assert_int_equal(fdt32_ld(reg), n);
		assert_string_equal(fdt_getprop(buf, node, "device_type", NULL), "cpu");
		n++;
	}
	assert_int_equal(n, LAYOUT_MAX_CPUS);
	assert_cells_are("/cpus/cpu@3f", "reg", 0x3f);
}

static void the_ioapic_is_everybodys_interrupt_parent(void **state)
{
	const char *ioapic = "/interrupt-controller@fec00000";
	uint32_t phandle;

	(void)state;
	build(1, 1, 1, 0);
	assert_string(ioapic, "compatible", "intel,ce4100-ioapic");
	assert_cells_are(ioapic, "reg", 0, 0xfec00000, 0, 0x1000);
	assert_cells_are(ioapic, "#interrupt-cells", 2);
	assert_true(has_property(ioapic, "interrupt-controller"));
	phandle = fdt_get_phandle(buf, find_node(ioapic));
	assert_cells_are("/", "interrupt-parent", phandle);
	assert_int_equal(fdt_node_offset_by_phandle(buf, phandle), find_node(ioapic));
	assert_cells_are("/interrupt-controller@fee00000", "reg", 0, 0xfee00000, 0, 0x1000);
}

static void isa_devices_have_their_ports(void **state)
{
	static const struct {
		const char *path;
		const char *compatible;
		uint32_t port, len;
		int gsi; /* -1: none */
	} devices[] = {
		{"/isa/serial@3f8", "ns16550a", 0x3f8, 8, 4},		{"/isa/serial@2f8", "ns16550a", 0x2f8, 8, 3},
		{"/isa/rtc@70", "motorola,mc146818", 0x70, 2, -1},	{"/isa/exit@f4", "vmm,exit-port", 0xf4, 4, -1},
		{"/isa/pvpanic@505", "vmm,pvpanic-port", 0x505, 1, -1},
	};

	(void)state;
	build(1, 0, 1, 0);
	assert_int_equal(fdt_address_cells(buf, find_node("/isa")), 2);
	assert_int_equal(fdt_size_cells(buf, find_node("/isa")), 1);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		assert_string(devices[i].path, "compatible", devices[i].compatible);
		assert_cells_are(devices[i].path, "reg", 1, devices[i].port, devices[i].len);
		if (devices[i].gsi >= 0)
			assert_cells_are(devices[i].path, "interrupts", (uint32_t)devices[i].gsi, 0);
		else
			assert_false(has_property(devices[i].path, "interrupts"));
	}
}

static void each_virtio_slot_has_a_node(void **state)
{
	unsigned n = 0;

	(void)state;
	build(1, LAYOUT_MAX_VIRTIO_SLOTS, 1, 0);
	for (int node = fdt_node_offset_by_compatible(buf, -1, "virtio,mmio"); node >= 0;
	     node = fdt_node_offset_by_compatible(buf, node, "virtio,mmio")) {
		const fdt32_t *reg = fdt_getprop(buf, node, "reg", NULL);
		const fdt32_t *interrupts = fdt_getprop(buf, node, "interrupts", NULL);

		assert_non_null(reg);
		assert_non_null(interrupts);
		assert_int_equal(fdt32_ld(&reg[0]), 0);
		assert_int_equal(fdt32_ld(&reg[1]), 0xd0000000 + 0x1000 * n);
		assert_int_equal(fdt32_ld(&reg[3]), 0x1000);
		assert_int_equal(fdt32_ld(&interrupts[0]), 9 + n % 15);
		assert_int_equal(fdt32_ld(&interrupts[1]), 0);
		n++;
	}
	assert_int_equal(n, LAYOUT_MAX_VIRTIO_SLOTS);
	assert_cells_are("/virtio@d001f000", "reg", 0, 0xd001f000, 0, 0x1000);
}

static void a_short_buffer_is_refused(void **state)
{
	struct machine machine = make_machine(1, 2);
	struct guest_mem mem = describe_memory(1);
	uint32_t need = (uint32_t)build(1, 2, 1, 0);
	struct error err;

	(void)state;
	for (uint32_t size = 0; size < need; size++) {
		uint8_t *small = malloc(size ? size : 1);

		assert_non_null(small);
		err.text[0] = '\0';
		int code = fdt_build(&machine, &mem, CMDLINE, 0, 0, small, size, &err);

		free(small);
		assert_int_equal(code, -ENOSPC);
		assert_true(err.text[0] != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_root_counts_in_two_cells),
		cmocka_unit_test(chosen_has_the_command_line_and_the_initrd),
		cmocka_unit_test(without_an_initrd_there_is_no_range),
		cmocka_unit_test(memory_has_a_range_for_each_region),
		cmocka_unit_test(each_processor_has_a_node),
		cmocka_unit_test(the_ioapic_is_everybodys_interrupt_parent),
		cmocka_unit_test(isa_devices_have_their_ports),
		cmocka_unit_test(each_virtio_slot_has_a_node),
		cmocka_unit_test(a_short_buffer_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
