/* SPDX-License-Identifier: Apache-2.0 */
#include "outcome.h"

#include <stdio.h>
#include <string.h>

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
	default:
		return EXIT_VMM_ERROR;
	}
}

const char *outcome_cause_name(enum outcome_cause cause)
{
	static const char *const names[] = {
		[OUTCOME_NONE] = "none",	 [OUTCOME_POWER_OFF] = "power-off",
		[OUTCOME_HALTED] = "halted",	 [OUTCOME_STATUS] = "status",
		[OUTCOME_RESET] = "reset",	 [OUTCOME_TRIPLE_FAULT] = "triple-fault",
		[OUTCOME_PANIC] = "guest-panic", [OUTCOME_TIMEOUT] = "timeout",
		[OUTCOME_SIGNAL] = "signal",	 [OUTCOME_QUIT] = "quit",
		[OUTCOME_ERROR] = "error",
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
	default:
		snprintf(buf, size, "stopped");
		break;
	}
}

const char *outcome_describe(const struct outcome *outcome, char *buf, size_t size)
{
	char cause[96];
	double seconds = (double)outcome->elapsed_ns / 1e9;
	int code = outcome_exit_code(outcome);

	describe_cause(outcome, cause, sizeof(cause));
	if (outcome->cause == OUTCOME_PANIC && outcome->detail[0])
		snprintf(buf, size, "%s after %.2fs: \"%s\" (exit %d)", cause, seconds, outcome->detail, code);
	else if (outcome->detail[0])
		snprintf(buf, size, "%s after %.2fs: %s (exit %d)", cause, seconds, outcome->detail, code);
	else
		snprintf(buf, size, "%s after %.2fs (exit %d)", cause, seconds, code);
	return buf;
}
