/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devicetree Specification 0.4; interrupt controllers as Linux's bindings have them on x86 ("intel,ce4100-ioapic"),
 * port I/O as the ISA bus binding has it: an address of two cells, of which the first is 1. Start-up only.
 */
#include "boot/fdt.h"

#include <errno.h>
#include <inttypes.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#define PHANDLE_IOAPIC	 1
#define IRQ_EDGE_RISING	 0 /* second interrupt cell, intel,ce4100-ioapic */
#define ISA_IO_SPACE	 1
#define UART_CLOCK_HZ	 1843200
#define APIC_WINDOW_SIZE 0x1000

/* Sticky: after the first error nothing more is written. */
struct writer {
	void *fdt;
	int err; /* of libfdt */
};

static void begin_node(struct writer *w, const char *name)
{
	if (!w->err)
		w->err = fdt_begin_node(w->fdt, name);
}

static void begin_node_at(struct writer *w, const char *name, uint64_t address)
{
	char full[64];

	snprintf(full, sizeof(full), "%s@%" PRIx64, name, address);
	begin_node(w, full);
}

static void end_node(struct writer *w)
{
	if (!w->err)
		w->err = fdt_end_node(w->fdt);
}

static void put_bytes(struct writer *w, const char *name, const void *value, size_t len)
{
	if (!w->err)
		w->err = fdt_property(w->fdt, name, value, (int)len);
}

static void put_string(struct writer *w, const char *name, const char *value)
{
	put_bytes(w, name, value, strlen(value) + 1);
}

static void put_flag(struct writer *w, const char *name)
{
	put_bytes(w, name, NULL, 0);
}

static void put_u32(struct writer *w, const char *name, uint32_t value)
{
	fdt32_t cell = cpu_to_fdt32(value);

	put_bytes(w, name, &cell, sizeof(cell));
}

static void put_u64(struct writer *w, const char *name, uint64_t value)
{
	fdt64_t cells = cpu_to_fdt64(value);

	put_bytes(w, name, &cells, sizeof(cells));
}

/* One range in memory, of two address and two size cells. */
static void put_memory_reg(struct writer *w, uint64_t base, uint64_t size)
{
	fdt64_t cells[] = {cpu_to_fdt64(base), cpu_to_fdt64(size)};

	put_bytes(w, "reg", cells, sizeof(cells));
}

static void put_interrupt(struct writer *w, uint32_t gsi)
{
	fdt32_t cells[] = {cpu_to_fdt32(gsi), cpu_to_fdt32(IRQ_EDGE_RISING)};

	put_bytes(w, "interrupts", cells, sizeof(cells));
}

static void add_chosen(struct writer *w, const char *cmdline, uint64_t initrd_start, uint64_t initrd_size)
{
	begin_node(w, "chosen");
	put_string(w, "bootargs", cmdline);
	put_string(w, "stdout-path", "/isa/serial@3f8");
	if (initrd_size) {
		put_u64(w, "linux,initrd-start", initrd_start);
		put_u64(w, "linux,initrd-end", initrd_start + initrd_size);
	}
	end_node(w);
}

static void add_memory(struct writer *w, const struct guest_mem *mem)
{
	fdt64_t reg[2 * GUEST_MEM_MAX_REGIONS];

	for (unsigned i = 0; i < mem->nr_regions; i++) {
		reg[2 * i] = cpu_to_fdt64(mem->regions[i].base.addr);
		reg[2 * i + 1] = cpu_to_fdt64(mem->regions[i].size);
	}
	begin_node(w, "memory@0");
	put_string(w, "device_type", "memory");
	put_bytes(w, "reg", reg, 2 * mem->nr_regions * sizeof(reg[0]));
	end_node(w);
}

/* Linux's x86 binding: the reg of a CPU is its local APIC ID. */
static void add_cpus(struct writer *w, unsigned nr_cpus)
{
	begin_node(w, "cpus");
	put_u32(w, "#address-cells", 1);
	put_u32(w, "#size-cells", 0);
	for (unsigned i = 0; i < nr_cpus; i++) {
		begin_node_at(w, "cpu", i);
		put_string(w, "device_type", "cpu");
		put_string(w, "compatible", "x86-64");
		put_u32(w, "reg", i);
		end_node(w);
	}
	end_node(w);
}

static void add_apics(struct writer *w)
{
	begin_node_at(w, "interrupt-controller", LAYOUT_IOAPIC);
	put_string(w, "compatible", "intel,ce4100-ioapic");
	put_memory_reg(w, LAYOUT_IOAPIC, APIC_WINDOW_SIZE);
	put_flag(w, "interrupt-controller");
	put_u32(w, "#interrupt-cells", 2);
	put_u32(w, "#address-cells", 0);
	put_u32(w, "phandle", PHANDLE_IOAPIC);
	end_node(w);
	begin_node_at(w, "interrupt-controller", LAYOUT_LAPIC);
	put_string(w, "compatible", "intel,ce4100-lapic");
	put_memory_reg(w, LAYOUT_LAPIC, APIC_WINDOW_SIZE);
	end_node(w);
}

/* Leaves the node open for more properties. */
static void begin_isa_device(struct writer *w, const char *name, const char *compatible, uint32_t port, uint32_t len)
{
	fdt32_t reg[] = {cpu_to_fdt32(ISA_IO_SPACE), cpu_to_fdt32(port), cpu_to_fdt32(len)};

	begin_node_at(w, name, port);
	put_string(w, "compatible", compatible);
	put_bytes(w, "reg", reg, sizeof(reg));
}

static void add_uart(struct writer *w, uint32_t port, uint32_t gsi)
{
	begin_isa_device(w, "serial", "ns16550a", port, 8);
	put_u32(w, "clock-frequency", UART_CLOCK_HZ);
	put_interrupt(w, gsi);
	end_node(w);
}

/* No "ranges": ports are no addresses of the parent bus, which is memory. */
static void add_isa(struct writer *w)
{
	begin_node(w, "isa");
	put_string(w, "compatible", "isa");
	put_string(w, "device_type", "isa");
	put_u32(w, "#address-cells", 2);
	put_u32(w, "#size-cells", 1);
	add_uart(w, LAYOUT_COM1_PORT, LAYOUT_COM1_GSI);
	add_uart(w, LAYOUT_COM2_PORT, LAYOUT_COM2_GSI);
	begin_isa_device(w, "rtc", "motorola,mc146818", LAYOUT_RTC_PORT, 2);
	end_node(w);
	begin_isa_device(w, "exit", "vmm,exit-port", LAYOUT_EXIT_PORT, 4);
	end_node(w);
	begin_isa_device(w, "pvpanic", "vmm,pvpanic-port", LAYOUT_PVPANIC_PORT, 1);
	end_node(w);
	end_node(w);
}

static void add_virtio(struct writer *w, const struct machine_virtio_slot *slot)
{
	begin_node_at(w, "virtio", slot->base);
	put_string(w, "compatible", "virtio,mmio");
	put_memory_reg(w, slot->base, LAYOUT_VIRTIO_MMIO_SIZE);
	put_interrupt(w, slot->gsi);
	put_flag(w, "dma-coherent");
	end_node(w);
}

static int begin_tree(void *buf, uint32_t size)
{
	int err = fdt_create(buf, (int)size);

	/* What the memory node calls RAM but is not the guest's to use; the tree itself lies in the second range. */
	if (!err)
		err = fdt_add_reservemap_entry(buf, LAYOUT_LOW_RESERVED, LAYOUT_HIGH_MEM - LAYOUT_LOW_RESERVED);
	if (!err)
		err = fdt_add_reservemap_entry(buf, LAYOUT_FDT, LAYOUT_FDT_SIZE);
	return err ? err : fdt_finish_reservemap(buf);
}

static int build_failed(int code, uint32_t size, struct error *err)
{
	if (code == -FDT_ERR_NOSPACE)
		return error_set(err, -ENOSPC,
				 "device tree: does not fit in %" PRIu32 " bytes; use a shorter command line", size);
	return error_set(err, -EINVAL, "device tree: %s", fdt_strerror(code));
}

int fdt_build(const struct machine *machine, const struct guest_mem *mem, const char *cmdline, uint64_t initrd_start,
	      uint64_t initrd_size, void *buf, uint32_t size, struct error *err)
{
	struct writer w = {.fdt = buf, .err = begin_tree(buf, size)};

	ASSERT(size <= INT32_MAX);
	begin_node(&w, "");
	put_u32(&w, "#address-cells", 2);
	put_u32(&w, "#size-cells", 2);
	put_string(&w, "compatible", "vmm,machine");
	put_string(&w, "model", "vmm");
	/* Inherited by every node below. */
	put_u32(&w, "interrupt-parent", PHANDLE_IOAPIC);
	add_chosen(&w, cmdline, initrd_start, initrd_size);
	add_memory(&w, mem);
	add_cpus(&w, machine->nr_cpus);
	add_apics(&w);
	add_isa(&w);
	for (unsigned i = 0; i < machine->nr_virtio; i++)
		add_virtio(&w, &machine->virtio[i]);
	end_node(&w);
	if (!w.err)
		w.err = fdt_finish(buf);
	if (w.err)
		return build_failed(w.err, size, err);
	return (int)fdt_totalsize(buf);
}
