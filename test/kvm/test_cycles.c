/* SPDX-License-Identifier: Apache-2.0 */
/* Starting and stopping again and again, and several machines side by side. */
#include "kvm_test.h"

#include <string.h>

#define CYCLES 200

static void every_cycle_ends_with_the_same_status(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CYCLES; i++) {
		struct run_result r;

		run_words(&r, "run", run_guest("minimal"), "-m", "128M", "-c", i % 2 ? "2" : "1", NULL);
		run_expect(&r, 7, "vmm: guest exited with status 7 *");
		assert_int_equal(r.err_lines, 1);
		assert_int_equal(r.out.len, 0);
		run_free(&r);
	}
}

static void machines_side_by_side_do_not_disturb_each_other(void **state)
{
	struct run_request requests[RUN_MAX_AT_ONCE] = {
		{.words = {GUEST("echo")}, .input = RUN_INPUT_PIPE, .data = "first Q"},
		{.words = {GUEST("echo-irq"), "-c", "2"}, .input = RUN_INPUT_PIPE, .data = "second Q"},
		{.words = {GUEST("user")}},
		{.words = {GUEST("smp cpus=4"), "-c", "4"}},
	};
	struct run_result r[RUN_MAX_AT_ONCE];

	(void)state;
	run_all(requests, r, RUN_MAX_AT_ONCE);
	run_expect_status(&r[0], 0);
	run_expect_status(&r[1], 0);
	run_expect_status(&r[2], 33);
	run_expect_status(&r[3], 0);
	assert_string_equal(r[0].out.bytes, "ready\nfirst Q\n");
	assert_string_equal(r[1].out.bytes, "ready\nsecond Q\n");
	assert_string_equal(r[2].out.bytes, "hello from CPL 3\n");
	for (size_t i = 0; i < RUN_MAX_AT_ONCE; i++)
		run_free(&r[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(every_cycle_ends_with_the_same_status),
		IN_SCRATCH(machines_side_by_side_do_not_disturb_each_other),
	};
	int missing = run_require_kvm("test_cycles");

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
