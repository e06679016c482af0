/* SPDX-License-Identifier: Apache-2.0 */
/* A real vCPU in 64-bit mode over guest memory whose tables map the first 2 MiB and, as Linux does, the fixmap. */
#ifndef VMM_TEST_ASSIST_MACHINE_H
#define VMM_TEST_ASSIST_MACHINE_H

#include <string.h>

#include "boot/layout.h"
#include "kvm/kvm.h"
#include "mm/guest_mem.h"
#include "x86/arch.h"
#include "x86/assist.h"

#define MACHINE_MEMORY	 (2ULL << 20)
#define MACHINE_PML4	 0x10000ULL
#define MACHINE_LOW_PDPT 0x11000ULL
#define MACHINE_LOW_PD	 0x12000ULL
#define MACHINE_TOP_PDPT 0x13000ULL
#define MACHINE_TOP_PD	 0x14000ULL
#define MACHINE_FIXMAP	 0x15000ULL /* the page table of 0xffffffffff600000 */
#define MACHINE_CODE	 0x20000ULL

#define MACHINE_TABLE 0x7ULL  /* present, writable, user */
#define MACHINE_LARGE 0x87ULL /* the same, 2 MiB */

#define MACHINE_USER_CODE 0x33
#define MACHINE_USER_DATA 0x2b

struct assist_machine {
	struct kvm_host host;
	struct kvm_vm vm;
	struct kvm_vcpu vcpu;
	struct guest_mem mem;
	struct kvm_cpuid_table cpuid;
	struct assist_vm assist;
	struct assist_vcpu av;
};

static inline uint64_t *machine_entry(const struct assist_machine *m, uint64_t table, unsigned index)
{
	return (uint64_t *)(void *)guest_mem_ptr(&m->mem, gpa(table + 8ULL * index), 8);
}

static inline struct kvm_segment machine_segment(uint16_t selector, bool code)
{
	return (struct kvm_segment){.limit = 0xffffffff,
				    .selector = selector,
				    .type = code ? SEGMENT_TYPE_CODE : SEGMENT_TYPE_DATA,
				    .present = 1,
				    .dpl = selector & 3,
				    .db = !code,
				    .s = 1,
				    .l = code,
				    .g = 1};
}

static inline int machine_set_mode(struct assist_machine *m, bool user)
{
	struct kvm_regs regs = {.rip = MACHINE_CODE, .rflags = RFLAGS_FIXED};
	struct kvm_sregs s;
	int err = kvm_vcpu_get_sregs(&m->vcpu, &s);

	if (err)
		return err;
	s.cs = machine_segment(user ? MACHINE_USER_CODE : LAYOUT_GDT_CODE, true);
	s.ds = s.es = s.ss = machine_segment(user ? MACHINE_USER_DATA : LAYOUT_GDT_DATA, false);
	s.tr = (struct kvm_segment){.limit = 0x67, .type = SEGMENT_TYPE_TSS_BUSY, .present = 1};
	s.cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_WP | CR0_PG;
	s.cr3 = MACHINE_PML4;
	s.cr4 = CR4_PAE;
	s.efer = EFER_LME | EFER_LMA | EFER_SCE | EFER_NXE;
	err = kvm_vcpu_set_sregs(&m->vcpu, &s);
	return err ? err : kvm_vcpu_set_regs(&m->vcpu, &regs);
}

static inline int machine_fini(struct assist_machine *m)
{
	assist_vm_fini(&m->assist);
	kvm_vcpu_close(&m->vcpu);
	kvm_vm_close(&m->vm);
	kvm_host_close(&m->host);
	guest_mem_fini(&m->mem);
	return 0;
}

static inline int machine_make_kvm(struct assist_machine *m)
{
	struct error err;

	if (kvm_host_open(&m->host, "/dev/kvm", &err) || kvm_vm_create(&m->vm, &m->host) ||
	    kvm_vm_create_irqchip(&m->vm) || kvm_host_supported_cpuid(&m->host, &m->cpuid) ||
	    kvm_vcpu_create(&m->vcpu, &m->host, &m->vm, 0) || kvm_vcpu_set_cpuid(&m->vcpu, &m->cpuid))
		return -1;
	return assist_vm_init(&m->assist, true, &m->host, &m->vm, &m->mem, &m->cpuid, &err);
}

static inline int machine_init(struct assist_machine *m)
{
	memset(m, 0, sizeof(*m));
	m->host.fd = m->vm.fd = m->vcpu.fd = -1;
	if (guest_mem_init(&m->mem, MACHINE_MEMORY))
		return -1;
	if (machine_make_kvm(m)) {
		machine_fini(m);
		return -1;
	}
	*machine_entry(m, MACHINE_PML4, 0) = MACHINE_LOW_PDPT | MACHINE_TABLE;
	*machine_entry(m, MACHINE_LOW_PDPT, 0) = MACHINE_LOW_PD | MACHINE_TABLE;
	*machine_entry(m, MACHINE_LOW_PD, 0) = MACHINE_LARGE;
	*machine_entry(m, MACHINE_PML4, 511) = MACHINE_TOP_PDPT | MACHINE_TABLE;
	*machine_entry(m, MACHINE_TOP_PDPT, 511) = MACHINE_TOP_PD | MACHINE_TABLE;
	*machine_entry(m, MACHINE_TOP_PD, 507) = MACHINE_FIXMAP | MACHINE_TABLE;
	assist_vcpu_init(&m->av, &m->assist, &m->vcpu);
	return machine_set_mode(m, false);
}

#endif
