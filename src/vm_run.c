/* SPDX-License-Identifier: Apache-2.0 */
/* The I/O thread's part of a run: the loop and what ends it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "vcpu_report.h"
#include "vm_run.h"
#include "x86/arch.h"

#define NS_PER_MS	1000000ULL
#define WATCH_PERIOD_NS (100 * NS_PER_MS)
#define PANIC_QUIET_NS	(2000 * NS_PER_MS)  /* no output for so long after a panic: nothing more will come */
#define PANIC_LIMIT_NS	(20000 * NS_PER_MS) /* a guest that lives on so long after the line did not mean it */
#define HALT_LIMIT_NS	(10000 * NS_PER_MS) /* how long a console's "System halted" is checked against the vCPUs */
#define POWER_LIMIT_NS	(20000 * NS_PER_MS) /* how long the guest may take to power off when all is said */
#define SERIAL_RETRY_NS (5 * NS_PER_MS)	    /* until COM2 is asked again for what the channel did not take */

static void on_wake(struct uring_op *op, int result);
static void on_signal(struct uring_op *op, int result);
static void on_timeout(struct uring_op *op, int result);
static void on_watch(struct uring_op *op, int result);
static void on_power(struct uring_op *op, int result);
static void on_serial(struct uring_op *op, int result);

/* An op of ours that cannot start would leave the loop deaf: it is our bug, the ring is far larger. */
static void must_start(int err)
{
	ASSERT(err == 0);
}

void run_start_timer(struct run *run, struct uring_op *op, uint64_t deadline_ns)
{
	must_start(uring_timer(run->vm->ring, op, deadline_ns));
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

/* What only a guest that lives does, also one that is always found in its kernel. */
static uint64_t count_output(struct vm *vm)
{
	uint64_t count;

	pthread_mutex_lock(&vm->dev_lock);
	count = vm->devices.com1.tx_bytes + vm->devices.com2.tx_bytes + vm->command.port.rings;
	pthread_mutex_unlock(&vm->dev_lock);
	return count;
}

static void arm_watch(struct run *run)
{
	if (!run->stopping)
		run_start_timer(run, &run->watch_op, monotonic_ns() + WATCH_PERIOD_NS);
}

static void start_watch(struct run *run)
{
	if (run->watch_op.in_flight || run->stopping)
		return;
	run->watch_since_ns = run->last_output_ns = monotonic_ns();
	run->output_count = count_output(run->vm);
	arm_watch(run);
}

/* What the notices mean for the loop. */
struct signs {
	bool panic, halt, end;
};

static struct signs read_signs(struct vm *vm)
{
	const struct vm_notices *n = &vm->notices;
	struct signs signs;

	pthread_mutex_lock(&vm->notices.lock);
	signs = (struct signs){n->has_panic, n->says_halted, n->outcome.cause != OUTCOME_NONE};
	pthread_mutex_unlock(&vm->notices.lock);
	return signs;
}

/* The channel's needs: its /out stream, COM2's rest, and an end when the guest cannot power off. */
static void serve_command(struct run *run)
{
	struct vm *vm = run->vm;
	bool ended, done, serial_waits;

	if (!vm->config->command.nr_arguments)
		return;
	out_stream_pump(&vm->command.out.stream);
	if (run->stopping)
		return;
	pthread_mutex_lock(&vm->dev_lock);
	ended = vm->command.news.ended_ns != 0;
	done = vm->command.news.done_ns != 0;
	serial_waits = vm->command.serial_waits;
	pthread_mutex_unlock(&vm->dev_lock);
	/* The rest of /out, gigabytes perhaps, has no place to go. */
	if (ended && atomic_load(&vm->command.out.failed))
		vm_stop(vm, OUTCOME_POWER_OFF, 0, "");
	if (done && !run->power_op.in_flight)
		run_start_timer(run, &run->power_op, monotonic_ns() + POWER_LIMIT_NS);
	if (serial_waits && !run->serial_op.in_flight)
		run_start_timer(run, &run->serial_op, monotonic_ns() + SERIAL_RETRY_NS);
}

static void on_power(struct uring_op *op, int result)
{
	struct run *run = container_of(op, struct run, power_op);

	if (result || run->stopping)
		return;
	log_note("note: the guest does not power off; for that its kernel needs CONFIG_ACPI");
	vm_stop(run->vm, OUTCOME_POWER_OFF, 0, "");
}

static void on_serial(struct uring_op *op, int result)
{
	struct run *run = container_of(op, struct run, serial_op);
	struct vm *vm = run->vm;

	if (result)
		return;
	pthread_mutex_lock(&vm->dev_lock);
	vm->command.serial_waits = false;
	serial_tx_resume(&vm->devices.com2);
	pthread_mutex_unlock(&vm->dev_lock);
}

static void on_wake(struct uring_op *op, int result)
{
	struct run *run = container_of(op, struct run, wake_op);
	struct vm *vm = run->vm;
	struct signs signs;

	if (result == -ECANCELED || run->draining)
		return;
	arm_wake(run);
	console_on_wake(&vm->console);
	vm_news_tell(&run->news);
	out_stream_pump(&vm->events.out);
	serve_command(run);
	signs = read_signs(vm);
	if (signs.panic || signs.halt)
		start_watch(run);
	if (signs.end)
		run->stopping = true;
}

static void on_signal(struct uring_op *op, int result)
{
	struct run *run = container_of(op, struct run, signal_op);

	if (result == -ECANCELED || run->draining)
		return;
	if (result == (int)sizeof(run->signal)) {
		run->told_to_end = run->stopping;
		vm_stop(run->vm, OUTCOME_SIGNAL, run->signal.ssi_signo, "");
	}
	arm_signal(run);
}

/* Has the guest said all, and only its power-off is missing? */
static bool has_said_all(struct vm *vm)
{
	struct vm_command_news news;

	if (!vm->config->command.nr_arguments)
		return false;
	vm_command_get_news(vm, &news);
	return news.done_ns != 0;
}

static void on_timeout(struct uring_op *op, int result)
{
	struct run *run = container_of(op, struct run, timeout_op);

	if (result)
		return;
	run->told_to_end = run->stopping;
	vm_stop(run->vm, has_said_all(run->vm) ? OUTCOME_POWER_OFF : OUTCOME_TIMEOUT, 0, "");
}

static bool is_dead(const struct vcpu *vcpu)
{
	struct kvm_regs regs;
	uint32_t state;

	if (kvm_vcpu_get_mp_state(&vcpu->kvm, &state) || kvm_vcpu_get_regs(&vcpu->kvm, &regs))
		return false;
	return state == KVM_MP_STATE_HALTED ? !(regs.rflags & RFLAGS_IF) : state == KVM_MP_STATE_UNINITIALIZED;
}

/* While paused: do all vCPUs wait with interrupts off? Nothing in this machine sends NMIs, so they wait for ever. */
static bool all_parked_dead(const struct vm *vm)
{
	bool dead = true;

	for (unsigned i = 0; i < vm->nr_vcpus; i++)
		dead = dead && is_dead(&vm->vcpus[i]);
	return dead;
}

static bool all_dead(struct vm *vm)
{
	bool dead;

	vcpu_pause_all(vm->vcpus, vm->nr_vcpus, &vm->gate);
	dead = all_parked_dead(vm);
	vcpu_resume_all(&vm->gate);
	return dead;
}

/* Does a guest that said "panic" go on living? After panic() Linux computes or halts with interrupts off at CPL 0; user
 * code, or vCPUs that all wait for an interrupt, say that a program only printed the line. */
static bool seems_alive(struct vm *vm)
{
	bool user = false, waits = true;

	vcpu_pause_all(vm->vcpus, vm->nr_vcpus, &vm->gate);
	for (unsigned i = 0; i < vm->nr_vcpus; i++) {
		struct kvm_sregs sregs;
		uint32_t state;

		if (kvm_vcpu_get_mp_state(&vm->vcpus[i].kvm, &state) || kvm_vcpu_get_sregs(&vm->vcpus[i].kvm, &sregs))
			continue;
		user = user || (sregs.cs.selector & 3) == 3;
		waits = waits && state != KVM_MP_STATE_RUNNABLE;
	}
	waits = waits && !all_parked_dead(vm);
	vcpu_resume_all(&vm->gate);
	return user || waits;
}

/* The guest lives on: what its console said was not meant. */
static void forget_sayings(struct vm *vm)
{
	pthread_mutex_lock(&vm->notices.lock);
	vm->notices.has_panic = false;
	vm->notices.says_halted = false;
	pthread_mutex_unlock(&vm->notices.lock);
}

/* True when the watch must go on. */
static bool watch_panic(struct run *run, uint64_t now)
{
	bool alive = seems_alive(run->vm);

	if (alive)
		run->last_output_ns = now; /* as good as output */
	if (now - run->last_output_ns >= PANIC_QUIET_NS) {
		vm_stop(run->vm, OUTCOME_PANIC, 0, "");
		return false;
	}
	if (!alive || now - run->watch_since_ns < PANIC_LIMIT_NS)
		return true;
	forget_sayings(run->vm);
	return false;
}

static bool watch_halt(struct run *run, uint64_t now)
{
	if (now - run->watch_since_ns >= HALT_LIMIT_NS) {
		forget_sayings(run->vm);
		return false;
	}
	if (all_dead(run->vm))
		vm_stop(run->vm, OUTCOME_HALTED, 0, "");
	return true;
}

/* A guest that said "panic" may still print its trace and then reset by itself; one that said "halted" may not mean it.
 */
static void on_watch(struct uring_op *op, int result)
{
	struct run *run = container_of(op, struct run, watch_op);
	uint64_t now = monotonic_ns(), count = count_output(run->vm);

	if (result || run->stopping)
		return;
	if (count != run->output_count)
		run->last_output_ns = now;
	run->output_count = count;
	if (read_signs(run->vm).panic ? watch_panic(run, now) : watch_halt(run, now))
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
	run->power_op.done = on_power;
	run->serial_op.done = on_serial;
	arm_wake(run);
	arm_signal(run);
	if (vm->config->timeout_ns)
		run_start_timer(run, &run->timeout_op, vm->start_ns + vm->config->timeout_ns);
	vm_news_begin(&run->news, vm);
	console_start(&vm->console);
	if (out_receiver_start(&vm->command.out))
		vm_stop(vm, OUTCOME_ERROR, 0, "cannot start the thread for --out");
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

void run_loop_once(struct run *run)
{
	int err = uring_run_once(run->vm->ring);

	if (err) {
		char why[OUTCOME_DETAIL_SIZE];

		snprintf(why, sizeof(why), "the I/O loop failed: %s", strerror(-err));
		vm_stop(run->vm, OUTCOME_ERROR, 0, why);
		run->stopping = true;
		run->broken = true;
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

void vm_run(struct vm *vm, struct outcome *outcome)
{
	struct run run;

	begin(&run, vm);
	start_vcpus(vm);
	while (!run.stopping)
		run_loop_once(&run);
	pthread_mutex_lock(&vm->notices.lock);
	*outcome = vm->notices.outcome;
	pthread_mutex_unlock(&vm->notices.lock);
	if (outcome->cause == OUTCOME_TIMEOUT)
		report_timeout(vm);
	vcpu_stop_all(vm->vcpus, vm->nr_vcpus, &vm->gate);
	console_watch_finish(&vm->console.watch);
	run_end(&run, outcome);
}
