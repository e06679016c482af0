/* SPDX-License-Identifier: Apache-2.0 */
/* Every port of the I/O space, in every width, read and written: claimed exactly where devices are, and nothing breaks.
 */
#include <string.h>

#include "unit/devices/pc_ports.h"
#include "unit/devices/port_machine.h"

#define GUARD 0x5c

static const struct {
	unsigned base, size;
} claimed_ranges[] = {{0x60, 1}, {0x64, 1},  {0x70, 2},	 {0x80, 1},  {0x92, 1},
		      {0xf4, 4}, {0x3f8, 8}, {0x505, 1}, {0x600, 3}, {0xcf9, 1}};

static bool is_claimed(unsigned port, unsigned len)
{
	for (unsigned i = 0; i < ARRAY_SIZE(claimed_ranges); i++)
		if (port >= claimed_ranges[i].base && port + len <= claimed_ranges[i].base + claimed_ranges[i].size)
			return true;
	return false;
}

static int64_t stopped_clock(void *opaque)
{
	(void)opaque;
	return 0;
}

static void read_port(struct bus *bus, unsigned port, unsigned len)
{
	uint8_t data[8];

	memset(data, GUARD, sizeof(data));
	assert_int_equal(bus_read(bus, BUS_PIO, port, data, len), is_claimed(port, len));
	for (unsigned i = 0; !is_claimed(port, len) && i < len; i++)
		assert_int_equal(data[i], 0xff);
	for (unsigned i = len; i < sizeof(data); i++)
		assert_int_equal(data[i], GUARD);
}

static void every_port_survives_every_width(void **state)
{
	static const uint8_t patterns[] = {0x00, 0xff, 0x01, 0xaa, 0x80};
	struct pc_ports pc;
	struct power_recorder power = {0};
	uint8_t data[4];

	(void)state;
	pc_ports_init(&pc, (struct irq_line){0}, (struct serial_backend){0}, (struct rtc_clock){.now = stopped_clock},
		      power_sink_of(&power));
	for (unsigned port = 0; port <= 0xffff; port++) {
		for (unsigned len = 1; len <= 4; len *= 2) {
			read_port(&pc.bus, port, len);
			for (unsigned i = 0; i < sizeof(patterns); i++) {
				memset(data, patterns[i], sizeof(data));
				assert_int_equal(bus_write(&pc.bus, BUS_PIO, port, data, len), is_claimed(port, len));
				read_port(&pc.bus, port, len);
			}
		}
	}
	assert_true(power.count > 0);
	assert_true(pc.serial.tx_bytes > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_port_survives_every_width),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
