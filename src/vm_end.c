/* SPDX-License-Identifier: Apache-2.0 */
/* The orderly end of a run: what the guest left is stored, judged, told and written out. */
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "terminal.h"
#include "vm_run.h"

#define STALL_LIMIT_NS 5000000000ULL /* how long a reader that takes nothing holds up the end */

static bool is_any_in_flight(const struct run *run)
{
	const struct vm *vm = run->vm;

	return run->watch_op.in_flight || run->wake_op.in_flight || run->signal_op.in_flight ||
	       run->timeout_op.in_flight || run->power_op.in_flight || run->serial_op.in_flight ||
	       vm->console.input_op.in_flight || vm->console.rest_op.in_flight || vm->console.out.op.in_flight ||
	       vm->events.out.op.in_flight;
}

static bool is_written(struct vm *vm)
{
	return out_stream_is_idle(&vm->console.out) && out_stream_is_idle(&vm->events.out);
}

/* A guest that ended by itself has its output read: whoever paused the reader, or looks at a pager, comes back or ends
 * vmm by a signal. Nobody waits for the output of a guest that was ended. */
static bool is_patient(const struct run *run, const struct outcome *outcome)
{
	switch (outcome->cause) {
	case OUTCOME_TIMEOUT:
	case OUTCOME_SIGNAL:
	case OUTCOME_QUIT:
	case OUTCOME_ERROR:
		return false;
	default:
		return !run->told_to_end && !out_stream_is_idle(&run->vm->console.out);
	}
}

/* False when the readers took too long, or when somebody meanwhile asked for the end. */
static bool wait_until_written(struct run *run)
{
	struct vm *vm = run->vm;
	const bool was_told = run->told_to_end;

	uring_cancel(vm->ring, &run->watch_op);
	while (run->watch_op.in_flight && !run->broken)
		run_loop_once(run);
	run_start_timer(run, &run->watch_op, monotonic_ns() + STALL_LIMIT_NS);
	while (run->watch_op.in_flight && !run->broken && run->told_to_end == was_told) {
		out_stream_pump(&vm->console.out);
		out_stream_pump(&vm->events.out);
		if (is_written(vm))
			return true;
		run_loop_once(run);
	}
	return false;
}

/* Writes out what is queued. Readers that take nothing for a while are given up, unless there is reason for patience.
 */
static void flush_streams(struct run *run, const struct outcome *outcome)
{
	struct out_stream *console = &run->vm->console.out;
	uint64_t left, before;

	do {
		before = out_stream_queued(console);
		if (wait_until_written(run))
			return;
		left = out_stream_queued(console);
	} while (!run->broken && (left != before || is_patient(run, outcome)));
	if (left)
		log_err("nobody reads the console: its last %" PRIu64 " bytes are lost", left);
}

/* Ends every op. One that completes before its cancellation arrives does not start anew: draining, closed. */
static void drain(struct run *run, const struct outcome *outcome)
{
	struct vm *vm = run->vm;

	console_close_input(&vm->console);
	terminal_restore();	     /* so that Ctrl-C is a signal again */
	flush_streams(run, outcome); /* signals and the time limit still count */
	run->draining = true;
	uring_cancel(vm->ring, &run->timeout_op);
	uring_cancel(vm->ring, &run->watch_op);
	uring_cancel(vm->ring, &run->power_op);
	uring_cancel(vm->ring, &run->serial_op);
	uring_cancel(vm->ring, &run->wake_op);
	uring_cancel(vm->ring, &run->signal_op);
	out_stream_close(&vm->console.out);
	out_stream_close(&vm->events.out);
	while (is_any_in_flight(run))
		run_loop_once(run);
}

/* A reset, a triple fault or a halt after the kernel's panic line is the panic's doing. */
static void blame_panic(struct outcome *outcome, const struct vm_notices *n)
{
	switch (outcome->cause) {
	case OUTCOME_RESET:
	case OUTCOME_TRIPLE_FAULT:
	case OUTCOME_HALTED:
	case OUTCOME_PANIC:
		break;
	default:
		return;
	}
	if (!n->has_panic)
		return;
	outcome->cause = OUTCOME_PANIC;
	if (n->panic[0])
		memcpy(outcome->detail, n->panic, sizeof(outcome->detail));
}

/* All that the guest sent for --out is stored when this returns. */
static void finish_out(struct run *run)
{
	struct out_receiver *out = &run->vm->command.out;

	if (!run->vm->config->command.out)
		return;
	for (out_stream_pump(&out->stream); !out_receiver_is_idle(out); out_stream_pump(&out->stream))
		run_loop_once(run);
	out_receiver_finish(out);
}

static void judge_files(const struct vm_command *command, struct outcome *outcome)
{
	uint64_t lost = vm_command_lost_files(command);

	/* Of a guest that did not live to send anything the end says enough. */
	if (command->out.code && (command->out.received || outcome->cause == OUTCOME_COMMAND))
		log_err("%s", command->out.err.text);
	if (lost)
		log_err("--out %s: %" PRIu64 " of the files in /out did not arrive", command->out.request.dir, lost);
	if (command->out.code || lost)
		outcome_take_lost_files(outcome);
}

/* What the machine's end means for the command, its files, and who asked for a kernel without complaints. */
static void judge(struct run *run, struct outcome *outcome)
{
	struct vm *vm = run->vm;
	const struct config_command *command = &vm->config->command;
	struct vm_notices n;

	vm_get_notices(vm, &n);
	blame_panic(outcome, &n);
	if (command->nr_arguments) {
		const struct vm_command_news *news = &vm->command.news;

		outcome_take_command(outcome, news->ended_ns ? &news->end : NULL, command->arguments[0],
				     command->folder);
	}
	if (command->out)
		judge_files(&vm->command, outcome);
	for (unsigned i = 0; i < n.nr_complaints; i++) {
		if (vm->config->fail_on == CONFIG_FAIL_ON_WARN ||
		    (vm->config->fail_on == CONFIG_FAIL_ON_OOPS && n.complaints[i].is_oops))
			outcome_take_complaint(outcome, n.complaints[i].line);
	}
}

void run_end(struct run *run, struct outcome *outcome)
{
	finish_out(run);
	vm_news_tell(&run->news);
	judge(run, outcome);
	vm_news_end(&run->news, outcome);
	drain(run, outcome);
}
