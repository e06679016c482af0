/* SPDX-License-Identifier: Apache-2.0 */
/* Linux x86 boot protocol (64-bit), PVH start state (Xen docs/misc/pvh), Multiboot-1 3.2: all ask for flat segments,
 * IF=0. */
#include "x86/vcpu_setup.h"

#include <string.h>

#include "boot/layout.h"
#include "x86/arch.h"

static struct kvm_segment flat_segment(uint16_t selector, uint8_t type, bool code64)
{
	return (struct kvm_segment){
		.base = 0,
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.dpl = 0,
		.db = !code64,
		.s = 1,
		.l = code64,
		.g = 1,
	};
}

static void set_segments(struct kvm_sregs *sregs, bool long_mode)
{
	struct kvm_segment data = flat_segment(LAYOUT_GDT_DATA, SEGMENT_TYPE_DATA, false);

	sregs->cs = flat_segment(LAYOUT_GDT_CODE, SEGMENT_TYPE_CODE, long_mode);
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
	/* VT-x wants a present, busy task register. */
	sregs->tr = (struct kvm_segment){.limit = 0x67, .type = SEGMENT_TYPE_TSS_BUSY, .present = 1};
	sregs->gdt = (struct kvm_dtable){.base = LAYOUT_GDT, .limit = LAYOUT_GDT_SIZE - 1};
	sregs->idt = (struct kvm_dtable){0};
}

static void set_control_registers(struct kvm_sregs *sregs, bool long_mode)
{
	sregs->cr0 = CR0_PE | CR0_ET | CR0_NE;
	sregs->cr4 = 0;
	sregs->efer = 0;
	if (!long_mode)
		return;
	sregs->cr0 |= CR0_PG | CR0_WP;
	sregs->cr3 = LAYOUT_PAGE_TABLES;
	sregs->cr4 = CR4_PAE;
	sregs->efer = EFER_LME | EFER_LMA;
}

int vcpu_setup_boot(const struct kvm_vcpu *vcpu, const struct image_entry *entry)
{
	bool long_mode = entry->mode == IMAGE_CPU_LONG64;
	struct kvm_regs regs = {
		.rip = entry->rip,
		.rsp = entry->rsp,
		.rax = entry->rax,
		.rbx = entry->rbx,
		.rsi = entry->rsi,
		.rflags = RFLAGS_FIXED,
	};
	struct kvm_sregs sregs;
	int err = kvm_vcpu_get_sregs(vcpu, &sregs);

	if (err)
		return err;
	set_segments(&sregs, long_mode);
	set_control_registers(&sregs, long_mode);
	err = kvm_vcpu_set_sregs(vcpu, &sregs);
	return err ? err : kvm_vcpu_set_regs(vcpu, &regs);
}

static int set_msrs(const struct kvm_vcpu *vcpu)
{
	static const struct kvm_msr_entry entries[] = {
		{.index = MSR_MISC_ENABLE, .data = MISC_ENABLE_FAST_STRING},
		/* Write-back by default, as firmware leaves it: a kernel that finds MTRRs off maps RAM uncached. */
		{.index = MSR_MTRR_DEF_TYPE, .data = MTRR_ENABLE | MTRR_TYPE_WRITE_BACK},
	};

	return kvm_vcpu_set_msrs(vcpu, entries, ARRAY_SIZE(entries));
}

/* Virtual-wire mode: LINT0 carries the PIC, LINT1 the NMI (MP specification 1.4, 3.6.2.2). */
static int set_local_interrupts(const struct kvm_vcpu *vcpu)
{
	struct kvm_lapic_state lapic;
	uint32_t lvt;
	int err = kvm_vcpu_get_lapic(vcpu, &lapic);

	if (err)
		return err;
	lvt = APIC_DELIVERY_EXTINT;
	memcpy(lapic.regs + APIC_LVT_LINT0, &lvt, sizeof(lvt));
	lvt = APIC_DELIVERY_NMI;
	memcpy(lapic.regs + APIC_LVT_LINT1, &lvt, sizeof(lvt));
	return kvm_vcpu_set_lapic(vcpu, &lapic);
}

int vcpu_setup_common(const struct kvm_vcpu *vcpu)
{
	int err = set_msrs(vcpu);

	return err ? err : set_local_interrupts(vcpu);
}
