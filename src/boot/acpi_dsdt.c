/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The namespace is kept small: the guest's AML interpreter walks all of it at boot, and may run in an emulated CPU. So
 * there are no methods; a device without _STA is present and enabled (ACPI 6.3, 6.3.7).
 */
#include "boot/acpi_dsdt.h"

#include <stdio.h>

#include "boot/aml.h"

/* Two capital hexadecimal digits behind a two-letter prefix. */
static void open_numbered_device(struct aml *aml, const char *prefix, unsigned n)
{
	char name[5];

	ASSERT(n <= 0xff);
	snprintf(name, sizeof(name), "%.2s%02X", prefix, (uint8_t)n);
	aml_open_device(aml, name);
}

/* Soft off: the sleep control register takes the first element (ACPI 6.3, 4.8.3.7 and 7.4.2.6). */
static void put_soft_off(struct aml *aml)
{
	aml_put_name(aml, "_S5");
	aml_open_package(aml, 4);
	aml_put_integer(aml, LAYOUT_ACPI_S5_TYPE);
	for (unsigned i = 1; i < 4; i++)
		aml_put_integer(aml, 0);
	aml_close(aml);
}

/* Processor device (ACPI 6.3, 8.4); its _UID is the MADT's. */
static void put_processor(struct aml *aml, unsigned n)
{
	open_numbered_device(aml, "CP", n);
	aml_put_name(aml, "_HID");
	aml_put_string(aml, "ACPI0007");
	aml_put_name(aml, "_UID");
	aml_put_integer(aml, n);
	aml_close(aml);
}

static void put_uart(struct aml *aml, const char *name, unsigned uid, uint16_t port, unsigned irq)
{
	aml_open_device(aml, name);
	aml_put_name(aml, "_HID");
	aml_put_eisa_id(aml, "PNP0501");
	aml_put_name(aml, "_UID");
	aml_put_integer(aml, uid);
	aml_put_name(aml, "_CRS");
	aml_open_template(aml);
	aml_add_io(aml, port, 8);
	aml_add_isa_irq(aml, irq);
	aml_close(aml);
	aml_close(aml);
}

/* No IRQ: the clock raises none, and a guest that is promised one waits for it. */
static void put_rtc(struct aml *aml)
{
	aml_open_device(aml, "RTC");
	aml_put_name(aml, "_HID");
	aml_put_eisa_id(aml, "PNP0B00");
	aml_put_name(aml, "_CRS");
	aml_open_template(aml);
	aml_add_io(aml, LAYOUT_RTC_PORT, 2);
	aml_close(aml);
	aml_close(aml);
}

static void put_pvpanic(struct aml *aml)
{
	aml_open_device(aml, "PEVT");
	aml_put_name(aml, "_HID");
	aml_put_string(aml, "QEMU0001");
	aml_put_name(aml, "_CRS");
	aml_open_template(aml);
	aml_add_io(aml, LAYOUT_PVPANIC_PORT, 1);
	aml_close(aml);
	aml_close(aml);
}

static bool is_line_shared(const struct machine *machine, uint32_t gsi)
{
	unsigned users = 0;

	for (unsigned i = 0; i < machine->nr_virtio; i++)
		users += machine->virtio[i].gsi == gsi;
	return users > 1;
}

static void put_virtio(struct aml *aml, const struct machine *machine, unsigned n)
{
	const struct machine_virtio_slot *slot = &machine->virtio[n];

	ASSERT(slot->base <= UINT32_MAX);
	open_numbered_device(aml, "VR", n);
	aml_put_name(aml, "_HID");
	aml_put_string(aml, "LNRO0005");
	aml_put_name(aml, "_UID");
	aml_put_integer(aml, n);
	aml_put_name(aml, "_CRS");
	aml_open_template(aml);
	aml_add_memory32(aml, (uint32_t)slot->base, LAYOUT_VIRTIO_MMIO_SIZE);
	aml_add_interrupt(aml, slot->gsi, is_line_shared(machine, slot->gsi));
	aml_close(aml);
	aml_close(aml);
}

int acpi_dsdt_encode(const struct machine *machine, uint8_t *buf, size_t size, size_t *len)
{
	struct aml aml;

	aml_init(&aml, buf, size);
	put_soft_off(&aml);
	aml_open_scope(&aml, "_SB");
	for (unsigned i = 0; i < machine->nr_cpus; i++)
		put_processor(&aml, i);
	put_uart(&aml, "COM1", 1, LAYOUT_COM1_PORT, LAYOUT_COM1_GSI);
	put_uart(&aml, "COM2", 2, LAYOUT_COM2_PORT, LAYOUT_COM2_GSI);
	put_rtc(&aml);
	put_pvpanic(&aml);
	for (unsigned i = 0; i < machine->nr_virtio; i++)
		put_virtio(&aml, machine, i);
	aml_close(&aml);
	return aml_finish(&aml, len);
}
