/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the tables back by the byte offsets of ACPI 6.3, independently of the writer's structs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/endian.h"
#include "boot/acpi.h"

#define FILLER 0x5a

struct fixture {
	struct guest_mem mem;
	struct machine machine;
	uint64_t rsdp;
	uint64_t fadt;
	uint64_t madt;
	uint64_t dsdt;
};

static const uint8_t *at(const struct fixture *f, uint64_t address, uint64_t len)
{
	const uint8_t *p = guest_mem_ptr(&f->mem, gpa(address), len);

	assert_non_null(p);
	return p;
}

static uint8_t sum(const uint8_t *bytes, size_t len)
{
	uint8_t total = 0;

	while (len--)
		total = (uint8_t)(total + *bytes++);
	return total;
}

/* Checks what all tables have in common; returns the length. */
static uint32_t check_table(const struct fixture *f, uint64_t address, const char *signature, uint8_t revision)
{
	const uint8_t *header = at(f, address, 36);
	uint32_t length = load_le32(header + 4);

	assert_memory_equal(header, signature, 4);
	assert_true(address >= LAYOUT_ACPI && address + length <= LAYOUT_ACPI + LAYOUT_ACPI_SIZE);
	assert_int_equal(header[8], revision);
	assert_int_equal(sum(at(f, address, length), length), 0);
	return length;
}

static void build(struct fixture *f, unsigned nr_cpus, unsigned nr_virtio)
{
	struct error err;

	f->machine = (struct machine){.nr_cpus = nr_cpus, .nr_virtio = nr_virtio};
	for (unsigned i = 0; i < nr_virtio; i++)
		f->machine.virtio[i] = (struct machine_virtio_slot){
			.base = LAYOUT_VIRTIO_MMIO + i * LAYOUT_VIRTIO_MMIO_SIZE, .gsi = 9 + i % 15};
	assert_int_equal(acpi_write(&f->machine, &f->mem, &f->rsdp, &err), 0);

	const uint8_t *rsdp = at(f, f->rsdp, 36);
	const uint8_t *xsdt = at(f, load_le64(rsdp + 24), 52);

	assert_int_equal(check_table(f, load_le64(rsdp + 24), "XSDT", 1), 52);
	f->fadt = load_le64(xsdt + 36);
	f->madt = load_le64(xsdt + 44);
	f->dsdt = load_le64(at(f, f->fadt, 276) + 140);
}

static int set_up(void **state)
{
	static struct fixture fixture;

	*state = &fixture;
	if (guest_mem_init(&fixture.mem, 2 << 20))
		return -1;
	memset(fixture.mem.regions[0].hva, FILLER, fixture.mem.regions[0].size);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	guest_mem_fini(&f->mem);
	return 0;
}

static void the_rsdp_has_both_checksums(void **state)
{
	struct fixture *f = *state;

	build(f, 1, 1);
	const uint8_t *rsdp = at(f, f->rsdp, 36);

	assert_int_equal(f->rsdp % 16, 0);
	assert_int_equal(f->rsdp, LAYOUT_ACPI);
	assert_memory_equal(rsdp, "RSD PTR ", 8);
	assert_int_equal(sum(rsdp, 20), 0);
	assert_int_equal(sum(rsdp, 36), 0);
	assert_int_equal(rsdp[15], 2);
	assert_int_equal(load_le32(rsdp + 16), 0); /* no RSDT */
	assert_int_equal(load_le32(rsdp + 20), 36);
	assert_int_equal(load_le32(rsdp + 32) & 0xffffff00, 0); /* reserved */
}

static void assert_io_register(const uint8_t *gas, uint16_t port)
{
	assert_int_equal(gas[0], 1); /* system I/O */
	assert_int_equal(gas[1], 8);
	assert_int_equal(gas[2], 0);
	assert_int_equal(gas[3], 1);
	assert_int_equal(load_le64(gas + 4), port);
}

static void the_fadt_is_hardware_reduced(void **state)
{
	struct fixture *f = *state;

	build(f, 1, 1);
	assert_int_equal(check_table(f, f->fadt, "FACP", 6), 276);

	const uint8_t *fadt = at(f, f->fadt, 276);
	uint32_t flags = load_le32(fadt + 112);

	assert_int_equal(load_le32(fadt + 40), f->dsdt);
	assert_true(flags & 1u << 20);					   /* HW_REDUCED_ACPI */
	assert_true(flags & 1u << 10);					   /* RESET_REG_SUP */
	assert_true(flags & 1u << 4 && flags & 1u << 5);		   /* no fixed power and sleep buttons */
	assert_int_equal(load_le16(fadt + 109), 1 << 0 | 1 << 2 | 1 << 3); /* legacy devices, no VGA, no MSI */
	assert_int_equal(fadt[108], 0x32);				   /* the RTC's century */
	assert_int_equal(fadt[128], LAYOUT_ACPI_RESET_VALUE);
	assert_io_register(fadt + 116, LAYOUT_ACPI_RESET_PORT);
	assert_io_register(fadt + 244, LAYOUT_ACPI_SLEEP_PORT);
	assert_io_register(fadt + 256, LAYOUT_ACPI_STATUS_PORT);
	for (size_t i = 46; i < 108; i++) /* SCI_INT to MON_ALRM: no fixed hardware */
		assert_int_equal(fadt[i], 0);
	for (size_t i = 148; i < 244; i++)
		assert_int_equal(fadt[i], 0);
}

/* Walks the MADT and checks each of its structures. */
static void check_madt(const struct fixture *f)
{
	uint32_t length = check_table(f, f->madt, "APIC", 5);
	const uint8_t *madt = at(f, f->madt, length);
	unsigned lapics = 0, ioapics = 0, overrides = 0, nmis = 0;

	assert_int_equal(load_le32(madt + 36), LAYOUT_LAPIC);
	assert_int_equal(load_le32(madt + 40), 1);
	for (uint32_t i = 44; i < length; i += madt[i + 1]) {
		const uint8_t *entry = madt + i;

		assert_true(i + 2 <= length && entry[1] >= 6 && i + entry[1] <= length);
		switch (entry[0]) {
		case 0:
			assert_int_equal(entry[1], 8);
			assert_int_equal(entry[2], lapics);
			assert_int_equal(entry[3], lapics);
			assert_int_equal(load_le32(entry + 4), 1);
			lapics++;
			break;
		case 1:
			assert_int_equal(entry[1], 12);
			assert_true(entry[2] >= f->machine.nr_cpus); /* no processor's ID */
			assert_int_equal(load_le32(entry + 4), LAYOUT_IOAPIC);
			assert_int_equal(load_le32(entry + 8), 0);
			ioapics++;
			break;
		case 2:
			assert_int_equal(entry[1], 10);
			assert_int_equal(entry[2], 0);
			assert_int_equal(entry[3], 0);
			assert_int_equal(load_le32(entry + 4), 2);
			assert_int_equal(load_le16(entry + 8), 0);
			overrides++;
			break;
		case 4:
			assert_int_equal(entry[1], 6);
			assert_int_equal(entry[2], 0xff);
			assert_int_equal(entry[5], 1);
			nmis++;
			break;
		default:
			fail_msg("structure type %u", entry[0]);
		}
	}
	assert_int_equal(lapics, f->machine.nr_cpus);
	assert_int_equal(ioapics, 1);
	assert_int_equal(overrides, 1);
	assert_int_equal(nmis, 1);
}

static void the_madt_lists_processors_and_interrupts(void **state)
{
	static const unsigned counts[] = {1, 2, 15, 16, LAYOUT_MAX_CPUS};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		build(f, counts[i], 1);
		check_madt(f);
	}
}

static void the_dsdt_is_complete_in_the_largest_machine(void **state)
{
	struct fixture *f = *state;

	build(f, LAYOUT_MAX_CPUS, LAYOUT_MAX_VIRTIO_SLOTS);

	uint32_t length = check_table(f, f->dsdt, "DSDT", 2);
	const uint8_t *dsdt = at(f, f->dsdt, length);

	assert_non_null(memmem(dsdt, length, "CP3F", 4));
	assert_non_null(memmem(dsdt, length, "VR1F", 4));
	assert_null(memmem(dsdt, length, "CP40", 4));
	assert_null(memmem(dsdt, length, "VR20", 4));
	check_table(f, f->fadt, "FACP", 6);
	check_madt(f);
}

static void no_two_tables_overlap(void **state)
{
	struct fixture *f = *state;

	build(f, LAYOUT_MAX_CPUS, LAYOUT_MAX_VIRTIO_SLOTS);

	const uint64_t starts[] = {f->rsdp, f->fadt, f->madt, f->dsdt, load_le64(at(f, f->rsdp, 36) + 24)};
	const uint64_t lengths[] = {36, 276, load_le32(at(f, f->madt, 8) + 4), load_le32(at(f, f->dsdt, 8) + 4), 52};

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		for (size_t j = 0; j < i; j++)
			assert_true(starts[i] + lengths[i] <= starts[j] || starts[j] + lengths[j] <= starts[i]);
}

static void nothing_outside_the_area_is_written(void **state)
{
	struct fixture *f = *state;
	const uint8_t *ram = f->mem.regions[0].hva;

	build(f, LAYOUT_MAX_CPUS, LAYOUT_MAX_VIRTIO_SLOTS);
	for (uint64_t i = 0; i < f->mem.regions[0].size; i++)
		if ((i < LAYOUT_ACPI || i >= LAYOUT_ACPI + LAYOUT_ACPI_SIZE) && ram[i] != FILLER)
			fail_msg("byte %#lx was written", (unsigned long)i);
}

static void too_little_memory_is_told(void **state)
{
	struct machine machine = {.nr_cpus = 1};
	struct guest_mem small;
	struct error err = {0};
	uint64_t rsdp;

	(void)state;
	assert_int_equal(guest_mem_init(&small, LAYOUT_ACPI + LAYOUT_ACPI_SIZE - GUEST_PAGE_SIZE), 0);
	int code = acpi_write(&machine, &small, &rsdp, &err);

	guest_mem_fini(&small);
	assert_int_equal(code, -EFAULT);
	assert_non_null(strstr(err.text, "-m"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_rsdp_has_both_checksums, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_fadt_is_hardware_reduced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_madt_lists_processors_and_interrupts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_dsdt_is_complete_in_the_largest_machine, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_two_tables_overlap, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_outside_the_area_is_written, set_up, tear_down),
		cmocka_unit_test(too_little_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
