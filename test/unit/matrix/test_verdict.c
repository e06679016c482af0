/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "matrix/verdict.h"

static struct plan_run run;

static void give(int expect, struct verdict_input input)
{
	run = (struct plan_run){.expect = expect, .timeout_ns = 60000000000ULL, .status = -1};
	input.grace_ns = 15000000000ULL;
	verdict_give(&run, &input);
	assert_int_equal(run.status, input.status);
}

static void expected_status_passes(void **state)
{
	(void)state;
	give(0, (struct verdict_input){.status = 0, .last_line = "vmm: guest exited with status 0 (exit 0)"});
	assert_int_equal(run.state, PLAN_PASSED);
	assert_string_equal(run.reason, "guest exited with status 0 (exit 0)");
	give(124, (struct verdict_input){.status = 124, .last_line = "vmm: timeout"});
	assert_int_equal(run.state, PLAN_PASSED);
}

static void another_status_fails_and_tells_what_was_expected(void **state)
{
	(void)state;
	give(0, (struct verdict_input){.status = 7, .last_line = "vmm: exited (exit 7)"});
	assert_int_equal(run.state, PLAN_FAILED);
	assert_string_equal(run.reason, "exited (exit 7)");
	give(3, (struct verdict_input){.status = 0, .last_line = "vmm: powered off (exit 0)"});
	assert_int_equal(run.state, PLAN_FAILED);
	assert_string_equal(run.reason, "powered off (exit 0); expected 3");
}

static void vmm_that_failed_is_an_error(void **state)
{
	(void)state;
	give(0, (struct verdict_input){.status = 125, .last_line = "vmm: no such file"});
	assert_int_equal(run.state, PLAN_ERROR);
	assert_string_equal(run.reason, "no such file");
	give(125, (struct verdict_input){.status = 125, .last_line = "vmm: no such file"});
	assert_int_equal(run.state, PLAN_ERROR);
}

static void vmm_that_was_killed_is_an_error_even_when_the_number_was_expected(void **state)
{
	(void)state;
	give(137, (struct verdict_input){.status = 137, .signal = SIGKILL});
	assert_int_equal(run.state, PLAN_ERROR);
	assert_string_equal(run.reason, "vmm was killed by signal 9 (Killed); is the host short of memory?");
	give(0, (struct verdict_input){.status = 139, .signal = SIGSEGV});
	assert_string_equal(run.reason, "vmm was killed by signal 11 (Segmentation fault)");
	/* A command that was killed in the guest is the guest's result. */
	give(137, (struct verdict_input){.status = 137, .last_line = "vmm: killed by signal 9 (exit 137)"});
	assert_int_equal(run.state, PLAN_PASSED);
}

static void late_one_is_an_error_however_it_ended(void **state)
{
	(void)state;
	give(0, (struct verdict_input){.status = 0, .is_late = true, .was_stopped = true});
	assert_int_equal(run.state, PLAN_ERROR);
	assert_string_equal(run.reason, "vmm did not end within 15s after its timeout of 60s and was killed");
}

static void stopped_one_has_no_verdict_unless_it_ended_by_itself(void **state)
{
	(void)state;
	give(0, (struct verdict_input){.status = 143, .was_stopped = true, .last_line = "vmm: stopped"});
	assert_int_equal(run.state, PLAN_NOT_RUN);
	give(0, (struct verdict_input){.status = 137, .signal = SIGKILL, .was_stopped = true});
	assert_int_equal(run.state, PLAN_NOT_RUN);
	give(0, (struct verdict_input){.status = 7, .was_stopped = true, .last_line = "vmm: x"});
	assert_int_equal(run.state, PLAN_FAILED);
	give(0, (struct verdict_input){.status = 143, .last_line = "vmm: stopped by somebody else"});
	assert_int_equal(run.state, PLAN_FAILED);
}

static void silence_is_told(void **state)
{
	(void)state;
	give(0, (struct verdict_input){.status = 1});
	assert_string_equal(run.reason, "exit 1, and vmm.log is empty; is the disk full?");
}

static void every_state_has_a_name(void **state)
{
	(void)state;
	for (int s = 0; s < PLAN_STATES; s++)
		assert_true(strlen(verdict_name((enum plan_state)s)) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expected_status_passes),
		cmocka_unit_test(another_status_fails_and_tells_what_was_expected),
		cmocka_unit_test(vmm_that_failed_is_an_error),
		cmocka_unit_test(vmm_that_was_killed_is_an_error_even_when_the_number_was_expected),
		cmocka_unit_test(late_one_is_an_error_however_it_ended),
		cmocka_unit_test(stopped_one_has_no_verdict_unless_it_ended_by_itself),
		cmocka_unit_test(silence_is_told),
		cmocka_unit_test(every_state_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
