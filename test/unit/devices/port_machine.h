/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of port devices: a bus with byte accessors and a sink that remembers what devices asked for. */
#ifndef VMM_TEST_PORT_MACHINE_H
#define VMM_TEST_PORT_MACHINE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/endian.h"
#include "devices/bus.h"
#include "devices/power.h"

struct power_recorder {
	unsigned count;
	enum power_event event;
	uint32_t value;
};

static inline void record_power(void *opaque, enum power_event event, uint32_t value)
{
	struct power_recorder *recorder = opaque;

	recorder->count++;
	recorder->event = event;
	recorder->value = value;
}

static inline struct power_sink power_sink_of(struct power_recorder *recorder)
{
	return (struct power_sink){.request = record_power, .opaque = recorder};
}

static inline uint8_t in8(struct bus *bus, uint16_t port)
{
	uint8_t value;

	assert_true(bus_read(bus, BUS_PIO, port, &value, 1));
	return value;
}

static inline uint16_t in16(struct bus *bus, uint16_t port)
{
	uint8_t data[2];

	assert_true(bus_read(bus, BUS_PIO, port, data, sizeof(data)));
	return load_le16(data);
}

static inline uint32_t in32(struct bus *bus, uint16_t port)
{
	uint8_t data[4];

	assert_true(bus_read(bus, BUS_PIO, port, data, sizeof(data)));
	return load_le32(data);
}

static inline void out8(struct bus *bus, uint16_t port, uint8_t value)
{
	assert_true(bus_write(bus, BUS_PIO, port, &value, 1));
}

static inline void out16(struct bus *bus, uint16_t port, uint16_t value)
{
	uint8_t data[2];

	store_le16(data, value);
	assert_true(bus_write(bus, BUS_PIO, port, data, sizeof(data)));
}

static inline void out32(struct bus *bus, uint16_t port, uint32_t value)
{
	uint8_t data[4];

	store_le32(data, value);
	assert_true(bus_write(bus, BUS_PIO, port, data, sizeof(data)));
}

#endif
