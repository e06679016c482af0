/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
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
	{OUTCOME_COMMAND, 77, "command exited with status 77", 77, "command",
	 "command exited with status 77 after 1.84s (exit 77)"},
	{OUTCOME_NO_STATUS, 0, "no status of the command: guest halted", 255, "no-status",
	 "no status of the command: guest halted after 1.84s (exit 255)"},
	{OUTCOME_COMPLAINT, 0, "\"BUG: it\" (guest halted)", 1, "kernel-complaint",
	 "the kernel complained after 1.84s: \"BUG: it\" (guest halted) (exit 1)"},
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
	for (int a = OUTCOME_NONE; a <= OUTCOME_COMPLAINT; a++) {
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

/* What the guest's init said of the command "make", when the machine powered off. */
static const struct {
	struct command_exit end;
	int code;
	enum outcome_cause cause;
	const char *detail;
} ends[] = {
	{{COMMAND_EXITED, 0, 0}, 0, OUTCOME_COMMAND, "command exited with status 0"},
	{{COMMAND_EXITED, 1, 0}, 1, OUTCOME_COMMAND, "command exited with status 1"},
	{{COMMAND_EXITED, 123, 0}, 123, OUTCOME_COMMAND, "command exited with status 123"},
	{{COMMAND_EXITED, 255, 0}, 255, OUTCOME_COMMAND, "command exited with status 255"},
	{{COMMAND_KILLED, SIGKILL, 0}, 137, OUTCOME_COMMAND, "command killed by signal 9 (Killed)"},
	{{COMMAND_KILLED, SIGSEGV, 0}, 139, OUTCOME_COMMAND, "command killed by signal 11 (Segmentation fault)"},
	{{COMMAND_NOT_STARTED, ENOENT, COMMAND_STEP_EXEC}, 127, OUTCOME_COMMAND, "command not found: make"},
	{{COMMAND_NOT_STARTED, ENOTDIR, COMMAND_STEP_EXEC}, 127, OUTCOME_COMMAND, "command not found: make"},
	{{COMMAND_NOT_STARTED, EACCES, COMMAND_STEP_EXEC},
	 126,
	 OUTCOME_COMMAND,
	 "command not executable: make: Permission denied"},
	{{COMMAND_NOT_STARTED, ENOEXEC, COMMAND_STEP_EXEC},
	 126,
	 OUTCOME_COMMAND,
	 "command not executable: make: Exec format error"},
	{{COMMAND_NOT_STARTED, ENOENT, COMMAND_STEP_CHDIR},
	 126,
	 OUTCOME_COMMAND,
	 "command not run: --chdir /work: No such file or directory"},
	{{COMMAND_INIT_FAILED, EAGAIN, COMMAND_STEP_FORK},
	 255,
	 OUTCOME_NO_STATUS,
	 "the guest's init could not run the command: Resource temporarily unavailable"},
	/* The init is a guest's: whatever it says is one of the above. */
	{{COMMAND_EXITED, 0x100, 0}, 255, OUTCOME_COMMAND, "command exited with status 255"},
	{{COMMAND_KILLED, 0xffffffff, 0}, 255, OUTCOME_COMMAND, "command killed by signal 127 (Unknown signal 127)"},
	{{0, 0, 0}, 255, OUTCOME_NO_STATUS, "the guest's init could not run the command: Success"},
	{{0xffffffff, 0xffffffff, 0xffffffff},
	 255,
	 OUTCOME_NO_STATUS,
	 "the guest's init could not run the command: Unknown error -1"},
	{{COMMAND_NOT_STARTED, 0x80000000, 77},
	 126,
	 OUTCOME_COMMAND,
	 "command not executable: make: Unknown error -2147483648"},
};

static void every_end_of_a_command_has_its_code(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
		struct outcome outcome = {.cause = OUTCOME_POWER_OFF};

		outcome_take_command(&outcome, &ends[i].end, "make", "/work");
		assert_string_equal(outcome.detail, ends[i].detail);
		assert_int_equal(outcome.cause, ends[i].cause);
		assert_int_equal(outcome_exit_code(&outcome), ends[i].code);
	}
}

/* One row for each way the machine can end: what it becomes with the command's word, and without. */
static const struct {
	enum outcome_cause cause, with_end, without_end;
} machine_ends[] = {
	{OUTCOME_POWER_OFF, OUTCOME_COMMAND, OUTCOME_NO_STATUS},
	{OUTCOME_HALTED, OUTCOME_COMMAND, OUTCOME_NO_STATUS},
	{OUTCOME_RESET, OUTCOME_COMMAND, OUTCOME_RESET},
	{OUTCOME_TRIPLE_FAULT, OUTCOME_COMMAND, OUTCOME_TRIPLE_FAULT},
	{OUTCOME_STATUS, OUTCOME_STATUS, OUTCOME_STATUS},
	{OUTCOME_PANIC, OUTCOME_PANIC, OUTCOME_PANIC},
	{OUTCOME_TIMEOUT, OUTCOME_TIMEOUT, OUTCOME_TIMEOUT},
	{OUTCOME_SIGNAL, OUTCOME_SIGNAL, OUTCOME_SIGNAL},
	{OUTCOME_QUIT, OUTCOME_QUIT, OUTCOME_QUIT},
	{OUTCOME_ERROR, OUTCOME_ERROR, OUTCOME_ERROR},
};

static void only_an_end_of_the_machines_own_becomes_the_commands(void **state)
{
	const struct command_exit end = {.end = COMMAND_EXITED, .value = 3};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(machine_ends); i++) {
		struct outcome outcome = {.cause = machine_ends[i].cause, .status = 9};

		outcome_take_command(&outcome, &end, "make", "/work");
		assert_int_equal(outcome.cause, machine_ends[i].with_end);
		if (outcome.cause == OUTCOME_COMMAND)
			assert_int_equal(outcome_exit_code(&outcome), 3);
		outcome = (struct outcome){.cause = machine_ends[i].cause, .status = 9};
		outcome_take_command(&outcome, NULL, "make", "/work");
		assert_int_equal(outcome.cause, machine_ends[i].without_end);
		assert_int_not_equal(outcome_exit_code(&outcome), 0);
	}
}

static void a_missing_status_says_how_the_machine_ended(void **state)
{
	struct outcome outcome = {.cause = OUTCOME_POWER_OFF};

	(void)state;
	outcome_take_command(&outcome, NULL, "make", "/work");
	assert_string_equal(outcome.detail, "no status of the command: guest powered off");
	outcome = (struct outcome){.cause = OUTCOME_HALTED};
	outcome_take_command(&outcome, NULL, "make", "/work");
	assert_string_equal(outcome.detail, "no status of the command: guest halted");
}

static void a_commands_long_name_is_cut(void **state)
{
	const struct command_exit end = {COMMAND_NOT_STARTED, ENOENT, COMMAND_STEP_EXEC};
	struct outcome outcome = {.cause = OUTCOME_POWER_OFF};
	char name[2 * OUTCOME_DETAIL_SIZE];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	outcome_take_command(&outcome, &end, name, "/work");
	assert_int_equal(strlen(outcome.detail), OUTCOME_DETAIL_SIZE - 1);
	assert_int_equal(outcome_exit_code(&outcome), 127);
}

static struct outcome command_ended(uint32_t status)
{
	const struct command_exit end = {.end = COMMAND_EXITED, .value = status};
	struct outcome outcome = {.cause = OUTCOME_POWER_OFF};

	outcome_take_command(&outcome, &end, "make", "/work");
	return outcome;
}

static void lost_files_spoil_only_a_success(void **state)
{
	struct outcome outcome = command_ended(0), failed = command_ended(2), timeout = {.cause = OUTCOME_TIMEOUT};

	(void)state;
	outcome_take_lost_files(&outcome);
	assert_int_equal(outcome_exit_code(&outcome), 125);
	assert_non_null(strstr(outcome.detail, "its /out is incomplete"));
	outcome_take_lost_files(&failed);
	assert_int_equal(outcome_exit_code(&failed), 2);
	assert_string_equal(failed.detail, "command exited with status 2");
	outcome_take_lost_files(&timeout);
	assert_int_equal(timeout.cause, OUTCOME_TIMEOUT);
}

static void a_complaint_is_a_failure_with_the_line_quoted(void **state)
{
	struct outcome outcome = command_ended(0), failed = command_ended(77), off = {.cause = OUTCOME_POWER_OFF},
		       status = {.cause = OUTCOME_STATUS, .status = 42};

	(void)state;
	outcome_take_complaint(&outcome, "WARNING: at mm/x.c:1");
	assert_int_equal(outcome_exit_code(&outcome), 1);
	assert_string_equal(outcome.detail, "\"WARNING: at mm/x.c:1\" (command exited with status 0)");
	outcome_take_complaint(&failed, "BUG: here");
	assert_int_equal(outcome_exit_code(&failed), 1);
	assert_string_equal(failed.detail, "\"BUG: here\" (command exited with status 77)");
	outcome_take_complaint(&off, "BUG: here");
	assert_string_equal(off.detail, "\"BUG: here\" (guest powered off)");
	outcome_take_complaint(&status, "BUG: here");
	assert_string_equal(status.detail, "\"BUG: here\" (guest exited with status 42)");
}

static void the_first_complaint_stays(void **state)
{
	struct outcome outcome = command_ended(0);

	(void)state;
	outcome_take_complaint(&outcome, "first");
	outcome_take_complaint(&outcome, "second");
	assert_string_equal(outcome.detail, "\"first\" (command exited with status 0)");
}

static void an_end_that_says_more_than_a_complaint_stays(void **state)
{
	static const enum outcome_cause causes[] = {
		OUTCOME_RESET,	OUTCOME_TRIPLE_FAULT, OUTCOME_PANIC, OUTCOME_TIMEOUT,
		OUTCOME_SIGNAL, OUTCOME_QUIT,	      OUTCOME_ERROR, OUTCOME_NO_STATUS,
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(causes); i++) {
		struct outcome outcome = {.cause = causes[i], .detail = "as it was"};

		outcome_take_complaint(&outcome, "WARNING: here");
		assert_int_equal(outcome.cause, causes[i]);
		assert_string_equal(outcome.detail, "as it was");
	}
}

/* Line and end both long: each keeps its beginning, and the line its closing quotation mark. */
static void a_long_complaint_leaves_room_for_the_end(void **state)
{
	struct outcome outcome = command_ended(77);
	char line[600], text[512];

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	outcome_take_complaint(&outcome, line);
	assert_non_null(strstr(outcome.detail, "xxx\" (command exited with status 77)"));
	assert_non_null(strstr(outcome_describe(&outcome, text, sizeof(text)), "status 77) (exit 1)"));
	outcome = (struct outcome){.cause = OUTCOME_COMMAND};
	memset(outcome.detail, 'y', sizeof(outcome.detail) - 1);
	outcome_take_complaint(&outcome, line);
	assert_non_null(strstr(outcome.detail, "xxx\" (yyy"));
	assert_int_equal(outcome.detail[strlen(outcome.detail) - 1], ')');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cause_has_its_code_name_and_line),
		cmocka_unit_test(no_cause_is_forgotten_and_no_name_is_used_twice),
		cmocka_unit_test(a_line_that_does_not_fit_is_cut),
		cmocka_unit_test(every_end_of_a_command_has_its_code),
		cmocka_unit_test(only_an_end_of_the_machines_own_becomes_the_commands),
		cmocka_unit_test(a_missing_status_says_how_the_machine_ended),
		cmocka_unit_test(a_commands_long_name_is_cut),
		cmocka_unit_test(lost_files_spoil_only_a_success),
		cmocka_unit_test(a_complaint_is_a_failure_with_the_line_quoted),
		cmocka_unit_test(the_first_complaint_stays),
		cmocka_unit_test(an_end_that_says_more_than_a_complaint_stays),
		cmocka_unit_test(a_long_complaint_leaves_room_for_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
