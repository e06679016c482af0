/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/verdict.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"

#define VMM_FAILED 125

static void say(struct plan_run *run, enum plan_state state, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void say(struct plan_run *run, enum plan_state state, const char *fmt, ...)
{
	va_list ap;

	run->state = state;
	va_start(ap, fmt);
	vsnprintf(run->reason, sizeof(run->reason), fmt, ap);
	va_end(ap);
}

static void say_late(struct plan_run *run, const struct verdict_input *input)
{
	say(run, PLAN_ERROR, "vmm did not end within %.0fs after its timeout of %gs and was killed",
	    (double)input->grace_ns / 1e9, (double)run->timeout_ns / 1e9);
}

/* vmm's last line without its name: why it ended. */
static void say_line(struct plan_run *run, enum plan_state state, const struct verdict_input *input)
{
	const char *line = input->last_line;

	if (strncmp(line, "vmm: ", 5) == 0)
		line += 5;
	/* Without a line the disk is full, or the line was lost with vmm. */
	if (!*line)
		say(run, state, "exit %d, and " PLAN_VMM_FILE " is empty; is the disk full?", input->status);
	else if (state == PLAN_FAILED && run->expect != 0)
		say(run, state, "%s; expected %d", line, run->expect);
	else
		say(run, state, "%s", line);
}

void verdict_give(struct plan_run *run, const struct verdict_input *input)
{
	run->status = input->status;
	if (input->is_late)
		say_late(run, input);
	else if (input->was_stopped && (input->signal || input->status == 128 + SIGTERM))
		say(run, PLAN_NOT_RUN, "stopped before it ended");
	else if (input->signal)
		say(run, PLAN_ERROR, "vmm was killed by signal %d (%s)%s", input->signal, strsignal(input->signal),
		    input->signal == SIGKILL ? "; is the host short of memory?" : "");
	else if (input->status == VMM_FAILED)
		say_line(run, PLAN_ERROR, input);
	else
		say_line(run, input->status == run->expect ? PLAN_PASSED : PLAN_FAILED, input);
}

const char *verdict_name(enum plan_state state)
{
	static const char *const names[PLAN_STATES] = {
		[PLAN_QUEUED] = "queued", [PLAN_RUNNING] = "running", [PLAN_PASSED] = "passed",
		[PLAN_FAILED] = "FAILED", [PLAN_ERROR] = "ERROR",     [PLAN_NOT_RUN] = "not run",
	};

	return names[state];
}
