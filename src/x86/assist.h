/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What KVM leaves undone when it runs supervisor code in its instruction emulator (hosts without VT-x or SVM):
 * completes the instructions the emulator lacks, and repairs `syscall` where it does not leave CPL 3. On a host with
 * hardware virtualization nothing here runs: no probe, no MSR filter, no check on an exit's path.
 */
#ifndef VMM_X86_ASSIST_H
#define VMM_X86_ASSIST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "kvm/kvm.h"
#include "mm/guest_mem.h"
#include "x86/assist_insn.h"

enum assist_mode { ASSIST_AUTO, ASSIST_ON, ASSIST_OFF };

/* Where `syscall` goes; decided at the first write of MSR_LSTAR, so a guest without system calls never pays for it. */
enum assist_syscall_path {
	ASSIST_SYSCALL_UNDECIDED,
	ASSIST_SYSCALL_NATIVE,	   /* `syscall` enters CPL 0 by itself */
	ASSIST_SYSCALL_TRAMPOLINE, /* LSTAR holds the trampoline's address */
	ASSIST_SYSCALL_NO_ROOM,	   /* needed, but the guest's page tables have no place for it */
};

/* Per VM; shared by its vCPU threads. */
struct assist_vm {
	bool active;
	const struct kvm_host *host; /* borrowed */
	const struct guest_mem *mem; /* borrowed */
	struct assist_xstate_layout xlayout;
	pthread_mutex_t lock; /* guards what follows */
	enum assist_syscall_path syscall_path;
	uint64_t trampoline_gva;
};

/* Per vCPU; used by its own thread, the counters may be read by any. */
struct assist_vcpu {
	struct assist_vm *vm;		     /* borrowed */
	struct kvm_vcpu *vcpu;		     /* borrowed */
	uint64_t star, lstar, cstar, sfmask; /* as the guest wrote them */
	bool trampoline;
	_Atomic uint64_t counts[ASSIST_KINDS];
	_Atomic uint64_t syscalls;
	_Atomic uint64_t exceptions;
	struct assist_result last; /* for the report when the VM ends here */
};

enum assist_verdict {
	ASSIST_NOT_OURS, /* an ordinary exit */
	ASSIST_HANDLED,	 /* enter the guest again */
	ASSIST_STUCK,	 /* an instruction nobody can complete, or a host error: the VM ends */
};

/* Does @mode ask for the assist on this host? AUTO: when the CPU shows neither VMX nor SVM. */
bool assist_is_wanted(enum assist_mode mode);

/* Prepares @assist; when @active, intercepts the system-call MSRs and emulation failures of @vm.
 * 0, or -errno with a line in @err. assist_vm_fini is due either way. */
MUST_CHECK int assist_vm_init(struct assist_vm *assist, bool active, const struct kvm_host *host,
			      const struct kvm_vm *vm, const struct guest_mem *mem, const struct kvm_cpuid_table *cpuid,
			      struct error *err);
void assist_vm_fini(struct assist_vm *assist);

void assist_vcpu_init(struct assist_vcpu *av, struct assist_vm *assist, struct kvm_vcpu *vcpu);

/* Looks at the exit in av->vcpu->run. Only for exits of KVM_EXIT_INTERNAL_ERROR, X86_RDMSR, X86_WRMSR and MMIO, and
 * only when the assist is active. The vCPU's own thread. */
enum assist_verdict assist_handle_exit(struct assist_vcpu *av);

#endif
