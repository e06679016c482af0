/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "base/compiler.h"
#include "outcome.h"

#define ELAPSED 1840000000ULL /* 1.84 s */

static const struct {
	enum outcome_cause cause;
	uint32_t status;
	const char *detail;
	int code;
	const char *name;
	const char *line;
} cases[] = {
	{OUTCOME_POWER_OFF, 0, "", 0, "power-off", "guest powered off after 1.84s (exit 0)"},
	{OUTCOME_HALTED, 0, "", 0, "halted", "guest halted after 1.84s (exit 0)"},
	{OUTCOME_STATUS, 0, "", 0, "status", "guest exited with status 0 after 1.84s (exit 0)"},
	{OUTCOME_STATUS, 42, "", 42, "status", "guest exited with status 42 after 1.84s (exit 42)"},
	{OUTCOME_STATUS, 255, "", 255, "status", "guest exited with status 255 after 1.84s (exit 255)"},
	/* A process has eight bits of status: a larger one must not come out as a success. */
	{OUTCOME_STATUS, 256, "", 255, "status", "guest exited with status 256 after 1.84s (exit 255)"},
	{OUTCOME_STATUS, 0x80000000, "", 255, "status", "guest exited with status 2147483648 after 1.84s (exit 255)"},
	{OUTCOME_RESET, 0, "", 254, "reset", "guest reset after 1.84s (exit 254)"},
	{OUTCOME_TRIPLE_FAULT, 0, "", 254, "triple-fault", "guest triple-faulted after 1.84s (exit 254)"},
	{OUTCOME_PANIC, 0, "", 255, "guest-panic", "guest panicked after 1.84s (exit 255)"},
	{OUTCOME_PANIC, 0, "VFS: Unable to mount root fs", 255, "guest-panic",
	 "guest panicked after 1.84s: \"VFS: Unable to mount root fs\" (exit 255)"},
	{OUTCOME_TIMEOUT, 0, "", 124, "timeout", "timeout: guest still running after 1.84s (exit 124)"},
	{OUTCOME_SIGNAL, SIGTERM, "", 143, "signal", "stopped by Terminated after 1.84s (exit 143)"},
	{OUTCOME_SIGNAL, SIGINT, "", 130, "signal", "stopped by Interrupt after 1.84s (exit 130)"},
	{OUTCOME_QUIT, 0, "", 130, "quit", "stopped by Ctrl-A x after 1.84s (exit 130)"},
	{OUTCOME_ERROR, 0, "KVM_RUN of vCPU 0: Bad address", 125, "error",
	 "stopped after 1.84s: KVM_RUN of vCPU 0: Bad address (exit 125)"},
	{OUTCOME_NONE, 0, "", 125, "none", "stopped after 1.84s (exit 125)"},
};

static void every_cause_has_its_code_name_and_line(void **state)
{
	char line[512];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct outcome outcome = {.cause = cases[i].cause, .status = cases[i].status, .elapsed_ns = ELAPSED};

		strcpy(outcome.detail, cases[i].detail);
		assert_int_equal(outcome_exit_code(&outcome), cases[i].code);
		assert_string_equal(outcome_cause_name(outcome.cause), cases[i].name);
		assert_string_equal(outcome_describe(&outcome, line, sizeof(line)), cases[i].line);
	}
}

static void no_cause_is_forgotten_and_no_name_is_used_twice(void **state)
{
	(void)state;
	for (int a = OUTCOME_NONE; a <= OUTCOME_ERROR; a++) {
		bool tested = false;

		for (unsigned i = 0; i < ARRAY_SIZE(cases); i++)
			tested |= (int)cases[i].cause == a;
		assert_true(tested);
		for (int b = OUTCOME_NONE; b < a; b++)
			assert_string_not_equal(outcome_cause_name((enum outcome_cause)a),
						outcome_cause_name((enum outcome_cause)b));
	}
}

static void a_line_that_does_not_fit_is_cut(void **state)
{
	struct outcome outcome = {.cause = OUTCOME_PANIC};
	char line[32 + 1];

	(void)state;
	memset(outcome.detail, 'x', sizeof(outcome.detail) - 1);
	line[32] = '#';
	outcome_describe(&outcome, line, 32);
	assert_int_equal(strlen(line), 31);
	assert_int_equal(line[32], '#');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cause_has_its_code_name_and_line),
		cmocka_unit_test(no_cause_is_forgotten_and_no_name_is_used_twice),
		cmocka_unit_test(a_line_that_does_not_fit_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
