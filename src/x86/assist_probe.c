/* SPDX-License-Identifier: Apache-2.0 */
#include "x86/assist_probe.h"

#include <errno.h>
#include <string.h>

#include "mm/guest_mem.h"
#include "x86/arch.h"

/* The probe's memory: three page-table levels, then the code. One 2 MiB user page maps it and, above it, nothing. */
#define PROBE_PML4     0x1000ULL
#define PROBE_PDPT     0x2000ULL
#define PROBE_PD       0x3000ULL
#define PROBE_CODE     0x4000ULL
#define PROBE_HANDLER  0x4100ULL
#define PROBE_SIZE     0x5000ULL
#define PROBE_DOORBELL 0x100000ULL

#define TABLE_ENTRY_USER 0x7ULL	 /* present, writable, user */
#define LARGE_PAGE_USER	 0x87ULL /* the same, 2 MiB */

#define USER_CODE_SELECTOR 0x33
#define USER_DATA_SELECTOR 0x2b
#define PROBE_STAR	   (0x0023ULL << 48 | 0x0010ULL << 32)

static int write_program(const struct guest_mem *mem)
{
	static const uint8_t syscall_insn[] = {0x0f, 0x05};
	const uint64_t doorbell = PROBE_DOORBELL;
	const uint64_t pml4e = PROBE_PDPT | TABLE_ENTRY_USER, pdpte = PROBE_PD | TABLE_ENTRY_USER,
		       pde = LARGE_PAGE_USER;
	uint8_t store[1 + sizeof(doorbell)] = {0xa2}; /* movabs %al, doorbell */

	memcpy(store + 1, &doorbell, sizeof(doorbell));
	if (guest_mem_write(mem, gpa(PROBE_PML4), &pml4e, sizeof(pml4e)) ||
	    guest_mem_write(mem, gpa(PROBE_PDPT), &pdpte, sizeof(pdpte)) ||
	    guest_mem_write(mem, gpa(PROBE_PD), &pde, sizeof(pde)) ||
	    guest_mem_write(mem, gpa(PROBE_CODE), syscall_insn, sizeof(syscall_insn)))
		return -EFAULT;
	return guest_mem_write(mem, gpa(PROBE_HANDLER), store, sizeof(store));
}

static struct kvm_segment user_segment(uint16_t selector, uint8_t type, bool code)
{
	return (struct kvm_segment){.limit = 0xffffffff,
				    .selector = selector,
				    .type = type,
				    .present = 1,
				    .dpl = 3,
				    .db = !code,
				    .s = 1,
				    .l = code,
				    .g = 1};
}

static int set_state(const struct kvm_vcpu *vcpu)
{
	static const struct kvm_msr_entry msrs[] = {
		{.index = MSR_STAR, .data = PROBE_STAR},
		{.index = MSR_LSTAR, .data = PROBE_HANDLER},
		{.index = MSR_SFMASK, .data = RFLAGS_IF},
	};
	struct kvm_regs regs = {.rip = PROBE_CODE, .rflags = RFLAGS_FIXED};
	struct kvm_sregs sregs;
	int err = kvm_vcpu_get_sregs(vcpu, &sregs);

	if (err)
		return err;
	sregs.cs = user_segment(USER_CODE_SELECTOR, SEGMENT_TYPE_CODE, true);
	sregs.ds = sregs.es = sregs.ss = user_segment(USER_DATA_SELECTOR, SEGMENT_TYPE_DATA, false);
	sregs.tr = (struct kvm_segment){.limit = 0x67, .type = SEGMENT_TYPE_TSS_BUSY, .present = 1};
	sregs.cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_WP | CR0_PG;
	sregs.cr3 = PROBE_PML4;
	sregs.cr4 = CR4_PAE;
	sregs.efer = EFER_LME | EFER_LMA | EFER_SCE;
	err = kvm_vcpu_set_sregs(vcpu, &sregs);
	if (!err)
		err = kvm_vcpu_set_msrs(vcpu, msrs, ARRAY_SIZE(msrs));
	return err ? err : kvm_vcpu_set_regs(vcpu, &regs);
}

/* Runs to the handler's store; anything else is no answer. */
static int run_to_doorbell(const struct kvm_vcpu *vcpu, bool *stays_in_user)
{
	struct kvm_sregs sregs;
	int err;

	do {
		err = kvm_vcpu_run(vcpu);
	} while (err == -EINTR && !vcpu->run->immediate_exit);
	if (err)
		return err;
	if (vcpu->run->exit_reason != KVM_EXIT_MMIO || vcpu->run->mmio.phys_addr != PROBE_DOORBELL)
		return -EPROTO;
	err = kvm_vcpu_get_sregs(vcpu, &sregs);
	if (!err)
		*stays_in_user = (sregs.cs.selector & 3) == 3;
	return err;
}

static int probe_vm(const struct kvm_host *host, const struct kvm_vm *vm, const struct guest_mem *mem,
		    bool *stays_in_user)
{
	struct kvm_cpuid_table cpuid;
	struct kvm_vcpu vcpu;
	int err = kvm_vm_set_memory(vm, 0, 0, PROBE_SIZE, mem->regions[0].hva);

	if (!err)
		err = kvm_host_supported_cpuid(host, &cpuid);
	if (!err)
		err = kvm_vcpu_create(&vcpu, host, vm, 0);
	if (err)
		return err;
	err = kvm_vcpu_set_cpuid(&vcpu, &cpuid); /* long mode and SCE exist only with their CPUID bits */
	if (!err)
		err = set_state(&vcpu);
	if (!err)
		err = run_to_doorbell(&vcpu, stays_in_user);
	kvm_vcpu_close(&vcpu);
	return err;
}

int assist_probe_syscall(const struct kvm_host *host, bool *stays_in_user)
{
	struct guest_mem mem;
	struct kvm_vm vm = {.fd = -1};
	int err = guest_mem_init(&mem, PROBE_SIZE);

	if (err)
		return err;
	err = write_program(&mem);
	if (!err)
		err = kvm_vm_create(&vm, host);
	if (!err)
		err = probe_vm(host, &vm, &mem, stays_in_user);
	kvm_vm_close(&vm);
	guest_mem_fini(&mem);
	return err;
}
