/* SPDX-License-Identifier: Apache-2.0 */
/* The I/O thread's part of a run: the loop, what ends it, and the orderly stop. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#include "base/file.h"
#include "base/log.h"
#include "vcpu_report.h"
#include "vm.h"
#include "x86/arch.h"

#define NS_PER_MS	1000000ULL
#define WATCH_PERIOD_NS (100 * NS_PER_MS)
#define PANIC_QUIET_NS	(2000 * NS_PER_MS)  /* no output for so long after a panic: nothing more will come */
#define PANIC_LIMIT_NS	(20000 * NS_PER_MS) /* a panicked guest that goes on printing ends here */
#define HALT_LIMIT_NS	(10000 * NS_PER_MS) /* how long a console's "System halted" is checked against the vCPUs */
#define DRAIN_LIMIT_NS	(5000 * NS_PER_MS)  /* how long a stalled reader holds up the end */
#define NO_DEADLINE	UINT64_MAX

struct run {
	struct vm *vm;
	struct uring_op wake_op, signal_op, timeout_op, watch_op;
	uint64_t wake_count;
	struct signalfd_siginfo signal;
	bool stopping;
	/* what the events have told so far */
	bool told_first_instruction, told_console, told_init, told_panic;
	/* the watch on a guest that says it panicked or halted */
	uint64_t watch_since_ns, last_output_ns, output_bytes;
};

static void on_wake(struct uring_op *op, int result);
static void on_signal(struct uring_op *op, int result);
static void on_timeout(struct uring_op *op, int result);
static void on_watch(struct uring_op *op, int result);

/* An op of ours that cannot start would leave the loop deaf: it is our bug, the ring is far larger. */
static void must_start(int err)
{
	ASSERT(err == 0);
}

static void arm_wake(struct run *run)
{
	must_start(
		uring_read(run->vm->ring, &run->wake_op, run->vm->wake_fd, &run->wake_count, sizeof(run->wake_count)));
}

static void arm_signal(struct run *run)
{
	must_start(uring_read(run->vm->ring, &run->signal_op, run->vm->signal_fd, &run->signal, sizeof(run->signal)));
}

static uint64_t console_bytes(struct vm *vm)
{
	uint64_t bytes;

	pthread_mutex_lock(&vm->dev_lock);
	bytes = vm->devices.com1.tx_bytes;
	pthread_mutex_unlock(&vm->dev_lock);
	return bytes;
}

static void tell(struct run *run, const char *name, uint64_t at_ns, const char *key, const char *text)
{
	struct event event;

	event_begin(&event, &run->vm->events, name, at_ns);
	if (key)
		json_put_string(&event.json, key, text);
	event_end(&event, &run->vm->events);
}

static void tell_started(struct run *run)
{
	const struct vm *vm = run->vm;
	struct event event;

	event_begin(&event, &vm->events, "started", monotonic_ns());
	json_put_string(&event.json, "version", VMM_VERSION);
	json_put_string(&event.json, "kernel", vm->config->kernel);
	json_put_string(&event.json, "format", image_format_name(vm->image.format));
	json_put_u64(&event.json, "mem", vm->config->mem_size);
	json_put_u64(&event.json, "cpus", vm->config->nr_cpus);
	json_put_bool(&event.json, "assist", vm->assist.active);
	event_end(&event, &run->vm->events);
}

/* Tells what the notices hold and has not been told. */
static void tell_news(struct run *run, const struct vm_notices *n)
{
	uint64_t first = atomic_load(&run->vm->vcpus[0].first_entry_ns);

	if (first && !run->told_first_instruction) {
		tell(run, "first-instruction", first, NULL, NULL);
		run->told_first_instruction = true;
	}
	if (n->console_up_ns && !run->told_console) {
		tell(run, "console-up", n->console_up_ns, NULL, NULL);
		run->told_console = true;
	}
	if (n->init_ns && !run->told_init) {
		tell(run, "init-started", n->init_ns, "path", n->init_path);
		run->told_init = true;
	}
	if (n->has_panic && !run->told_panic) {
		tell(run, "guest-panic", monotonic_ns(), "reason", n->panic);
		run->told_panic = true;
	}
}

static void arm_watch(struct run *run)
{
	if (!run->stopping)
		must_start(uring_timer(run->vm->ring, &run->watch_op, monotonic_ns() + WATCH_PERIOD_NS));
}

static void start_watch(struct run *run)
{
	if (run->watch_op.in_flight || run->stopping)
		return;
	run->watch_since_ns = run->last_output_ns = monotonic_ns();
	run->output_bytes = console_bytes(run->vm);
	arm_watch(run);
}

static struct vm_notices snapshot_notices(struct vm *vm)
{
	struct vm_notices copy;

	pthread_mutex_lock(&vm->notices.lock);
	copy = vm->notices;
	pthread_mutex_unlock(&vm->notices.lock);
	return copy;
}

static void on_wake(struct uring_op *op, int result)
{
	struct run *run = container_of(op, struct run, wake_op);
	struct vm *vm = run->vm;
	struct vm_notices n;

	if (result == -ECANCELED)
		return;
	arm_wake(run);
	console_on_wake(&vm->console);
	n = snapshot_notices(vm);
	tell_news(run, &n);
	out_stream_pump(&vm->events.out);
	if (n.has_panic || n.says_halted)
		start_watch(run);
	if (n.outcome.cause != OUTCOME_NONE)
		run->stopping = true;
}

static void on_signal(struct uring_op *op, int result)
{
	struct run *run = container_of(op, struct run, signal_op);

	if (result == -ECANCELED)
		return;
	if (result == (int)sizeof(run->signal))
		vm_stop(run->vm, OUTCOME_SIGNAL, run->signal.ssi_signo, "");
	arm_signal(run);
}

static void on_timeout(struct uring_op *op, int result)
{
	struct run *run = container_of(op, struct run, timeout_op);

	if (result == 0)
		vm_stop(run->vm, OUTCOME_TIMEOUT, 0, "");
}

static bool is_dead(const struct vcpu *vcpu)
{
	struct kvm_regs regs;
	uint32_t state;

	if (kvm_vcpu_get_mp_state(&vcpu->kvm, &state) || kvm_vcpu_get_regs(&vcpu->kvm, &regs))
		return false;
	return state == KVM_MP_STATE_HALTED ? !(regs.rflags & RFLAGS_IF) : state == KVM_MP_STATE_UNINITIALIZED;
}

/* Do all vCPUs wait with interrupts off? Nothing in this machine sends NMIs, so they wait for ever. */
static bool all_dead(struct vm *vm)
{
	bool dead = true;

	vcpu_pause_all(vm->vcpus, vm->nr_vcpus, &vm->gate);
	for (unsigned i = 0; i < vm->nr_vcpus; i++)
		dead = dead && is_dead(&vm->vcpus[i]);
	vcpu_resume_all(&vm->gate);
	return dead;
}

/* A guest that said "panic" may still print its trace and then reset by itself; one that said "halted" may not mean it.
 */
static void on_watch(struct uring_op *op, int result)
{
	struct run *run = container_of(op, struct run, watch_op);
	struct vm *vm = run->vm;
	uint64_t now = monotonic_ns(), bytes = console_bytes(vm);
	struct vm_notices n = snapshot_notices(vm);

	if (result)
		return;
	if (bytes != run->output_bytes)
		run->last_output_ns = now;
	run->output_bytes = bytes;
	if (n.has_panic) {
		if (now - run->last_output_ns >= PANIC_QUIET_NS || now - run->watch_since_ns >= PANIC_LIMIT_NS)
			vm_stop(vm, OUTCOME_PANIC, 0, "");
	} else if (now - run->watch_since_ns < HALT_LIMIT_NS) {
		if (all_dead(vm))
			vm_stop(vm, OUTCOME_HALTED, 0, "");
	} else {
		return;
	}
	arm_watch(run);
}

static void begin(struct run *run, struct vm *vm)
{
	memset(run, 0, sizeof(*run));
	run->vm = vm;
	run->wake_op.done = on_wake;
	run->signal_op.done = on_signal;
	run->timeout_op.done = on_timeout;
	run->watch_op.done = on_watch;
	arm_wake(run);
	arm_signal(run);
	if (vm->config->timeout_ns)
		must_start(uring_timer(vm->ring, &run->timeout_op, vm->start_ns + vm->config->timeout_ns));
	tell_started(run);
	console_start(&vm->console);
}

static void start_vcpus(struct vm *vm)
{
	for (unsigned i = 0; i < vm->nr_vcpus; i++) {
		int err = vcpu_start(&vm->vcpus[i]);
		char why[OUTCOME_DETAIL_SIZE];

		if (!err)
			continue;
		snprintf(why, sizeof(why), "cannot start a thread for vCPU %u: %s", i, strerror(-err));
		vm_stop(vm, OUTCOME_ERROR, 0, why);
		return;
	}
}

static void loop_once(struct run *run)
{
	int err = uring_run_once(run->vm->ring);

	if (err) {
		char why[OUTCOME_DETAIL_SIZE];

		snprintf(why, sizeof(why), "the I/O loop failed: %s", strerror(-err));
		vm_stop(run->vm, OUTCOME_ERROR, 0, why);
		run->stopping = true;
	}
}

/* What a person wants to see of a guest that did not end in time. */
static void report_timeout(struct vm *vm)
{
	char tail[CONSOLE_TAIL_SIZE + 1], position[160];
	size_t len;

	vcpu_pause_all(vm->vcpus, vm->nr_vcpus, &vm->gate);
	pthread_mutex_lock(&vm->dev_lock);
	len = console_watch_tail(&vm->console.watch, tail, sizeof(tail));
	pthread_mutex_unlock(&vm->dev_lock);
	log_err("the console's last lines:");
	for (char *line = tail, *end; line < tail + len; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			end = tail + len;
		log_err("| %.*s", (int)(end - line), line);
	}
	for (unsigned i = 0; i < vm->nr_vcpus; i++)
		log_err("%s", vcpu_report_position(&vm->vcpus[i], position, sizeof(position)));
}

static void tell_exit(struct run *run, const struct outcome *outcome)
{
	struct vm *vm = run->vm;
	struct event event;

	if (outcome->cause == OUTCOME_RESET)
		tell(run, "reset", vm->start_ns + outcome->elapsed_ns, NULL, NULL);
	event_begin(&event, &vm->events, "exit", vm->start_ns + outcome->elapsed_ns);
	json_put_string(&event.json, "cause", outcome_cause_name(outcome->cause));
	json_put_u64(&event.json, "code", (uint64_t)outcome_exit_code(outcome));
	if (outcome->detail[0])
		json_put_string(&event.json, "detail", outcome->detail);
	json_put_u64(&event.json, "events-dropped", vm->events.dropped);
	vm_put_stats(vm, &event.json);
	event_end(&event, &vm->events);
}

/* Writes out what is queued, as long as the readers take it, then ends every op. */
static void drain(struct run *run)
{
	struct vm *vm = run->vm;
	uint64_t limit = monotonic_ns() + DRAIN_LIMIT_NS;

	console_close_input(&vm->console);
	uring_cancel(vm->ring, &run->timeout_op);
	uring_cancel(vm->ring, &run->watch_op);
	while (run->timeout_op.in_flight || run->watch_op.in_flight)
		loop_once(run);
	must_start(uring_timer(vm->ring, &run->watch_op, limit));
	for (;;) {
		out_stream_pump(&vm->console.out);
		out_stream_pump(&vm->events.out);
		if (!run->watch_op.in_flight ||
		    (out_stream_is_idle(&vm->console.out) && out_stream_is_idle(&vm->events.out)))
			break;
		loop_once(run);
	}
	uring_cancel(vm->ring, &run->watch_op);
	uring_cancel(vm->ring, &run->wake_op);
	uring_cancel(vm->ring, &run->signal_op);
	uring_cancel(vm->ring, &vm->console.out.op);
	uring_cancel(vm->ring, &vm->events.out.op);
	while (run->watch_op.in_flight || run->wake_op.in_flight || run->signal_op.in_flight ||
	       vm->console.input_op.in_flight || vm->console.out.op.in_flight || vm->events.out.op.in_flight)
		loop_once(run);
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

void vm_run(struct vm *vm, struct outcome *outcome)
{
	struct vm_notices n;
	struct run run;

	begin(&run, vm);
	start_vcpus(vm);
	while (!run.stopping)
		loop_once(&run);
	*outcome = snapshot_notices(vm).outcome;
	if (outcome->cause == OUTCOME_TIMEOUT)
		report_timeout(vm);
	vcpu_stop_all(vm->vcpus, vm->nr_vcpus, &vm->gate);
	console_watch_finish(&vm->console.watch);
	n = snapshot_notices(vm);
	tell_news(&run, &n);
	blame_panic(outcome, &n);
	tell_exit(&run, outcome);
	drain(&run);
}
