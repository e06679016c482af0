/* SPDX-License-Identifier: Apache-2.0 */
#include "outcome.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"

#define EXIT_SIGNAL_BASE 128
#define EXIT_QUIT	 130 /* as a shell reports Ctrl-C */
#define EXIT_MAX	 255

int outcome_exit_code(const struct outcome *outcome)
{
	switch (outcome->cause) {
	case OUTCOME_POWER_OFF:
	case OUTCOME_HALTED:
		return 0;
	case OUTCOME_STATUS:
		return outcome->status <= EXIT_MAX ? (int)outcome->status : EXIT_MAX;
	case OUTCOME_RESET:
	case OUTCOME_TRIPLE_FAULT:
		return EXIT_RESET;
	case OUTCOME_PANIC:
		return EXIT_PANIC;
	case OUTCOME_TIMEOUT:
		return EXIT_TIMEOUT;
	case OUTCOME_SIGNAL:
		return EXIT_SIGNAL_BASE + (int)outcome->status;
	case OUTCOME_QUIT:
		return EXIT_QUIT;
	case OUTCOME_COMMAND:
		return (int)outcome->status;
	case OUTCOME_NO_STATUS:
		return EXIT_NO_STATUS;
	case OUTCOME_COMPLAINT:
		return EXIT_COMPLAINT;
	default:
		return EXIT_VMM_ERROR;
	}
}

const char *outcome_cause_name(enum outcome_cause cause)
{
	static const char *const names[] = {
		[OUTCOME_NONE] = "none",	   [OUTCOME_POWER_OFF] = "power-off",
		[OUTCOME_HALTED] = "halted",	   [OUTCOME_STATUS] = "status",
		[OUTCOME_RESET] = "reset",	   [OUTCOME_TRIPLE_FAULT] = "triple-fault",
		[OUTCOME_PANIC] = "guest-panic",   [OUTCOME_TIMEOUT] = "timeout",
		[OUTCOME_SIGNAL] = "signal",	   [OUTCOME_QUIT] = "quit",
		[OUTCOME_ERROR] = "error",	   [OUTCOME_COMMAND] = "command",
		[OUTCOME_NO_STATUS] = "no-status", [OUTCOME_COMPLAINT] = "kernel-complaint",
	};

	return names[cause];
}

/* The sentence without time and code. */
static void describe_cause(const struct outcome *outcome, char *buf, size_t size)
{
	switch (outcome->cause) {
	case OUTCOME_POWER_OFF:
		snprintf(buf, size, "guest powered off");
		break;
	case OUTCOME_HALTED:
		snprintf(buf, size, "guest halted");
		break;
	case OUTCOME_STATUS:
		snprintf(buf, size, "guest exited with status %u", outcome->status);
		break;
	case OUTCOME_RESET:
		snprintf(buf, size, "guest reset");
		break;
	case OUTCOME_TRIPLE_FAULT:
		snprintf(buf, size, "guest triple-faulted");
		break;
	case OUTCOME_PANIC:
		snprintf(buf, size, "guest panicked");
		break;
	case OUTCOME_TIMEOUT:
		snprintf(buf, size, "timeout: guest still running");
		break;
	case OUTCOME_SIGNAL:
		snprintf(buf, size, "stopped by %s", strsignal((int)outcome->status));
		break;
	case OUTCOME_QUIT:
		snprintf(buf, size, "stopped by Ctrl-A x");
		break;
	case OUTCOME_COMMAND:
	case OUTCOME_NO_STATUS:
		snprintf(buf, size, "%s", outcome->detail);
		break;
	case OUTCOME_COMPLAINT:
		snprintf(buf, size, "the kernel complained");
		break;
	default:
		snprintf(buf, size, "stopped");
		break;
	}
}

const char *outcome_describe(const struct outcome *outcome, char *buf, size_t size)
{
	char cause[OUTCOME_DETAIL_SIZE];
	double seconds = (double)outcome->elapsed_ns / 1e9;
	int code = outcome_exit_code(outcome);

	bool is_sentence = outcome->cause == OUTCOME_COMMAND || outcome->cause == OUTCOME_NO_STATUS;

	describe_cause(outcome, cause, sizeof(cause));
	if (outcome->cause == OUTCOME_PANIC && outcome->detail[0])
		snprintf(buf, size, "%s after %.2fs: \"%s\" (exit %d)", cause, seconds, outcome->detail, code);
	else if (outcome->detail[0] && !is_sentence)
		snprintf(buf, size, "%s after %.2fs: %s (exit %d)", cause, seconds, outcome->detail, code);
	else
		snprintf(buf, size, "%s after %.2fs (exit %d)", cause, seconds, code);
	return buf;
}

static void set_command(struct outcome *outcome, uint32_t status)
{
	outcome->cause = OUTCOME_COMMAND;
	outcome->status = status;
}

static void take_start_failure(struct outcome *outcome, const struct command_exit *end, const char *name,
			       const char *folder)
{
	bool is_missing = end->value == ENOENT || end->value == ENOTDIR;
	const char *why = strerror((int)end->value);

	set_command(outcome, EXIT_NOT_EXECUTABLE);
	if (end->step == COMMAND_STEP_CHDIR) {
		snprintf(outcome->detail, sizeof(outcome->detail), "command not run: --chdir %s: %s",
			 folder ? folder : "/", why);
	} else if (is_missing) {
		outcome->status = EXIT_NOT_FOUND;
		snprintf(outcome->detail, sizeof(outcome->detail), "command not found: %s", name);
	} else {
		snprintf(outcome->detail, sizeof(outcome->detail), "command not executable: %s: %s", name, why);
	}
}

static void take_end(struct outcome *outcome, const struct command_exit *end, const char *name, const char *folder)
{
	switch (end->end) {
	case COMMAND_EXITED:
		set_command(outcome, end->value <= EXIT_MAX ? end->value : EXIT_MAX);
		snprintf(outcome->detail, sizeof(outcome->detail), "command exited with status %u", outcome->status);
		break;
	case COMMAND_KILLED:
		set_command(outcome, EXIT_SIGNAL_BASE + (end->value & 0x7f));
		snprintf(outcome->detail, sizeof(outcome->detail), "command killed by signal %u (%s)",
			 end->value & 0x7f, strsignal((int)(end->value & 0x7f)));
		break;
	case COMMAND_NOT_STARTED:
		take_start_failure(outcome, end, name, folder);
		break;
	default:
		outcome->cause = OUTCOME_NO_STATUS;
		snprintf(outcome->detail, sizeof(outcome->detail), "the guest's init could not run the command: %s",
			 strerror((int)end->value));
		break;
	}
}

void outcome_take_command(struct outcome *outcome, const struct command_exit *end, const char *name, const char *folder)
{
	char how[64];

	switch (outcome->cause) {
	case OUTCOME_RESET:
	case OUTCOME_TRIPLE_FAULT:
		if (!end)
			return; /* these say more than a missing status */
		break;
	case OUTCOME_POWER_OFF:
	case OUTCOME_HALTED:
		break;
	default:
		return;
	}
	if (end) {
		take_end(outcome, end, name, folder);
		return;
	}
	describe_cause(outcome, how, sizeof(how));
	outcome->cause = OUTCOME_NO_STATUS;
	snprintf(outcome->detail, sizeof(outcome->detail), "no status of the command: %s", how);
}

void outcome_take_lost_files(struct outcome *outcome)
{
	char end[OUTCOME_DETAIL_SIZE];

	if (outcome_exit_code(outcome) != 0)
		return;
	describe_cause(outcome, end, sizeof(end));
	outcome->cause = OUTCOME_ERROR;
	snprintf(outcome->detail, sizeof(outcome->detail), "%.200s, but its /out is incomplete", end);
}

void outcome_take_complaint(struct outcome *outcome, const char *line)
{
	char end[OUTCOME_DETAIL_SIZE];

	switch (outcome->cause) {
	case OUTCOME_POWER_OFF:
	case OUTCOME_HALTED:
	case OUTCOME_STATUS:
	case OUTCOME_COMMAND:
		break;
	default:
		return;
	}
	describe_cause(outcome, end, sizeof(end));
	outcome->cause = OUTCOME_COMPLAINT;
	snprintf(outcome->detail, sizeof(outcome->detail), "\"%.160s\" (%.80s)", line, end);
}
