/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every KVM ioctl, as a function that returns 0 (or a count) or -errno. No policy: what to ask for is decided above.
 * VM functions: before vCPU threads run, or from any thread (KVM locks). vCPU functions: on the vCPU's own thread, or
 * on another one while the vCPU is parked (KVM API document, section 1).
 */
#ifndef VMM_KVM_KVM_H
#define VMM_KVM_KVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/kvm.h>

#include "base/compiler.h"
#include "base/error.h"

#define KVM_MAX_CPUID_ENTRIES 256
#define KVM_MAX_MSRS	      16

struct kvm_host {
	int fd;
	size_t run_size; /* bytes to map of a vCPU's fd */
};

struct kvm_vm {
	int fd;
};

struct kvm_vcpu {
	int fd;
	struct kvm_run *run; /* shared with the kernel */
	size_t run_size;
	size_t xsave_size; /* bytes of the XSAVE area; 4096 without KVM_CAP_XSAVE2 */
};

/* CPUID entries with room for everything KVM may report. */
struct kvm_cpuid_table {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entries[KVM_MAX_CPUID_ENTRIES];
};

/* --- /dev/kvm */

/* Opens @path ("/dev/kvm") and checks the API version. 0, or -errno with the remedy in @err. */
MUST_CHECK int kvm_host_open(struct kvm_host *host, const char *path, struct error *err);
void kvm_host_close(struct kvm_host *host);
/* The value of a capability, 0 when absent. */
int kvm_host_capability(const struct kvm_host *host, int capability);
MUST_CHECK int kvm_host_supported_cpuid(const struct kvm_host *host, struct kvm_cpuid_table *table);

/* --- VM */

MUST_CHECK int kvm_vm_create(struct kvm_vm *vm, const struct kvm_host *host);
void kvm_vm_close(struct kvm_vm *vm);
int kvm_vm_capability(const struct kvm_vm *vm, int capability);
/* Where VT-x hosts keep their real-mode helpers; both must lie outside RAM. */
MUST_CHECK int kvm_vm_set_helper_pages(const struct kvm_vm *vm, uint64_t tss, uint64_t identity_map);
/* In-kernel PIC, IOAPIC and LAPICs, and the PIT with a dummy speaker at port 0x61. */
MUST_CHECK int kvm_vm_create_irqchip(const struct kvm_vm *vm);
MUST_CHECK int kvm_vm_create_pit(const struct kvm_vm *vm);
MUST_CHECK int kvm_vm_set_memory(const struct kvm_vm *vm, unsigned slot, uint64_t gpa, uint64_t size, void *hva);
MUST_CHECK int kvm_vm_set_irq_line(const struct kvm_vm *vm, uint32_t gsi, bool level);
/* Accesses to the @count MSRs from @first exit with KVM_EXIT_X86_RDMSR / KVM_EXIT_X86_WRMSR; all others are unchanged.
 */
MUST_CHECK int kvm_vm_intercept_msrs(const struct kvm_vm *vm, uint32_t first, unsigned count);
/* Emulation failures carry the instruction's bytes, also those at CPL 3. */
MUST_CHECK int kvm_vm_exit_on_emulation_failure(const struct kvm_vm *vm);

/* --- vCPU */

MUST_CHECK int kvm_vcpu_create(struct kvm_vcpu *vcpu, const struct kvm_host *host, const struct kvm_vm *vm,
			       unsigned id);
void kvm_vcpu_close(struct kvm_vcpu *vcpu);
/* Enters the guest. 0 with run->exit_reason, -EINTR when kicked, -EAGAIN around INIT/SIPI. */
MUST_CHECK int kvm_vcpu_run(const struct kvm_vcpu *vcpu);
MUST_CHECK int kvm_vcpu_get_regs(const struct kvm_vcpu *vcpu, struct kvm_regs *regs);
MUST_CHECK int kvm_vcpu_set_regs(const struct kvm_vcpu *vcpu, const struct kvm_regs *regs);
MUST_CHECK int kvm_vcpu_get_sregs(const struct kvm_vcpu *vcpu, struct kvm_sregs *sregs);
MUST_CHECK int kvm_vcpu_set_sregs(const struct kvm_vcpu *vcpu, const struct kvm_sregs *sregs);
MUST_CHECK int kvm_vcpu_get_lapic(const struct kvm_vcpu *vcpu, struct kvm_lapic_state *lapic);
MUST_CHECK int kvm_vcpu_set_lapic(const struct kvm_vcpu *vcpu, const struct kvm_lapic_state *lapic);
MUST_CHECK int kvm_vcpu_set_cpuid(const struct kvm_vcpu *vcpu, const struct kvm_cpuid_table *table);
MUST_CHECK int kvm_vcpu_get_cpuid(const struct kvm_vcpu *vcpu, struct kvm_cpuid_table *table);
/* All of @count (up to KVM_MAX_MSRS) or -EIO when KVM took fewer. */
MUST_CHECK int kvm_vcpu_set_msrs(const struct kvm_vcpu *vcpu, const struct kvm_msr_entry *entries, unsigned count);
MUST_CHECK int kvm_vcpu_get_msr(const struct kvm_vcpu *vcpu, uint32_t index, uint64_t *value);
MUST_CHECK int kvm_vcpu_get_xcr0(const struct kvm_vcpu *vcpu, uint64_t *xcr0);
MUST_CHECK int kvm_vcpu_get_events(const struct kvm_vcpu *vcpu, struct kvm_vcpu_events *events);
MUST_CHECK int kvm_vcpu_set_events(const struct kvm_vcpu *vcpu, const struct kvm_vcpu_events *events);
MUST_CHECK int kvm_vcpu_get_debugregs(const struct kvm_vcpu *vcpu, struct kvm_debugregs *debugregs);
MUST_CHECK int kvm_vcpu_set_debugregs(const struct kvm_vcpu *vcpu, const struct kvm_debugregs *debugregs);
MUST_CHECK int kvm_vcpu_get_mp_state(const struct kvm_vcpu *vcpu, uint32_t *state);
/* The XSAVE image in the standard format; @size is the caller's buffer, at least vcpu->xsave_size. */
MUST_CHECK int kvm_vcpu_get_xsave(const struct kvm_vcpu *vcpu, void *area, size_t size);
MUST_CHECK int kvm_vcpu_set_xsave(const struct kvm_vcpu *vcpu, const void *area, size_t size);

#endif
