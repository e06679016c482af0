/* SPDX-License-Identifier: Apache-2.0 */
/* The clock in its four formats, status registers and firmware's memory sizes. */
#include "devices/rtc.h"
#include "unit/devices/port_machine.h"

#define INDEX 0x70
#define DATA  0x71
#define MIB   (1ULL << 20)
#define GIB   (1ULL << 30)

/* Sunday 2023-12-31 23:58:59 UTC */
#define NEW_YEARS_EVE 1704067139

struct fixture {
	struct bus bus;
	struct rtc rtc;
	int64_t now;
};

static int64_t read_test_clock(void *opaque)
{
	const int64_t *now = opaque;

	return *now;
}

static void set_up_ram(struct fixture *f, uint64_t low, uint64_t high)
{
	*f = (struct fixture){.now = NEW_YEARS_EVE};
	rtc_init(&f->rtc, INDEX, low, high, (struct rtc_clock){.now = read_test_clock, .opaque = &f->now});
	assert_int_equal(bus_add(&f->bus, &f->rtc.dev), 0);
}

static int set_up(void **state)
{
	static struct fixture fixture;

	set_up_ram(&fixture, 256 * MIB, 0);
	*state = &fixture;
	return 0;
}

static uint8_t get(struct fixture *f, uint8_t reg)
{
	out8(&f->bus, INDEX, reg);
	return in8(&f->bus, DATA);
}

/* As drivers read the time: behind a look at register A. */
static uint8_t get_time(struct fixture *f, uint8_t reg)
{
	get(f, 0x0a);
	return get(f, reg);
}

static void put(struct fixture *f, uint8_t reg, uint8_t value)
{
	out8(&f->bus, INDEX, reg);
	out8(&f->bus, DATA, value);
}

static void time_is_bcd_and_24_hours_at_first(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(get(f, 0x0b), 0x02);
	assert_int_equal(get(f, 0x00), 0x59);
	assert_int_equal(get(f, 0x02), 0x58);
	assert_int_equal(get(f, 0x04), 0x23);
	assert_int_equal(get(f, 0x06), 0x01); /* Sunday */
	assert_int_equal(get(f, 0x07), 0x31);
	assert_int_equal(get(f, 0x08), 0x12);
	assert_int_equal(get(f, 0x09), 0x23);
	assert_int_equal(get(f, 0x32), 0x20);
}

static void status_b_chooses_binary(void **state)
{
	struct fixture *f = *state;

	put(f, 0x0b, 0x06);
	assert_int_equal(get(f, 0x0b), 0x06);
	assert_int_equal(get(f, 0x00), 59);
	assert_int_equal(get(f, 0x02), 58);
	assert_int_equal(get(f, 0x04), 23);
	assert_int_equal(get(f, 0x07), 31);
	assert_int_equal(get(f, 0x09), 23);
	assert_int_equal(get(f, 0x32), 20);
}

static void twelve_hour_mode_marks_the_afternoon(void **state)
{
	static const struct {
		int hour;
		uint8_t bcd;
	} rows[] = {{0, 0x12}, {1, 0x01}, {11, 0x11}, {12, 0x92}, {13, 0x81}, {23, 0x91}};
	struct fixture *f = *state;

	put(f, 0x0b, 0x00);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		f->now = rows[i].hour * 3600;
		assert_int_equal(get_time(f, 0x04), rows[i].bcd);
	}
	put(f, 0x0b, 0x04);
	f->now = 22 * 3600;
	assert_int_equal(get_time(f, 0x04), 0x80 | 10);
}

static void clock_follows_the_host_over_a_leap_day(void **state)
{
	struct fixture *f = *state;

	f->now = 1709164800; /* 2024-02-29 00:00:00 */
	assert_int_equal(get_time(f, 0x07), 0x29);
	assert_int_equal(get_time(f, 0x08), 0x02);
	f->now += 86400;
	assert_int_equal(get_time(f, 0x07), 0x01);
	assert_int_equal(get_time(f, 0x08), 0x03);
}

static void time_stands_still_while_a_driver_reads_it(void **state)
{
	struct fixture *f = *state;

	f->now = 1709164799; /* 2024-02-28 23:59:59 */
	assert_int_equal(get(f, 0x00), 0x59);
	f->now++;
	assert_int_equal(get(f, 0x02), 0x59);
	assert_int_equal(get(f, 0x07), 0x28);
	assert_int_equal(get(f, 0x00), 0x00);
	assert_int_equal(get(f, 0x07), 0x29);
}

static void absurd_host_time_reads_as_1970(void **state)
{
	static const int64_t times[] = {INT64_MAX, INT64_MIN, 253402300800 /* year 10000 */,
					-62167219201 /* year -1 */};
	struct fixture *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(times); i++) {
		f->now = times[i];
		assert_int_equal(get_time(f, 0x09), 0x70);
		assert_int_equal(get_time(f, 0x32), 0x19);
		assert_int_equal(get_time(f, 0x07), 0x01);
	}
	f->now = 253402300799; /* the last second of 9999 */
	assert_int_equal(get_time(f, 0x09), 0x99);
	assert_int_equal(get_time(f, 0x32), 0x99);
}

static void status_registers_say_running_and_valid(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(get(f, 0x0a), 0x26);
	assert_int_equal(get(f, 0x0c), 0);
	assert_int_equal(get(f, 0x0d), 0x80);
	put(f, 0x0a, 0xff);
	put(f, 0x0c, 0xff);
	put(f, 0x0d, 0x00);
	assert_int_equal(get(f, 0x0a), 0x26);
	assert_int_equal(get(f, 0x0c), 0);
	assert_int_equal(get(f, 0x0d), 0x80);
	put(f, 0x0b, 0xff); /* no interrupts, no stopping: only the formats can be set */
	assert_int_equal(get(f, 0x0b), 0x06);
}

static void setting_the_time_changes_nothing(void **state)
{
	static const uint8_t registers[] = {0x00, 0x02, 0x04, 0x06, 0x07, 0x08, 0x09, 0x32};
	struct fixture *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
		uint8_t before = get(f, registers[i]);

		put(f, registers[i], (uint8_t)~before);
		assert_int_equal(get(f, registers[i]), before);
	}
}

static void other_bytes_are_memory(void **state)
{
	struct fixture *f = *state;

	put(f, 0x0f, 0xa5); /* shutdown code: Linux writes it before it starts CPUs */
	put(f, 0x7f, 0x5a);
	put(f, 0x01, 0x33); /* alarm */
	assert_int_equal(get(f, 0x0f), 0xa5);
	assert_int_equal(get(f, 0x7f), 0x5a);
	assert_int_equal(get(f, 0x01), 0x33);
}

static void nmi_mask_bit_is_not_part_of_the_index(void **state)
{
	struct fixture *f = *state;

	put(f, 0x8f, 0x77);
	assert_int_equal(get(f, 0x0f), 0x77);
}

static void index_port_reads_all_ones(void **state)
{
	struct fixture *f = *state;

	out8(&f->bus, INDEX, 0x0d);
	assert_int_equal(in8(&f->bus, INDEX), 0xff);
	assert_int_equal(in16(&f->bus, INDEX), 0x80ff);
}

static void word_write_sets_index_and_data(void **state)
{
	struct fixture *f = *state;

	out16(&f->bus, INDEX, 0x9920);
	assert_int_equal(get(f, 0x20), 0x99);
}

static unsigned get_word(struct fixture *f, uint8_t reg)
{
	return get(f, reg) | (unsigned)get(f, reg + 1) << 8;
}

static void memory_sizes_follow_the_ram(void **state)
{
	static const struct {
		uint64_t low, high;
		unsigned extended_kib, above_16m, above_4g; /* in KiB, 64 KiB, 64 KiB */
	} rows[] = {
		{512 << 10, 0, 0, 0, 0},
		{1 * MIB, 0, 0, 0, 0},
		{16 * MIB, 0, 15 << 10, 0, 0},
		{64 * MIB, 0, 63 << 10, 48 << 4, 0},
		{256 * MIB, 0, 0xffff, 240 << 4, 0},
		{3 * GIB, 1 * GIB, 0xffff, (3072 - 16) << 4, 16384},
		{3 * GIB, 1ULL << 50, 0xffff, (3072 - 16) << 4, 0xffffff},
	};
	struct fixture *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		set_up_ram(f, rows[i].low, rows[i].high);
		assert_int_equal(get_word(f, 0x15), 640);
		assert_int_equal(get_word(f, 0x17), rows[i].extended_kib);
		assert_int_equal(get_word(f, 0x30), rows[i].extended_kib);
		assert_int_equal(get_word(f, 0x34), rows[i].above_16m);
		assert_int_equal(get_word(f, 0x5b) | (unsigned)get(f, 0x5d) << 16, rows[i].above_4g);
	}
}

static void host_clock_is_past_2020(void **state)
{
	struct rtc_clock clock = rtc_host_clock();

	(void)state;
	assert_true(clock.now(clock.opaque) > 1577836800);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(time_is_bcd_and_24_hours_at_first, set_up),
		cmocka_unit_test_setup(status_b_chooses_binary, set_up),
		cmocka_unit_test_setup(twelve_hour_mode_marks_the_afternoon, set_up),
		cmocka_unit_test_setup(clock_follows_the_host_over_a_leap_day, set_up),
		cmocka_unit_test_setup(time_stands_still_while_a_driver_reads_it, set_up),
		cmocka_unit_test_setup(absurd_host_time_reads_as_1970, set_up),
		cmocka_unit_test_setup(status_registers_say_running_and_valid, set_up),
		cmocka_unit_test_setup(setting_the_time_changes_nothing, set_up),
		cmocka_unit_test_setup(other_bytes_are_memory, set_up),
		cmocka_unit_test_setup(nmi_mask_bit_is_not_part_of_the_index, set_up),
		cmocka_unit_test_setup(index_port_reads_all_ones, set_up),
		cmocka_unit_test_setup(word_write_sets_index_and_data, set_up),
		cmocka_unit_test_setup(memory_sizes_follow_the_ram, set_up),
		cmocka_unit_test_setup(host_clock_is_past_2020, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
