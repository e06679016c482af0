/* SPDX-License-Identifier: Apache-2.0 */
/* How a run ended: the cause, the process's exit code and the last line on stderr. Pure. */
#ifndef VMM_OUTCOME_H
#define VMM_OUTCOME_H

#include <stddef.h>
#include <stdint.h>

enum outcome_cause {
	OUTCOME_NONE,
	OUTCOME_POWER_OFF,
	OUTCOME_HALTED, /* every vCPU waits for ever with interrupts off */
	OUTCOME_STATUS, /* exit port; status */
	OUTCOME_RESET,	/* i8042, ACPI or port 0xcf9 */
	OUTCOME_TRIPLE_FAULT,
	OUTCOME_PANIC, /* detail: the reason */
	OUTCOME_TIMEOUT,
	OUTCOME_SIGNAL, /* status: the signal that ended vmm */
	OUTCOME_QUIT,	/* Ctrl-A x */
	OUTCOME_ERROR,	/* detail: what the VMM or KVM could not do */
};

#define OUTCOME_DETAIL_SIZE 256

#define EXIT_TIMEOUT   124
#define EXIT_VMM_ERROR 125
#define EXIT_RESET     254
#define EXIT_PANIC     255

struct outcome {
	enum outcome_cause cause;
	uint32_t status;
	uint64_t elapsed_ns; /* since vmm started */
	char detail[OUTCOME_DETAIL_SIZE];
};

int outcome_exit_code(const struct outcome *outcome);

/* A word for --events: "power-off", "reset", ... */
const char *outcome_cause_name(enum outcome_cause cause);

/* The last line, without prefix and newline, into @buf; returns @buf. */
const char *outcome_describe(const struct outcome *outcome, char *buf, size_t size);

#endif
