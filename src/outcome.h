/* SPDX-License-Identifier: Apache-2.0 */
/* How a run ended: the cause, the process's exit code and the last line on stderr. Pure. */
#ifndef VMM_OUTCOME_H
#define VMM_OUTCOME_H

#include <stddef.h>
#include <stdint.h>

#include "ci/command_proto.h"

enum outcome_cause {
	OUTCOME_NONE,
	OUTCOME_POWER_OFF,
	OUTCOME_HALTED, /* every vCPU waits for ever with interrupts off */
	OUTCOME_STATUS, /* exit port; status */
	OUTCOME_RESET,	/* i8042, ACPI or port 0xcf9 */
	OUTCOME_TRIPLE_FAULT,
	OUTCOME_PANIC, /* detail: the reason */
	OUTCOME_TIMEOUT,
	OUTCOME_SIGNAL,	   /* status: the signal that ended vmm */
	OUTCOME_QUIT,	   /* Ctrl-A x */
	OUTCOME_ERROR,	   /* detail: what the VMM or KVM could not do */
	OUTCOME_COMMAND,   /* the command ended; status: the exit code; detail: how, as a sentence */
	OUTCOME_NO_STATUS, /* there was a command, but no word of its end; detail: what happened, as a sentence */
	OUTCOME_COMPLAINT, /* --fail-on; detail: how the run ended, as a sentence, and the kernel's line */
};

#define OUTCOME_DETAIL_SIZE 256

#define EXIT_COMPLAINT	    1
#define EXIT_TIMEOUT	    124
#define EXIT_VMM_ERROR	    125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND	    127
#define EXIT_RESET	    254
#define EXIT_PANIC	    255
#define EXIT_NO_STATUS	    255

struct outcome {
	enum outcome_cause cause;
	uint32_t status;
	uint64_t elapsed_ns; /* since vmm started */
	char detail[OUTCOME_DETAIL_SIZE];
};

int outcome_exit_code(const struct outcome *outcome);

/* The machine has ended, and @end is what the guest's init said of the command @name in @folder (may be NULL); NULL:
 * nothing. Turns an end that is the machine's own (power-off, halt, reset after the word of the end) into the
 * command's. */
void outcome_take_command(struct outcome *outcome, const struct command_exit *end, const char *name,
			  const char *folder);

/* What the command left for the user did not arrive whole: success is none then. */
void outcome_take_lost_files(struct outcome *outcome);

/* The kernel complained with @line, which the user wants to be a failure: so is every end that says less. */
void outcome_take_complaint(struct outcome *outcome, const char *line);

/* A word for --events: "power-off", "reset", ... */
const char *outcome_cause_name(enum outcome_cause cause);

/* The last line, without prefix and newline, into @buf; returns @buf. */
const char *outcome_describe(const struct outcome *outcome, char *buf, size_t size);

#endif
