/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/compiler.h"
#include "bench_stats.h"

static void assert_near(double value, double expected)
{
	if (!(fabs(value - expected) < 1e-9))
		fail_msg("%.12f is not %.12f", value, expected);
}

static void median_of_an_odd_count_is_the_middle_value(void **state)
{
	const double values[] = {9, 1, 5};
	struct bench_summary s;

	(void)state;
	assert_int_equal(bench_stats_summarise(values, ARRAY_SIZE(values), &s), 0);
	assert_near(s.median, 5);
	assert_near(s.min, 1);
	assert_near(s.max, 9);
	assert_int_equal(s.count, 3);
}

static void median_of_an_even_count_is_between_the_two_middle_values(void **state)
{
	const double values[] = {4, 1, 3, 100};
	struct bench_summary s;

	(void)state;
	assert_int_equal(bench_stats_summarise(values, ARRAY_SIZE(values), &s), 0);
	assert_near(s.median, 3.5);
}

/* numpy.percentile([15, 20, 35, 40, 50, 7], [25, 75]) gives 16.25 and 38.75. */
static void quartiles_are_interpolated(void **state)
{
	const double values[] = {15, 20, 35, 40, 50, 7};
	struct bench_summary s;

	(void)state;
	assert_int_equal(bench_stats_summarise(values, ARRAY_SIZE(values), &s), 0);
	assert_near(s.q1, 16.25);
	assert_near(s.q3, 38.75);
}

static void single_value_is_every_quantile(void **state)
{
	const double value = 2.5;
	struct bench_summary s;

	(void)state;
	assert_int_equal(bench_stats_summarise(&value, 1, &s), 0);
	assert_near(s.min, 2.5);
	assert_near(s.q1, 2.5);
	assert_near(s.median, 2.5);
	assert_near(s.q3, 2.5);
	assert_near(s.max, 2.5);
}

static void no_values_give_an_empty_summary(void **state)
{
	struct bench_summary s = {.count = 7, .median = 7};

	(void)state;
	assert_int_equal(bench_stats_summarise(NULL, 0, &s), 0);
	assert_int_equal(s.count, 0);
	assert_near(s.median, 0);
}

static void summarising_leaves_the_values_in_their_order(void **state)
{
	const double before[] = {3, 1, 2};
	double values[] = {3, 1, 2};
	struct bench_summary s;

	(void)state;
	assert_int_equal(bench_stats_summarise(values, ARRAY_SIZE(values), &s), 0);
	assert_memory_equal(values, before, sizeof(before));
}

/* Both samples drift together: the pairs agree exactly, and one outlier in a moves neither median. */
static void paired_ratios_cancel_what_drifts(void **state)
{
	const double a[] = {1, 2, 3, 4, 500};
	const double b[] = {10, 20, 30, 40, 50};
	struct bench_ratio r;

	(void)state;
	assert_int_equal(bench_stats_compare(a, b, ARRAY_SIZE(a), &r), 0);
	assert_near(r.paired.median, 0.1);
	assert_near(r.paired.q1, 0.1);
	assert_near(r.paired.q3, 0.1);
	assert_near(r.paired.max, 10);
	assert_near(r.of_medians, 0.1);
}

static void both_ratios_can_differ(void **state)
{
	const double a[] = {1, 8, 9};
	const double b[] = {1, 2, 90};
	struct bench_ratio r;

	(void)state;
	assert_int_equal(bench_stats_compare(a, b, ARRAY_SIZE(a), &r), 0);
	assert_near(r.of_medians, 4);
	assert_near(r.paired.median, 1);
}

static void ratio_to_nothing_is_refused(void **state)
{
	const double a[] = {1, 2}, zero[] = {1, 0}, nan_inside[] = {1, NAN};
	struct bench_ratio r;

	(void)state;
	assert_int_equal(bench_stats_compare(a, zero, 2, &r), -EINVAL);
	assert_int_equal(bench_stats_compare(a, nan_inside, 2, &r), -EINVAL);
	assert_int_equal(bench_stats_compare(a, zero, 0, &r), -EINVAL);
}

static void order_of_a_pair_is_swapped_every_second_time(void **state)
{
	char sequence[9] = "";

	(void)state;
	for (size_t round = 0; round < 4; round++)
		for (size_t position = 0; position < 2; position++)
			sequence[2 * round + position] = bench_stats_turn(round, position, 2) ? 'B' : 'A';
	assert_string_equal(sequence, "ABBAABBA");
}

static void every_round_runs_each_case_once(void **state)
{
	(void)state;
	for (size_t round = 0; round < 4; round++) {
		unsigned seen = 0;

		for (size_t position = 0; position < 3; position++)
			seen |= 1U << bench_stats_turn(round, position, 3);
		assert_int_equal(seen, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(median_of_an_odd_count_is_the_middle_value),
		cmocka_unit_test(median_of_an_even_count_is_between_the_two_middle_values),
		cmocka_unit_test(quartiles_are_interpolated),
		cmocka_unit_test(single_value_is_every_quantile),
		cmocka_unit_test(no_values_give_an_empty_summary),
		cmocka_unit_test(summarising_leaves_the_values_in_their_order),
		cmocka_unit_test(paired_ratios_cancel_what_drifts),
		cmocka_unit_test(both_ratios_can_differ),
		cmocka_unit_test(ratio_to_nothing_is_refused),
		cmocka_unit_test(order_of_a_pair_is_swapped_every_second_time),
		cmocka_unit_test(every_round_runs_each_case_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
