/* SPDX-License-Identifier: Apache-2.0 */
/* The status reaches the machine as written, in every width. */
#include "devices/exit_port.h"
#include "unit/devices/port_machine.h"

#define PORT 0xf4

struct fixture {
	struct bus bus;
	struct exit_port port;
	struct power_recorder power;
};

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){0};
	exit_port_init(&fixture.port, PORT, power_sink_of(&fixture.power));
	assert_int_equal(bus_add(&fixture.bus, &fixture.port.dev), 0);
	*state = &fixture;
	return 0;
}

static void every_width_carries_its_status(void **state)
{
	struct fixture *f = *state;

	out8(&f->bus, PORT, 7);
	assert_int_equal(f->power.event, POWER_EXIT_STATUS);
	assert_int_equal(f->power.value, 7);
	out16(&f->bus, PORT, 0x1234);
	assert_int_equal(f->power.value, 0x1234);
	out32(&f->bus, PORT, 0xdeadbeef);
	assert_int_equal(f->power.value, 0xdeadbeef);
	assert_int_equal(f->power.count, 3);
}

static void status_zero_is_a_status(void **state)
{
	struct fixture *f = *state;

	out8(&f->bus, PORT, 0);
	assert_int_equal(f->power.count, 1);
	assert_int_equal(f->power.event, POWER_EXIT_STATUS);
	assert_int_equal(f->power.value, 0);
}

static void ports_above_and_reads_ask_for_nothing(void **state)
{
	struct fixture *f = *state;

	out8(&f->bus, PORT + 1, 7);
	out16(&f->bus, PORT + 2, 7);
	out8(&f->bus, PORT + 3, 7);
	assert_int_equal(in32(&f->bus, PORT), 0xffffffff);
	assert_int_equal(f->power.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_width_carries_its_status, set_up),
		cmocka_unit_test_setup(status_zero_is_a_status, set_up),
		cmocka_unit_test_setup(ports_above_and_reads_ask_for_nothing, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
