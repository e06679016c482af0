/* SPDX-License-Identifier: Apache-2.0 */
/* The latch claims its port and keeps the last byte. */
#include "devices/postcode.h"
#include "unit/devices/port_machine.h"

static void last_code_is_kept(void **state)
{
	struct bus bus = {0};
	struct postcode postcode;

	(void)state;
	postcode_init(&postcode, POSTCODE_PORT);
	assert_int_equal(bus_add(&bus, &postcode.dev), 0);
	assert_int_equal(in8(&bus, 0x80), 0);
	out8(&bus, 0x80, 0x12);
	out8(&bus, 0x80, 0x34);
	assert_int_equal(postcode.last, 0x34);
	assert_int_equal(in8(&bus, 0x80), 0x34);
	assert_int_equal(bus.unclaimed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_code_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
