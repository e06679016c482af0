/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vCPU's thread: enters the guest, dispatches its exits, parks when asked to. The machine is told of what matters
 * through struct vcpu_hooks; the vCPU knows no device.
 */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "devices/bus.h"
#include "kvm/kvm.h"
#include "outcome.h"
#include "x86/assist.h"

/* What a vCPU's exits mean for the machine. Called on the vCPU's thread. */
struct vcpu_hooks {
	/* The machine must end; @detail may be empty. */
	void (*stop)(void *opaque, enum outcome_cause cause, const char *detail);
	/* The vCPU is about to enter the guest for the first time. */
	void (*enter)(void *opaque);
	void *opaque;
};

/* Where running vCPUs wait while the machine is paused. Shared by all vCPUs of a VM. */
struct vcpu_gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned parked; /* threads that wait here, or that have ended */
	bool pause;
	bool stop;
	atomic_bool attention; /* pause || stop, readable without the lock */
};

struct vcpu_stats {
	_Atomic uint64_t exits, pio, mmio;
};

struct vcpu {
	unsigned id;
	struct kvm_vcpu kvm;
	struct assist_vcpu assist;
	struct bus *bus;	   /* borrowed, guarded by dev_lock */
	pthread_mutex_t *dev_lock; /* borrowed */
	struct vcpu_gate *gate;	   /* borrowed */
	const struct vcpu_hooks *hooks;
	pthread_t thread;
	bool started;
	_Atomic uint64_t first_entry_ns; /* when the first instruction was about to run; 0 before */
	struct vcpu_stats stats;
};

/* Installs the handler of the kick signal; once, before the first thread. */
void vcpu_prepare_kicks(void);

void vcpu_gate_init(struct vcpu_gate *gate);
void vcpu_gate_fini(struct vcpu_gate *gate);

/* Starts the thread. 0 or -errno. */
MUST_CHECK int vcpu_start(struct vcpu *vcpu);

/* Parks all of @count started vCPUs and waits for it; their registers may then be read from this thread. */
void vcpu_pause_all(struct vcpu *vcpus, unsigned count, struct vcpu_gate *gate);
void vcpu_resume_all(struct vcpu_gate *gate);

/* Ends and joins all started threads. */
void vcpu_stop_all(struct vcpu *vcpus, unsigned count, struct vcpu_gate *gate);

#endif
