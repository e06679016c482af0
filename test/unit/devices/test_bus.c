/* SPDX-License-Identifier: Apache-2.0 */
/* Registration, lookup and the edges of both address spaces. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "devices/bus.h"

/* Answers reads with its id in every byte and remembers the last access. */
struct probe {
	struct bus_device dev;
	uint8_t id;
	unsigned reads, writes;
	uint64_t offset;
	unsigned len;
	uint8_t written[8];
};

static void read_probe(struct bus_device *dev, uint64_t offset, uint8_t *data, unsigned len)
{
	struct probe *probe = container_of(dev, struct probe, dev);

	for (unsigned i = 0; i < len; i++)
		assert_int_equal(data[i], 0xff); /* preset by the bus */
	memset(data, probe->id, len);
	probe->reads++;
	probe->offset = offset;
	probe->len = len;
}

static void write_probe(struct bus_device *dev, uint64_t offset, const uint8_t *data, unsigned len)
{
	struct probe *probe = container_of(dev, struct probe, dev);

	memcpy(probe->written, data, len);
	probe->writes++;
	probe->offset = offset;
	probe->len = len;
}

static const struct bus_ops probe_ops = {.name = "probe", .read = read_probe, .write = write_probe};

static struct probe probe_at(enum bus_space space, uint64_t base, uint64_t size, uint8_t id)
{
	return (struct probe){.dev = {.ops = &probe_ops, .space = space, .base = base, .size = size}, .id = id};
}

/* Reads @len bytes and returns the first; the rest must be the same, and nothing beyond may be touched. */
static uint8_t read_id(struct bus *bus, enum bus_space space, uint64_t addr, unsigned len, bool claimed)
{
	uint8_t data[9];

	memset(data, 0x11, sizeof(data));
	assert_int_equal(bus_read(bus, space, addr, data, len), claimed);
	for (unsigned i = 1; i < len; i++)
		assert_int_equal(data[i], data[0]);
	assert_int_equal(data[len], 0x11);
	return data[0];
}

static void empty_bus_reads_all_ones_and_counts(void **state)
{
	struct bus bus = {0};
	uint8_t zero = 0;

	(void)state;
	assert_int_equal(read_id(&bus, BUS_PIO, 0x3f8, 1, false), 0xff);
	assert_int_equal(read_id(&bus, BUS_MMIO, 0xd0000000, 8, false), 0xff);
	assert_false(bus_write(&bus, BUS_PIO, 0x3f8, &zero, 1));
	assert_int_equal(bus.unclaimed, 3);
}

static void devices_added_in_any_order_are_each_found(void **state)
{
	struct bus bus = {0};
	struct probe probes[BUS_MAX_DEVICES];

	(void)state;
	for (unsigned i = 0; i < BUS_MAX_DEVICES; i++) {
		unsigned slot = i * 29 % BUS_MAX_DEVICES; /* 29 is odd: every slot once */

		probes[i] = probe_at(BUS_MMIO, 0xd0000000 + 0x1000ULL * slot, 0x1000, (uint8_t)slot);
		assert_int_equal(bus_add(&bus, &probes[i].dev), 0);
	}
	for (unsigned slot = 0; slot < BUS_MAX_DEVICES; slot++) {
		uint64_t base = 0xd0000000 + 0x1000ULL * slot;

		assert_int_equal(read_id(&bus, BUS_MMIO, base, 4, true), slot);
		assert_int_equal(read_id(&bus, BUS_MMIO, base + 0xffc, 4, true), slot);
	}
	assert_int_equal(bus.unclaimed, 0);
}

static void one_device_too_many_is_refused(void **state)
{
	struct bus bus = {0};
	struct probe probes[BUS_MAX_DEVICES + 1];

	(void)state;
	for (unsigned i = 0; i <= BUS_MAX_DEVICES; i++) {
		probes[i] = probe_at(BUS_PIO, 8ULL * i, 8, 1);
		assert_int_equal(bus_add(&bus, &probes[i].dev), i < BUS_MAX_DEVICES ? 0 : -ENOSPC);
	}
	probes[0] = probe_at(BUS_MMIO, 0, 8, 1);
	assert_int_equal(bus_add(&bus, &probes[0].dev), 0); /* the other space has its own room */
}

static void overlap_is_refused_on_every_side(void **state)
{
	static const struct {
		uint64_t base, size;
		int expected;
	} rows[] = {
		{0x100, 8, -EEXIST},	{0x0ff, 2, -EEXIST}, {0x107, 1, -EEXIST}, {0x102, 2, -EEXIST},
		{0x0f0, 0x40, -EEXIST}, {0x0f8, 8, 0},	     {0x108, 8, 0},
	};
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bus bus = {0};
		struct probe first = probe_at(BUS_PIO, 0x100, 8, 1);
		struct probe second = probe_at(BUS_PIO, rows[i].base, rows[i].size, 2);

		assert_int_equal(bus_add(&bus, &first.dev), 0);
		assert_int_equal(bus_add(&bus, &second.dev), rows[i].expected);
		assert_int_equal(read_id(&bus, BUS_PIO, 0x100, 1, true), 1);
	}
}

static void the_same_address_in_the_other_space_is_another_device(void **state)
{
	struct bus bus = {0};
	struct probe port = probe_at(BUS_PIO, 0x100, 8, 1), mmio = probe_at(BUS_MMIO, 0x100, 8, 2);

	(void)state;
	assert_int_equal(bus_add(&bus, &port.dev), 0);
	assert_int_equal(bus_add(&bus, &mmio.dev), 0);
	assert_int_equal(read_id(&bus, BUS_PIO, 0x100, 1, true), 1);
	assert_int_equal(read_id(&bus, BUS_MMIO, 0x100, 1, true), 2);
}

static void impossible_ranges_are_refused(void **state)
{
	static const struct {
		enum bus_space space;
		uint64_t base, size;
	} rows[] = {
		{BUS_PIO, 0x100, 0},	  {BUS_PIO, 0x10000, 1},     {BUS_PIO, 0xffff, 2},
		{BUS_PIO, UINT64_MAX, 1}, {BUS_MMIO, UINT64_MAX, 2}, {BUS_MMIO, 2, UINT64_MAX},
	};
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bus bus = {0};
		struct probe probe = probe_at(rows[i].space, rows[i].base, rows[i].size, 1);

		assert_int_equal(bus_add(&bus, &probe.dev), -EINVAL);
		assert_int_equal(bus.count[rows[i].space], 0);
	}
}

static void device_without_operations_is_refused(void **state)
{
	struct bus bus = {0};
	struct bus_device dev = {.space = BUS_PIO, .base = 0x100, .size = 1};

	(void)state;
	assert_int_equal(bus_add(&bus, &dev), -EINVAL);
}

static void access_carries_offset_width_and_bytes(void **state)
{
	struct bus bus = {0};
	struct probe probe = probe_at(BUS_MMIO, 0xd0000000, 0x1000, 0x5a);
	static const uint8_t data[8] = {1, 2, 3, 4, 5, 6, 7, 8};

	(void)state;
	assert_int_equal(bus_add(&bus, &probe.dev), 0);
	for (unsigned len = 1; len <= 8; len *= 2) {
		memset(probe.written, 0, sizeof(probe.written));
		assert_true(bus_write(&bus, BUS_MMIO, 0xd0000ff8, data, len));
		assert_int_equal(probe.offset, 0xff8);
		assert_int_equal(probe.len, len);
		assert_memory_equal(probe.written, data, len);
	}
}

static void access_straddling_the_end_is_unclaimed(void **state)
{
	struct bus bus = {0};
	struct probe probe = probe_at(BUS_PIO, 0x3f8, 8, 1), next = probe_at(BUS_PIO, 0x400, 8, 2);
	static const uint8_t data[4] = {0};

	(void)state;
	assert_int_equal(bus_add(&bus, &probe.dev), 0);
	assert_int_equal(bus_add(&bus, &next.dev), 0);
	assert_int_equal(read_id(&bus, BUS_PIO, 0x3fe, 2, true), 1);
	assert_int_equal(read_id(&bus, BUS_PIO, 0x3ff, 2, false), 0xff);
	assert_false(bus_write(&bus, BUS_PIO, 0x3fd, data, 4));
	assert_int_equal(read_id(&bus, BUS_PIO, 0x3f7, 2, false), 0xff); /* nor into the start */
	assert_int_equal(probe.writes + next.writes + next.reads, 0);
	assert_int_equal(bus.unclaimed, 3);
}

static void widths_no_device_has_are_unclaimed(void **state)
{
	struct bus bus = {0};
	struct probe mmio = probe_at(BUS_MMIO, 0, 0x1000, 1), port = probe_at(BUS_PIO, 0, 0x1000, 2);
	static const unsigned odd[] = {0, 3, 5, 6, 7};
	uint8_t data[8] = {0};

	(void)state;
	assert_int_equal(bus_add(&bus, &mmio.dev), 0);
	assert_int_equal(bus_add(&bus, &port.dev), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(odd); i++) {
		assert_false(bus_read(&bus, BUS_MMIO, 8, data, odd[i]));
		assert_false(bus_write(&bus, BUS_MMIO, 8, data, odd[i]));
	}
	assert_false(bus_read(&bus, BUS_PIO, 8, data, 8));
	assert_true(bus_read(&bus, BUS_MMIO, 8, data, 8));
	assert_int_equal(mmio.reads, 1);
	assert_int_equal(mmio.writes + port.reads, 0);
}

static void accesses_at_the_last_port_do_not_wrap(void **state)
{
	struct bus bus = {0};
	struct probe last = probe_at(BUS_PIO, 0xffff, 1, 1), first = probe_at(BUS_PIO, 0, 4, 2);

	(void)state;
	assert_int_equal(bus_add(&bus, &last.dev), 0);
	assert_int_equal(bus_add(&bus, &first.dev), 0);
	assert_int_equal(read_id(&bus, BUS_PIO, 0xffff, 1, true), 1);
	assert_int_equal(read_id(&bus, BUS_PIO, 0xffff, 2, false), 0xff);
	assert_int_equal(read_id(&bus, BUS_PIO, 0xfffd, 4, false), 0xff);
	assert_int_equal(first.reads, 0);
}

static void accesses_at_the_top_of_the_address_space_do_not_wrap(void **state)
{
	struct bus bus = {0};
	struct probe top = probe_at(BUS_MMIO, UINT64_MAX - 7, 8, 1), bottom = probe_at(BUS_MMIO, 0, 8, 2);

	(void)state;
	assert_int_equal(bus_add(&bus, &top.dev), 0);
	assert_int_equal(bus_add(&bus, &bottom.dev), 0);
	assert_int_equal(read_id(&bus, BUS_MMIO, UINT64_MAX - 7, 8, true), 1);
	assert_int_equal(read_id(&bus, BUS_MMIO, UINT64_MAX, 1, true), 1);
	assert_int_equal(read_id(&bus, BUS_MMIO, UINT64_MAX, 2, false), 0xff);
	assert_int_equal(read_id(&bus, BUS_MMIO, UINT64_MAX - 3, 8, false), 0xff);
	assert_int_equal(read_id(&bus, BUS_MMIO, UINT64_MAX - 8, 1, false), 0xff);
	assert_int_equal(bottom.reads, 0);
}

static void a_device_may_fill_its_whole_space(void **state)
{
	struct bus bus = {0};
	struct probe ports = probe_at(BUS_PIO, 0, 0x10000, 1), mmio = probe_at(BUS_MMIO, 1, UINT64_MAX, 2);

	(void)state;
	assert_int_equal(bus_add(&bus, &ports.dev), 0);
	assert_int_equal(bus_add(&bus, &mmio.dev), 0);
	assert_int_equal(read_id(&bus, BUS_PIO, 0xfffc, 4, true), 1);
	assert_int_equal(read_id(&bus, BUS_MMIO, UINT64_MAX, 1, true), 2);
	assert_int_equal(read_id(&bus, BUS_MMIO, 0, 1, false), 0xff);
}

static void missing_direction_is_claimed_and_inert(void **state)
{
	static const struct bus_ops inert_ops = {.name = "inert"};
	struct bus bus = {0};
	struct bus_device dev = {.ops = &inert_ops, .space = BUS_PIO, .base = 0x100, .size = 4};
	uint8_t zero = 0;

	(void)state;
	assert_int_equal(bus_add(&bus, &dev), 0);
	assert_int_equal(read_id(&bus, BUS_PIO, 0x100, 4, true), 0xff);
	assert_true(bus_write(&bus, BUS_PIO, 0x100, &zero, 1));
	assert_int_equal(bus.unclaimed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_bus_reads_all_ones_and_counts),
		cmocka_unit_test(devices_added_in_any_order_are_each_found),
		cmocka_unit_test(one_device_too_many_is_refused),
		cmocka_unit_test(overlap_is_refused_on_every_side),
		cmocka_unit_test(the_same_address_in_the_other_space_is_another_device),
		cmocka_unit_test(impossible_ranges_are_refused),
		cmocka_unit_test(device_without_operations_is_refused),
		cmocka_unit_test(access_carries_offset_width_and_bytes),
		cmocka_unit_test(access_straddling_the_end_is_unclaimed),
		cmocka_unit_test(widths_no_device_has_are_unclaimed),
		cmocka_unit_test(accesses_at_the_last_port_do_not_wrap),
		cmocka_unit_test(accesses_at_the_top_of_the_address_space_do_not_wrap),
		cmocka_unit_test(a_device_may_fill_its_whole_space),
		cmocka_unit_test(missing_direction_is_claimed_and_inert),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
