/* SPDX-License-Identifier: Apache-2.0 */
#include "vcpu.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "vcpu_report.h"

/* Makes KVM_RUN return; the handler does nothing. */
#define KICK_SIGNAL SIGUSR1

static void on_kick(int signal)
{
	(void)signal;
}

void vcpu_prepare_kicks(void)
{
	struct sigaction action = {.sa_handler = on_kick}; /* no SA_RESTART: KVM_RUN must return */

	sigaction(KICK_SIGNAL, &action, NULL);
}

void vcpu_gate_init(struct vcpu_gate *gate)
{
	memset(gate, 0, sizeof(*gate));
	pthread_mutex_init(&gate->lock, NULL);
	pthread_cond_init(&gate->changed, NULL);
}

void vcpu_gate_fini(struct vcpu_gate *gate)
{
	pthread_cond_destroy(&gate->changed);
	pthread_mutex_destroy(&gate->lock);
}

/* Waits out a pause. False when the machine stops. */
static bool pass_gate(struct vcpu *vcpu)
{
	struct vcpu_gate *gate = vcpu->gate;
	bool go_on;

	pthread_mutex_lock(&gate->lock);
	gate->parked++;
	pthread_cond_broadcast(&gate->changed);
	while (gate->pause && !gate->stop)
		pthread_cond_wait(&gate->changed, &gate->lock);
	go_on = !gate->stop;
	if (go_on) {
		gate->parked--;
		vcpu->kvm.run->immediate_exit = 0;
	}
	pthread_mutex_unlock(&gate->lock);
	return go_on;
}

/* A thread that ends on its own counts as parked for ever. */
static void leave_gate(struct vcpu *vcpu)
{
	struct vcpu_gate *gate = vcpu->gate;

	pthread_mutex_lock(&gate->lock);
	gate->parked++;
	pthread_cond_broadcast(&gate->changed);
	while (!gate->stop)
		pthread_cond_wait(&gate->changed, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

/* A string instruction's repetitions come as one exit: data holds count items of the same size. */
static void handle_pio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->kvm.run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	pthread_mutex_lock(vcpu->dev_lock);
	for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
		if (run->io.direction == KVM_EXIT_IO_OUT)
			bus_write(vcpu->bus, BUS_PIO, run->io.port, data, run->io.size);
		else
			bus_read(vcpu->bus, BUS_PIO, run->io.port, data, run->io.size);
	}
	pthread_mutex_unlock(vcpu->dev_lock);
	atomic_fetch_add_explicit(&vcpu->stats.pio, 1, memory_order_relaxed);
}

static void handle_mmio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->kvm.run;

	pthread_mutex_lock(vcpu->dev_lock);
	if (run->mmio.is_write)
		bus_write(vcpu->bus, BUS_MMIO, run->mmio.phys_addr, run->mmio.data, run->mmio.len);
	else
		bus_read(vcpu->bus, BUS_MMIO, run->mmio.phys_addr, run->mmio.data, run->mmio.len);
	pthread_mutex_unlock(vcpu->dev_lock);
	atomic_fetch_add_explicit(&vcpu->stats.mmio, 1, memory_order_relaxed);
}

static bool stop(struct vcpu *vcpu, enum outcome_cause cause, const char *detail)
{
	vcpu->hooks->stop(vcpu->hooks->opaque, cause, detail);
	return false;
}

/* KVM gave up on the guest: everything that helps to find out why goes to stderr, then the machine ends. */
static bool stop_stuck(struct vcpu *vcpu)
{
	char why[OUTCOME_DETAIL_SIZE];

	vcpu_report_stuck(vcpu, why, sizeof(why));
	return stop(vcpu, OUTCOME_ERROR, why);
}

static bool assist_takes(struct vcpu *vcpu, bool *go_on)
{
	enum assist_verdict verdict = ASSIST_NOT_OURS;

	if (vcpu->assist.vm->active)
		verdict = assist_handle_exit(&vcpu->assist);
	*go_on = verdict != ASSIST_STUCK || stop_stuck(vcpu);
	return verdict != ASSIST_NOT_OURS;
}

static bool handle_system_event(struct vcpu *vcpu)
{
	switch (vcpu->kvm.run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		return stop(vcpu, OUTCOME_POWER_OFF, "");
	case KVM_SYSTEM_EVENT_CRASH:
		return stop(vcpu, OUTCOME_PANIC, "crash reported through KVM");
	default:
		return stop(vcpu, OUTCOME_RESET, "");
	}
}

/* True to enter the guest again. */
static bool handle_exit(struct vcpu *vcpu)
{
	bool go_on;

	switch (vcpu->kvm.run->exit_reason) {
	case KVM_EXIT_IO:
		handle_pio(vcpu);
		return true;
	case KVM_EXIT_MMIO:
		if (!assist_takes(vcpu, &go_on)) {
			handle_mmio(vcpu);
			return true;
		}
		return go_on;
	case KVM_EXIT_INTERNAL_ERROR:
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
		return assist_takes(vcpu, &go_on) ? go_on : stop_stuck(vcpu);
	case KVM_EXIT_SHUTDOWN:
		return stop(vcpu, OUTCOME_TRIPLE_FAULT, "");
	case KVM_EXIT_SYSTEM_EVENT:
		return handle_system_event(vcpu);
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		return true;
	default:
		return stop_stuck(vcpu);
	}
}

static bool run_failed(struct vcpu *vcpu, int err)
{
	char why[OUTCOME_DETAIL_SIZE];

	/* EINTR: a kick, seen at the top of the loop. EAGAIN: an application processor around INIT and SIPI. */
	if (err == -EINTR || err == -EAGAIN)
		return true;
	snprintf(why, sizeof(why), "KVM_RUN of vCPU %u: %s; see `vmm doctor`", vcpu->id, strerror(-err));
	return stop(vcpu, OUTCOME_ERROR, why);
}

static void run_loop(struct vcpu *vcpu)
{
	int err;

	atomic_store(&vcpu->first_entry_ns, monotonic_ns());
	vcpu->hooks->enter(vcpu->hooks->opaque);
	for (;;) {
		/* Pairs with the store in request_attention, which comes before the kick. */
		if (atomic_load_explicit(&vcpu->gate->attention, memory_order_acquire) && !pass_gate(vcpu))
			return;
		err = kvm_vcpu_run(&vcpu->kvm);
		atomic_fetch_add_explicit(&vcpu->stats.exits, 1, memory_order_relaxed);
		if (err ? !run_failed(vcpu, err) : !handle_exit(vcpu)) {
			leave_gate(vcpu);
			return;
		}
	}
}

static void *vcpu_main(void *argument)
{
	struct vcpu *vcpu = argument;
	char name[16];
	sigset_t kick;

	snprintf(name, sizeof(name), "vcpu%u", vcpu->id);
	pthread_setname_np(pthread_self(), name);
	sigemptyset(&kick);
	sigaddset(&kick, KICK_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
	run_loop(vcpu);
	return NULL;
}

int vcpu_start(struct vcpu *vcpu)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT};
	sigset_t all, old;
	int err;

	/* The thread is born with signals blocked, which the I/O thread reads from its signalfd; but not those of a
	 * crash, after which the terminal must be restored. */
	sigfillset(&all);
	for (unsigned i = 0; i < ARRAY_SIZE(faults); i++)
		sigdelset(&all, faults[i]);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&vcpu->thread, NULL, vcpu_main, vcpu);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	vcpu->started = err == 0;
	return -err;
}

/* With the gate's lock held: says what is wanted, then makes every vCPU look. */
static void request_attention(struct vcpu *vcpus, unsigned count, struct vcpu_gate *gate)
{
	atomic_store_explicit(&gate->attention, true, memory_order_release);
	for (unsigned i = 0; i < count; i++) {
		if (!vcpus[i].started)
			continue;
		/* immediate_exit catches a thread on its way into KVM_RUN, the signal one that is inside. */
		__atomic_store_n(&vcpus[i].kvm.run->immediate_exit, 1, __ATOMIC_RELEASE);
		pthread_kill(vcpus[i].thread, KICK_SIGNAL);
	}
}

static unsigned count_started(const struct vcpu *vcpus, unsigned count)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++)
		n += vcpus[i].started;
	return n;
}

void vcpu_pause_all(struct vcpu *vcpus, unsigned count, struct vcpu_gate *gate)
{
	unsigned started = count_started(vcpus, count);

	pthread_mutex_lock(&gate->lock);
	gate->pause = true;
	request_attention(vcpus, count, gate);
	while (gate->parked < started)
		pthread_cond_wait(&gate->changed, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

void vcpu_resume_all(struct vcpu_gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->pause = false;
	atomic_store(&gate->attention, gate->stop);
	pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->lock);
}

void vcpu_stop_all(struct vcpu *vcpus, unsigned count, struct vcpu_gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->stop = true;
	request_attention(vcpus, count, gate);
	pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->lock);
	for (unsigned i = 0; i < count; i++) {
		if (!vcpus[i].started)
			continue;
		pthread_join(vcpus[i].thread, NULL);
		vcpus[i].started = false;
	}
}
