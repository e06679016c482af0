/* SPDX-License-Identifier: Apache-2.0 */
/* MC146818 register file ("Address map" and "Registers A-D" of Motorola's MC146818A data sheet). Under dev_lock. */
#include "devices/rtc.h"

#include <stdbool.h>
#include <time.h>

#define PORT_DATA  1
#define PORT_COUNT 2

#define INDEX_MASK 0x7f /* bit 7 of the index port masks NMIs */

enum rtc_register {
	REG_SECONDS = 0x00,
	REG_MINUTES = 0x02,
	REG_HOURS = 0x04,
	REG_WEEKDAY = 0x06,
	REG_DAY = 0x07,
	REG_MONTH = 0x08,
	REG_YEAR = 0x09,
	REG_A = 0x0a,
	REG_B = 0x0b,
	REG_C = 0x0c,
	REG_D = 0x0d,
	REG_BASE_KIB = 0x15,	   /* 2 bytes */
	REG_EXTENDED_KIB = 0x17,   /* 2 bytes: from 1 MiB on */
	REG_EXTENDED_KIB_2 = 0x30, /* the same, as found by the power-on test */
	REG_CENTURY = 0x32,
	REG_ABOVE_16M = 0x34, /* 2 bytes, units of 64 KiB */
	REG_ABOVE_4G = 0x5b,  /* 3 bytes, units of 64 KiB */
};

#define A_32KHZ_1024HZ 0x26 /* running; never "update in progress": see read_cmos */
#define B_BINARY       0x04
#define B_24_HOURS     0x02
#define D_VALID_RAM    0x80
#define HOURS_PM       0x80

#define MIB (1ULL << 20)

static uint8_t encode(const struct rtc *rtc, int value)
{
	if (rtc->control & B_BINARY)
		return (uint8_t)value;
	return (uint8_t)(value / 10 << 4 | value % 10);
}

static uint8_t encode_hours(const struct rtc *rtc, int hours)
{
	if (rtc->control & B_24_HOURS)
		return encode(rtc, hours);
	return encode(rtc, hours % 12 == 0 ? 12 : hours % 12) | (hours >= 12 ? HOURS_PM : 0);
}

static struct tm current_time(const struct rtc *rtc)
{
	time_t now = (time_t)rtc->clock.now(rtc->clock.opaque);
	struct tm tm;

	/* A host clock outside year 0-9999 has no form here; gmtime_r itself fails only far beyond. */
	if (!gmtime_r(&now, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900) {
		now = 0;
		gmtime_r(&now, &tm);
	}
	return tm;
}

static bool is_time_register(uint8_t index)
{
	switch (index) {
	case REG_SECONDS:
	case REG_MINUTES:
	case REG_HOURS:
	case REG_WEEKDAY:
	case REG_DAY:
	case REG_MONTH:
	case REG_YEAR:
	case REG_CENTURY:
		return true;
	default:
		return false;
	}
}

static uint8_t read_time(const struct rtc *rtc, uint8_t index)
{
	const struct tm tm = rtc->time;
	int year = tm.tm_year + 1900;

	switch (index) {
	case REG_SECONDS:
		return encode(rtc, tm.tm_sec);
	case REG_MINUTES:
		return encode(rtc, tm.tm_min);
	case REG_HOURS:
		return encode_hours(rtc, tm.tm_hour);
	case REG_WEEKDAY:
		return encode(rtc, tm.tm_wday + 1);
	case REG_DAY:
		return encode(rtc, tm.tm_mday);
	case REG_MONTH:
		return encode(rtc, tm.tm_mon + 1);
	case REG_YEAR:
		return encode(rtc, year % 100);
	default:
		return encode(rtc, year / 100);
	}
}

/*
 * Drivers look at A (update in progress?) or begin with the seconds, and then read on: the time stands still meanwhile,
 * so that no minute changes between two registers.
 */
static uint8_t read_cmos(struct rtc *rtc)
{
	if (rtc->index == REG_A || rtc->index == REG_SECONDS)
		rtc->time = current_time(rtc);
	if (is_time_register(rtc->index))
		return read_time(rtc, rtc->index);
	switch (rtc->index) {
	case REG_A:
		return A_32KHZ_1024HZ;
	case REG_B:
		return rtc->control;
	case REG_C: /* no interrupt is ever pending */
		return 0;
	case REG_D:
		return D_VALID_RAM;
	default:
		return rtc->cmos[rtc->index];
	}
}

/* The time is the host's: setting it is accepted and forgotten. */
static void write_cmos(struct rtc *rtc, uint8_t value)
{
	if (is_time_register(rtc->index))
		return;
	switch (rtc->index) {
	case REG_A:
	case REG_C:
	case REG_D:
		return;
	case REG_B:
		rtc->control = value & (B_BINARY | B_24_HOURS);
		return;
	default:
		rtc->cmos[rtc->index] = value;
	}
}

/* The index port is write-only. */
static void read_ports(struct bus_device *dev, uint64_t offset, uint8_t *data, unsigned len)
{
	struct rtc *rtc = container_of(dev, struct rtc, dev);

	for (unsigned i = 0; i < len; i++)
		if (offset + i == PORT_DATA)
			data[i] = read_cmos(rtc);
}

/* A 16-bit write to the index port sets the index and then writes the byte, as on a PC. */
static void write_ports(struct bus_device *dev, uint64_t offset, const uint8_t *data, unsigned len)
{
	struct rtc *rtc = container_of(dev, struct rtc, dev);

	for (unsigned i = 0; i < len; i++) {
		if (offset + i == PORT_DATA)
			write_cmos(rtc, data[i]);
		else
			rtc->index = data[i] & INDEX_MASK;
	}
}

static const struct bus_ops rtc_ops = {.name = "rtc", .read = read_ports, .write = write_ports};

/* Stores @value, capped to what @bytes bytes can say. */
static void store_size(struct rtc *rtc, unsigned reg, unsigned bytes, uint64_t value)
{
	uint64_t max = (1ULL << 8 * bytes) - 1;

	if (value > max)
		value = max;
	for (unsigned i = 0; i < bytes; i++)
		rtc->cmos[reg + i] = (uint8_t)(value >> 8 * i);
}

static uint64_t bytes_above(uint64_t size, uint64_t start)
{
	return size > start ? size - start : 0;
}

void rtc_init(struct rtc *rtc, uint16_t port, uint64_t ram_low, uint64_t ram_high, struct rtc_clock clock)
{
	*rtc = (struct rtc){
		.dev = {.ops = &rtc_ops, .space = BUS_PIO, .base = port, .size = PORT_COUNT},
		.clock = clock,
		.control = B_24_HOURS,
	};
	rtc->time = current_time(rtc);
	store_size(rtc, REG_BASE_KIB, 2, 640);
	store_size(rtc, REG_EXTENDED_KIB, 2, bytes_above(ram_low, 1 * MIB) >> 10);
	store_size(rtc, REG_EXTENDED_KIB_2, 2, bytes_above(ram_low, 1 * MIB) >> 10);
	store_size(rtc, REG_ABOVE_16M, 2, bytes_above(ram_low, 16 * MIB) >> 16);
	store_size(rtc, REG_ABOVE_4G, 3, ram_high >> 16);
}

static int64_t read_host_clock(void *opaque)
{
	struct timespec ts;

	(void)opaque;
	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

struct rtc_clock rtc_host_clock(void)
{
	return (struct rtc_clock){.now = read_host_clock};
}
