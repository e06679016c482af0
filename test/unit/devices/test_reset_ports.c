/* SPDX-License-Identifier: Apache-2.0 */
/* Reset through ports 0x92 and 0xcf9 as Linux uses them. */
#include "devices/reset_ports.h"
#include "unit/devices/port_machine.h"

struct fixture {
	struct bus bus;
	struct reset_ports ports;
	struct power_recorder power;
};

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){0};
	reset_ports_init(&fixture.ports, power_sink_of(&fixture.power));
	assert_int_equal(bus_add(&fixture.bus, &fixture.ports.fast), 0);
	assert_int_equal(bus_add(&fixture.bus, &fixture.ports.control), 0);
	*state = &fixture;
	return 0;
}

static void fast_reset_bit_resets(void **state)
{
	struct fixture *f = *state;

	out8(&f->bus, 0x92, 0x03);
	assert_int_equal(f->power.count, 1);
	assert_int_equal(f->power.event, POWER_RESET);
	assert_int_equal(in8(&f->bus, 0x92) & 0x01, 0);
}

static void enabling_a20_does_not_reset(void **state)
{
	struct fixture *f = *state;
	uint8_t value = in8(&f->bus, 0x92);

	out8(&f->bus, 0x92, (uint8_t)((value | 0x02) & ~0x01));
	assert_int_equal(f->power.count, 0);
	out8(&f->bus, 0x92, 0);
	assert_int_equal(in8(&f->bus, 0x92), 0x02); /* A20 cannot be turned off */
}

static void reset_control_resets_on_the_second_write_of_linux(void **state)
{
	static const uint8_t codes[] = {0x06, 0x0e};
	struct fixture *f = *state;

	for (unsigned i = 0; i < 2; i++) {
		uint8_t value = in8(&f->bus, 0xcf9) & (uint8_t)~codes[i];

		f->power.count = 0;
		out8(&f->bus, 0xcf9, value | 0x02);
		assert_int_equal(f->power.count, 0);
		assert_int_equal(in8(&f->bus, 0xcf9), 0x02);
		out8(&f->bus, 0xcf9, value | codes[i]);
		assert_int_equal(f->power.count, 1);
		assert_int_equal(f->power.event, POWER_RESET);
		assert_int_equal(in8(&f->bus, 0xcf9) & 0x04, 0);
	}
}

static void pci_configuration_address_is_not_reset_control(void **state)
{
	static const uint8_t enabled[] = {0x00, 0xff, 0xff, 0x80};
	struct fixture *f = *state;

	assert_false(bus_write(&f->bus, BUS_PIO, 0xcf8, enabled, 4));
	assert_int_equal(f->power.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(fast_reset_bit_resets, set_up),
		cmocka_unit_test_setup(enabling_a20_does_not_reset, set_up),
		cmocka_unit_test_setup(reset_control_resets_on_the_second_write_of_linux, set_up),
		cmocka_unit_test_setup(pci_configuration_address_is_not_reset_control, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
