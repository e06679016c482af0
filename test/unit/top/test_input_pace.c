/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's rests from its input. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "input_pace.h"

#define MS 1000000ull

static void first_input_goes_at_once(void **state)
{
	struct input_pace pace = {0};

	(void)state;
	assert_int_equal(pace.ready_ns, 0);
	/* The guest begins to listen: it had nothing yet that it could need a rest from. */
	input_pace_empty(&pace, 3600 * 1000 * MS);
	assert_int_equal(pace.work_ns, 0);
	assert_int_equal(pace.ready_ns, 0);
}

/* One FIFO of input that takes the guest @work_ns. */
static void take_fifo(struct input_pace *pace, uint64_t *now, uint64_t work_ns)
{
	input_pace_fill(pace, *now);
	*now += work_ns;
	input_pace_empty(pace, *now);
}

static void rest_is_as_long_as_the_work(void **state)
{
	static const uint64_t costs[] = {1000, 50000, 3 * MS, INPUT_PACE_FIFO_NS};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(costs); i++) {
		struct input_pace pace = {0};
		uint64_t now = 100 * MS, fifos = 0;

		while (pace.ready_ns == 0) {
			take_fifo(&pace, &now, costs[i]);
			fifos++;
			now += 10 * MS; /* idle: no input came */
		}
		assert_int_equal(fifos, (INPUT_PACE_WORK_NS + costs[i] - 1) / costs[i]);
		assert_int_equal(pace.ready_ns, now - 10 * MS + fifos * costs[i]);
		assert_int_equal(pace.work_ns, 0);
	}
}

/* It is the last of them that the FIFO became empty of. */
static void work_counts_from_the_last_input(void **state)
{
	struct input_pace pace = {0};

	(void)state;
	input_pace_fill(&pace, 100 * MS);
	input_pace_fill(&pace, 103 * MS);
	input_pace_empty(&pace, 104 * MS);
	assert_int_equal(pace.work_ns, MS);
}

/* RTS that falls and rises tells of room too. */
static void room_without_input_is_no_work(void **state)
{
	struct input_pace pace = {0};
	uint64_t now = 100 * MS;

	(void)state;
	take_fifo(&pace, &now, MS);
	input_pace_empty(&pace, now + 900 * MS);
	assert_int_equal(pace.work_ns, MS);
	assert_int_equal(pace.ready_ns, 0);
}

static void guest_that_was_busy_otherwise_rests_no_longer(void **state)
{
	struct input_pace pace = {0};
	uint64_t now = 1;

	(void)state;
	take_fifo(&pace, &now, 3600 * 1000 * MS);
	assert_int_equal(pace.work_ns, INPUT_PACE_FIFO_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_input_goes_at_once),
		cmocka_unit_test(rest_is_as_long_as_the_work),
		cmocka_unit_test(work_counts_from_the_last_input),
		cmocka_unit_test(room_without_input_is_no_work),
		cmocka_unit_test(guest_that_was_busy_otherwise_rests_no_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
