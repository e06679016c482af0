/* SPDX-License-Identifier: Apache-2.0 */
/* Guests that do not end by themselves: --timeout and signals. */
#include "kvm_test.h"

#include <signal.h>
#include <string.h>

static void timeout_reports_a_guest_that_hangs(void **state)
{
	struct run_result r;

	(void)state;
	run_words(&r, GUEST("hang"), "--timeout", "500ms", NULL);
	run_expect(&r, 124, "vmm: timeout: guest still running after *s (exit 124)");
	assert_true(r.seconds >= 0.5);
	assert_string_equal(r.out.bytes, "the first line\nthe last line\n");
	assert_non_null(strstr(r.err.bytes, "vmm: | the first line\nvmm: | the last line\n"));
	assert_non_null(strstr(r.err.bytes, "vmm: vCPU 0: RIP 0x10"));
	assert_non_null(strstr(r.err.bytes, " CPL 0\n"));
	run_free(&r);
}

static void timeout_tells_the_privilege_level(void **state)
{
	struct run_result r;

	(void)state;
	run_words(&r, GUEST("user-hang"), "--timeout", "500ms", NULL);
	run_expect_status(&r, 124);
	assert_non_null(strstr(r.err.bytes, "vmm: vCPU 0: RIP 0x10"));
	assert_non_null(strstr(r.err.bytes, " CPL 3\n"));
	run_free(&r);
}

static void timeout_tells_waiting_from_running(void **state)
{
	static const char *const tests[] = {"test=idle", "test=halt"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct run_result r;

		run_words(&r, "run", run_guest("guest-pvh"), "-c", "2", "-a", tests[i], "--timeout", "0.5s", NULL);
		run_expect_status(&r, 124);
		assert_non_null(strstr(r.err.bytes, " CPL 0 (halted)\n"));
		assert_non_null(strstr(r.err.bytes, "vmm: vCPU 1: "));
		assert_non_null(strstr(r.err.bytes, " (not started)\n"));
		run_free(&r);
	}
}

static void guest_that_ends_in_time_keeps_its_status(void **state)
{
	struct run_result r;

	(void)state;
	run_words(&r, "run", run_guest("minimal"), "--timeout", "1h", NULL);
	run_expect(&r, 7, "vmm: guest exited with status 7 *");
	run_free(&r);
}

static void signals_end_it_with_128_and_their_number(void **state)
{
	static const struct {
		int signal;
		const char *last_line;
	} cases[] = {
		{SIGTERM, "vmm: stopped by Terminated after *s (exit 143)"},
		{SIGINT, "vmm: stopped by Interrupt after *s (exit 130)"},
		{SIGHUP, "vmm: stopped by Hangup after *s (exit 129)"},
		{SIGQUIT, "vmm: stopped by Quit after *s (exit 131)"},
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct run_request request = {
			.words = {GUEST("idle")},
			.steps = {{.after = "idle\n", .signal = cases[i].signal}},
		};
		struct run_result r;

		run_one(&request, &r);
		run_expect(&r, 128 + cases[i].signal, cases[i].last_line);
		run_free(&r);
	}
}

static void busy_guests_are_stopped_too(void **state)
{
	static const char *const tests[] = {"test=hang", "test=user-hang", "test=halt"};
	static const char *const prints[] = {"last line\n", "hanging\n", "halting\n"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct run_request request = {
			.words = {"run", run_guest("guest-pvh"), "-c", "16", "-a", tests[i]},
			.steps = {{.after = prints[i], .signal = SIGTERM}},
		};
		struct run_result r;

		run_one(&request, &r);
		run_expect_status(&r, 128 + SIGTERM);
		run_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(timeout_reports_a_guest_that_hangs),
		IN_SCRATCH(timeout_tells_the_privilege_level),
		IN_SCRATCH(timeout_tells_waiting_from_running),
		IN_SCRATCH(guest_that_ends_in_time_keeps_its_status),
		IN_SCRATCH(signals_end_it_with_128_and_their_number),
		IN_SCRATCH(busy_guests_are_stopped_too),
	};
	int missing = run_require_kvm("test_stop");

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
