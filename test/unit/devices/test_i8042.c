/* SPDX-License-Identifier: Apache-2.0 */
/* Reset through the keyboard controller, and the little that probing software looks at. */
#include "devices/i8042.h"
#include "unit/devices/port_machine.h"

#define DATA	0x60
#define COMMAND 0x64

struct fixture {
	struct bus bus;
	struct i8042 i8042;
	struct power_recorder power;
};

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){0};
	i8042_init(&fixture.i8042, DATA, power_sink_of(&fixture.power));
	assert_int_equal(bus_add(&fixture.bus, &fixture.i8042.data), 0);
	assert_int_equal(bus_add(&fixture.bus, &fixture.i8042.command), 0);
	*state = &fixture;
	return 0;
}

static void pulse_command_resets(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(in8(&f->bus, COMMAND) & 0x02, 0); /* Linux waits for this first */
	out8(&f->bus, COMMAND, 0xfe);
	assert_int_equal(f->power.count, 1);
	assert_int_equal(f->power.event, POWER_RESET);
}

static void only_pulses_of_the_reset_line_reset(void **state)
{
	struct fixture *f = *state;

	for (unsigned command = 0; command < 256; command++) {
		bool is_reset = command >= 0xf0 && command % 2 == 0;

		f->power.count = 0;
		out8(&f->bus, COMMAND, (uint8_t)command);
		assert_int_equal(f->power.count, is_reset);
	}
}

static void clearing_the_reset_bit_of_the_output_port_resets(void **state)
{
	struct fixture *f = *state;

	out8(&f->bus, COMMAND, 0xd1);
	out8(&f->bus, DATA, 0xdf); /* Linux enabling A20 */
	assert_int_equal(f->power.count, 0);
	out8(&f->bus, DATA, 0xde); /* data without a command */
	assert_int_equal(f->power.count, 0);
	out8(&f->bus, COMMAND, 0xd1);
	out8(&f->bus, COMMAND, 0xff); /* another command came between */
	out8(&f->bus, DATA, 0xde);
	assert_int_equal(f->power.count, 0);
	out8(&f->bus, COMMAND, 0xd1);
	out8(&f->bus, DATA, 0xde);
	assert_int_equal(f->power.count, 1);
	assert_int_equal(f->power.event, POWER_RESET);
}

static void self_test_answers_passed_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(in8(&f->bus, COMMAND), 0);
	assert_int_equal(in8(&f->bus, DATA), 0);
	out8(&f->bus, COMMAND, 0xaa);
	assert_int_equal(in8(&f->bus, COMMAND), 0x01);
	assert_int_equal(in8(&f->bus, DATA), 0x55);
	assert_int_equal(in8(&f->bus, COMMAND), 0);
	assert_int_equal(in8(&f->bus, DATA), 0);
}

static void ports_between_are_left_alone(void **state)
{
	struct fixture *f = *state;
	uint8_t value;

	for (uint16_t port = DATA + 1; port < COMMAND; port++)
		assert_false(bus_read(&f->bus, BUS_PIO, port, &value, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pulse_command_resets, set_up),
		cmocka_unit_test_setup(only_pulses_of_the_reset_line_reset, set_up),
		cmocka_unit_test_setup(clearing_the_reset_bit_of_the_output_port_resets, set_up),
		cmocka_unit_test_setup(self_test_answers_passed_once, set_up),
		cmocka_unit_test_setup(ports_between_are_left_alone, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
