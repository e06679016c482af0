/* SPDX-License-Identifier: Apache-2.0 */
/* The repair of `syscall` on hosts where it lands on LSTAR still at CPL 3 (ARCHITECTURE.md, "System calls"). vCPU
 * threads. */
#ifndef VMM_X86_ASSIST_SYSCALL_H
#define VMM_X86_ASSIST_SYSCALL_H

#include "x86/assist.h"

/* KVM_EXIT_X86_WRMSR and RDMSR of MSR_STAR to MSR_SFMASK. Sets run->msr.error for a value KVM refuses (#GP). */
enum assist_verdict assist_syscall_wrmsr(struct assist_vcpu *av);
enum assist_verdict assist_syscall_rdmsr(struct assist_vcpu *av);

/* KVM_EXIT_MMIO: the trampoline's store, or not. */
enum assist_verdict assist_syscall_mmio(struct assist_vcpu *av);

/* What the CPU does for `syscall` in 64-bit mode (SDM vol. 2B, SYSCALL), from the trampoline's state. User code can
 * jump to the trampoline with any R11, so the flags a user may not set are taken from @regs->rflags. Pure. */
void assist_syscall_enter(struct kvm_regs *regs, struct kvm_sregs *sregs, uint64_t star, uint64_t lstar,
			  uint64_t sfmask);

#endif
