/* SPDX-License-Identifier: Apache-2.0 */
/* Power-off and reset as ACPICA does them on hardware-reduced ACPI. */
#include "devices/acpi_pm.h"
#include "unit/devices/port_machine.h"

#define CONTROL 0x600
#define STATUS	0x601
#define RESET	0x602
#define S5_TYPE 5
#define SLP_EN	0x20
#define WAK_STS 0x80

struct fixture {
	struct bus bus;
	struct acpi_pm pm;
	struct power_recorder power;
};

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){0};
	acpi_pm_init(&fixture.pm, CONTROL, S5_TYPE, 0x01, power_sink_of(&fixture.power));
	assert_int_equal(bus_add(&fixture.bus, &fixture.pm.dev), 0);
	*state = &fixture;
	return 0;
}

static void s5_powers_off(void **state)
{
	struct fixture *f = *state;

	out8(&f->bus, STATUS, WAK_STS);
	out8(&f->bus, CONTROL, S5_TYPE << 2 | SLP_EN);
	assert_int_equal(f->power.count, 1);
	assert_int_equal(f->power.event, POWER_OFF);
	assert_int_equal(in8(&f->bus, STATUS), 0);
}

static void sleep_type_without_enable_does_nothing(void **state)
{
	struct fixture *f = *state;

	out8(&f->bus, CONTROL, S5_TYPE << 2);
	assert_int_equal(f->power.count, 0);
	assert_int_equal(in8(&f->bus, CONTROL), S5_TYPE << 2);
}

static void enable_bit_reads_as_zero(void **state)
{
	struct fixture *f = *state;

	out8(&f->bus, CONTROL, 0xff);
	assert_int_equal(in8(&f->bus, CONTROL), 0x1c);
}

static void other_sleep_types_wake_at_once(void **state)
{
	struct fixture *f = *state;

	for (unsigned type = 0; type < 8; type++) {
		if (type == S5_TYPE)
			continue;
		assert_int_equal(in8(&f->bus, STATUS), 0);
		out8(&f->bus, CONTROL, (uint8_t)(type << 2 | SLP_EN));
		assert_int_equal(in8(&f->bus, STATUS), WAK_STS);
		out8(&f->bus, STATUS, 0x7f); /* only a written 1 clears it */
		assert_int_equal(in8(&f->bus, STATUS), WAK_STS);
		out8(&f->bus, STATUS, WAK_STS);
	}
	assert_int_equal(f->power.count, 0);
}

static void only_the_reset_value_resets(void **state)
{
	struct fixture *f = *state;

	for (unsigned value = 0; value < 256; value++) {
		f->power.count = 0;
		out8(&f->bus, RESET, (uint8_t)value);
		assert_int_equal(f->power.count, value == 0x01);
	}
	assert_int_equal(f->power.event, POWER_RESET);
	assert_int_equal(in8(&f->bus, RESET), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(s5_powers_off, set_up),
		cmocka_unit_test_setup(sleep_type_without_enable_does_nothing, set_up),
		cmocka_unit_test_setup(enable_bit_reads_as_zero, set_up),
		cmocka_unit_test_setup(other_sleep_types_wake_at_once, set_up),
		cmocka_unit_test_setup(only_the_reset_value_resets, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
