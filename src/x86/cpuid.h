/* SPDX-License-Identifier: Apache-2.0 */
/* The CPUID a guest sees: what KVM supports, with this machine's topology and, where needed, the assist's masks. */
#ifndef VMM_X86_CPUID_H
#define VMM_X86_CPUID_H

#include <stdbool.h>

#include "kvm/kvm.h"
#include "x86/assist_insn.h"

struct cpuid_request {
	unsigned cpu; /* APIC id */
	unsigned nr_cpus;
	bool tsc_deadline; /* KVM_CAP_TSC_DEADLINE_TIMER */
	bool emulated;	   /* supervisor code runs in KVM's instruction emulator: apply the masks */
};

/* Does this CPU show VMX or SVM? Without either, /dev/kvm is served by software. */
bool cpuid_host_has_hardware_virtualization(void);

/* Turns KVM's supported table into the one for a vCPU. One socket, nr_cpus cores, one thread each. */
void cpuid_prepare(struct kvm_cpuid_table *table, const struct cpuid_request *request);

/* Extended-state components and their standard-format offsets, from leaf 0xD of @table. */
void cpuid_xstate_layout(const struct kvm_cpuid_table *table, struct assist_xstate_layout *layout);

#endif
