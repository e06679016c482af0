/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the table back by the byte offsets of the MP specification 1.4, independently of the writer's structs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/endian.h"
#include "boot/mptable.h"

#define FILLER 0x5a

/* What walking a table found. */
struct walk {
	unsigned cpus, buses, ioapics, locals;
	uint8_t ioapic_id;
	int pin_of_irq[256]; /* -1: no entry */
	uint16_t flags_of_irq[256];
	unsigned users_of_pin[LAYOUT_IOAPIC_PINS];
};

static struct guest_mem mem;

static int set_up(void **state)
{
	(void)state;
	if (guest_mem_init(&mem, 2 << 20))
		return -1;
	memset(mem.regions[0].hva, FILLER, mem.regions[0].size);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	guest_mem_fini(&mem);
	return 0;
}

static const uint8_t *at(uint64_t address, uint64_t len)
{
	const uint8_t *p = guest_mem_ptr(&mem, gpa(address), len);

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

static void write_table(const struct machine *machine)
{
	struct error err;

	assert_int_equal(mptable_write(machine, &mem, &err), 0);
}

static void visit_processor(struct walk *w, const uint8_t *entry)
{
	assert_int_equal(entry[1], w->cpus);
	assert_int_equal(entry[2], 0x14);
	assert_int_equal(entry[3], w->cpus == 0 ? 3 : 1); /* enabled; the first is the boot processor */
	assert_true(load_le32(entry + 8) & 1u << 9);	  /* local APIC */
	w->cpus++;
}

static void visit_io_interrupt(struct walk *w, const uint8_t *entry)
{
	assert_int_equal(entry[1], 0); /* INT */
	assert_int_equal(entry[4], 0); /* ISA */
	assert_int_equal(entry[6], w->ioapic_id);
	assert_true(entry[7] < LAYOUT_IOAPIC_PINS);
	assert_int_equal(w->pin_of_irq[entry[5]], -1);
	w->pin_of_irq[entry[5]] = entry[7];
	w->flags_of_irq[entry[5]] = load_le16(entry + 2);
	w->users_of_pin[entry[7]]++;
}

static void visit_local_interrupt(struct walk *w, const uint8_t *entry)
{
	if (w->locals++ == 0) {
		assert_int_equal(entry[1], 3); /* ExtINT at the boot processor's LINT0 */
		assert_int_equal(entry[6], 0);
		assert_int_equal(entry[7], 0);
	} else {
		assert_int_equal(entry[1], 1); /* NMI at everybody's LINT1 */
		assert_int_equal(entry[6], 0xff);
		assert_int_equal(entry[7], 1);
	}
}

/* Checks the pointer, the header and each entry. */
static void walk_table(struct walk *w)
{
	const uint8_t *pointer = at(LAYOUT_MPTABLE_FLOAT, 16);
	const uint8_t *table = at(load_le32(pointer + 4), LAYOUT_MPTABLE_SIZE);
	uint16_t length = load_le16(table + 4), entries = load_le16(table + 34);
	uint32_t offset = 44;
	uint8_t last_type = 0;

	*w = (struct walk){0};
	memset(w->pin_of_irq, -1, sizeof(w->pin_of_irq));
	assert_true(length <= LAYOUT_MPTABLE_SIZE);
	assert_int_equal(sum(table, length), 0);
	for (unsigned i = 0; i < entries; i++) {
		const uint8_t *entry = table + offset;

		assert_true(offset < length);
		assert_true(entry[0] >= last_type);
		last_type = entry[0];
		offset += entry[0] == 0 ? 20 : 8;
		switch (entry[0]) {
		case 0:
			visit_processor(w, entry);
			break;
		case 1:
			assert_int_equal(entry[1], 0);
			assert_memory_equal(entry + 2, "ISA   ", 6);
			w->buses++;
			break;
		case 2:
			w->ioapic_id = entry[1];
			assert_int_equal(entry[2], 0x11);
			assert_int_equal(entry[3], 1);
			assert_int_equal(load_le32(entry + 4), LAYOUT_IOAPIC);
			w->ioapics++;
			break;
		case 3:
			visit_io_interrupt(w, entry);
			break;
		case 4:
			visit_local_interrupt(w, entry);
			break;
		default:
			fail_msg("entry type %u", entry[0]);
		}
	}
	assert_int_equal(offset, length);
	assert_int_equal(w->buses, 1);
	assert_int_equal(w->ioapics, 1);
	assert_int_equal(w->locals, 2);
}

static void the_floating_pointer_leads_to_the_table(void **state)
{
	const struct machine machine = {.nr_cpus = 1};
	const uint8_t *pointer;

	(void)state;
	write_table(&machine);
	pointer = at(LAYOUT_MPTABLE_FLOAT, 16);
	assert_int_equal(LAYOUT_MPTABLE_FLOAT % 16, 0);
	assert_memory_equal(pointer, "_MP_", 4);
	assert_int_equal(load_le32(pointer + 4), LAYOUT_MPTABLE);
	assert_int_equal(pointer[8], 1);
	assert_int_equal(pointer[9], 4);
	assert_int_equal(sum(pointer, 16), 0);
	for (size_t i = 11; i < 16; i++)
		assert_int_equal(pointer[i], 0);

	const uint8_t *table = at(LAYOUT_MPTABLE, 44);

	assert_memory_equal(table, "PCMP", 4);
	assert_int_equal(table[6], 4);
	assert_int_equal(load_le32(table + 36), LAYOUT_LAPIC);
	assert_int_equal(load_le32(table + 40), 0); /* no extended table */
}

static void every_processor_count_is_described(void **state)
{
	struct walk w;

	(void)state;
	for (unsigned n = 1; n <= LAYOUT_MAX_CPUS; n++) {
		const struct machine machine = {.nr_cpus = n};

		write_table(&machine);
		walk_table(&w);
		assert_int_equal(w.cpus, n);
		assert_true(w.ioapic_id >= n);
	}
}

static void isa_interrupts_go_to_their_pins_and_the_timer_to_pin_2(void **state)
{
	const struct machine machine = {.nr_cpus = 1};
	struct walk w;

	(void)state;
	write_table(&machine);
	walk_table(&w);
	assert_int_equal(w.pin_of_irq[0], 2);
	assert_int_equal(w.pin_of_irq[2], -1); /* the cascade */
	for (int irq = 1; irq < 256; irq++) {
		if (irq == 2)
			continue;
		assert_int_equal(w.pin_of_irq[irq], irq < 16 ? irq : -1);
		assert_int_equal(w.flags_of_irq[irq], 0);
	}
	for (unsigned pin = 0; pin < LAYOUT_IOAPIC_PINS; pin++)
		assert_true(w.users_of_pin[pin] <= 1);
}

static void virtio_lines_are_edge_triggered_and_active_high(void **state)
{
	struct machine machine = {.nr_cpus = 2, .nr_virtio = LAYOUT_MAX_VIRTIO_SLOTS};
	struct walk w;

	(void)state;
	for (unsigned i = 0; i < LAYOUT_MAX_VIRTIO_SLOTS; i++)
		machine.virtio[i].gsi = 9 + i % 15;
	write_table(&machine);
	walk_table(&w);
	for (int gsi = 9; gsi < LAYOUT_IOAPIC_PINS; gsi++) {
		assert_int_equal(w.pin_of_irq[gsi], gsi);
		assert_int_equal(w.flags_of_irq[gsi], 0x5);
		assert_int_equal(w.users_of_pin[gsi], 1);
	}
	assert_int_equal(w.flags_of_irq[4], 0);
}

static void the_largest_table_stays_in_its_place(void **state)
{
	struct machine machine = {.nr_cpus = LAYOUT_MAX_CPUS, .nr_virtio = 15};
	const uint8_t *ram = mem.regions[0].hva;

	(void)state;
	for (unsigned i = 0; i < 15; i++)
		machine.virtio[i].gsi = 9 + i;
	write_table(&machine);
	for (uint64_t i = 0; i < mem.regions[0].size; i++) {
		bool ours = (i >= LAYOUT_MPTABLE && i < LAYOUT_MPTABLE + LAYOUT_MPTABLE_SIZE) ||
			    (i >= LAYOUT_MPTABLE_FLOAT && i < LAYOUT_MPTABLE_FLOAT + 16);

		if (!ours && ram[i] != FILLER)
			fail_msg("byte %#lx was written", (unsigned long)i);
	}
}

static void too_little_memory_is_told(void **state)
{
	static const uint64_t sizes[] = {GUEST_PAGE_SIZE, LAYOUT_MPTABLE + GUEST_PAGE_SIZE};
	const struct machine machine = {.nr_cpus = LAYOUT_MAX_CPUS};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct guest_mem small;
		struct error err = {0};

		assert_int_equal(guest_mem_init(&small, sizes[i]), 0);
		int code = mptable_write(&machine, &small, &err);

		guest_mem_fini(&small);
		assert_int_equal(code, -EFAULT);
		assert_non_null(strstr(err.text, "-m"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_floating_pointer_leads_to_the_table, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_processor_count_is_described, set_up, tear_down),
		cmocka_unit_test_setup_teardown(isa_interrupts_go_to_their_pins_and_the_timer_to_pin_2, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(virtio_lines_are_edge_triggered_and_active_high, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_largest_table_stays_in_its_place, set_up, tear_down),
		cmocka_unit_test(too_little_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
