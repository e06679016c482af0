/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest's pvpanic driver reads and writes. */
#include "devices/pvpanic.h"
#include "unit/devices/port_machine.h"

#define PORT 0x505

struct fixture {
	struct bus bus;
	struct pvpanic pvpanic;
	struct power_recorder power;
};

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){0};
	pvpanic_init(&fixture.pvpanic, PORT, power_sink_of(&fixture.power));
	assert_int_equal(bus_add(&fixture.bus, &fixture.pvpanic.dev), 0);
	*state = &fixture;
	return 0;
}

static void supported_events_are_panicked_and_crash_loaded(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(in8(&f->bus, PORT), 0x03);
}

static void panicked_ends_the_machine(void **state)
{
	struct fixture *f = *state;

	out8(&f->bus, PORT, 0x01);
	assert_int_equal(f->power.count, 1);
	assert_int_equal(f->power.event, POWER_PANIC);
	assert_int_equal(f->power.value, 0x01);
}

static void crash_loaded_is_only_counted(void **state)
{
	struct fixture *f = *state;

	out8(&f->bus, PORT, 0x02);
	out8(&f->bus, PORT, 0x02);
	assert_int_equal(f->power.count, 0);
	assert_int_equal(f->pvpanic.crash_loaded, 2);
}

static void unknown_events_are_ignored(void **state)
{
	struct fixture *f = *state;

	out8(&f->bus, PORT, 0xfc);
	assert_int_equal(f->power.count, 0);
	assert_int_equal(f->pvpanic.crash_loaded, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(supported_events_are_panicked_and_crash_loaded, set_up),
		cmocka_unit_test_setup(panicked_ends_the_machine, set_up),
		cmocka_unit_test_setup(crash_loaded_is_only_counted, set_up),
		cmocka_unit_test_setup(unknown_events_are_ignored, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
