/* SPDX-License-Identifier: Apache-2.0 */
#include "vcpu_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "x86/arch.h"

static const char *exit_name(uint32_t reason)
{
	switch (reason) {
	case KVM_EXIT_UNKNOWN:
		return "unknown hardware exit";
	case KVM_EXIT_EXCEPTION:
		return "exception";
	case KVM_EXIT_HLT:
		return "halt";
	case KVM_EXIT_FAIL_ENTRY:
		return "the CPU refused to enter the guest";
	case KVM_EXIT_INTERNAL_ERROR:
		return "KVM internal error";
	case KVM_EXIT_X86_RDMSR:
		return "MSR read";
	case KVM_EXIT_X86_WRMSR:
		return "MSR write";
	default:
		return "unexpected exit";
	}
}

static unsigned cpl_of(const struct kvm_sregs *sregs)
{
	return sregs->ss.dpl;
}

static void log_registers(const struct vcpu *vcpu, const struct kvm_regs *r, const struct kvm_sregs *s)
{
	log_err("vCPU %u registers:", vcpu->id);
	log_err("  rip %016llx rflags %08llx cpl %u cs %04x ss %04x", r->rip, r->rflags, cpl_of(s), s->cs.selector,
		s->ss.selector);
	log_err("  rax %016llx rbx %016llx rcx %016llx rdx %016llx", r->rax, r->rbx, r->rcx, r->rdx);
	log_err("  rsi %016llx rdi %016llx rbp %016llx rsp %016llx", r->rsi, r->rdi, r->rbp, r->rsp);
	log_err("  r8  %016llx r9  %016llx r10 %016llx r11 %016llx", r->r8, r->r9, r->r10, r->r11);
	log_err("  r12 %016llx r13 %016llx r14 %016llx r15 %016llx", r->r12, r->r13, r->r14, r->r15);
	log_err("  cr0 %08llx cr2 %016llx cr3 %016llx cr4 %08llx efer %04llx", s->cr0, s->cr2, s->cr3, s->cr4, s->efer);
}

/* The bytes at RIP: from the assist's decoder, else as KVM gave them. */
static unsigned instruction_bytes(const struct vcpu *vcpu, uint8_t bytes[ASSIST_MAX_INSN])
{
	const struct kvm_run *run = vcpu->kvm.run;
	unsigned len = 0;

	if (vcpu->assist.vm->active) {
		len = vcpu->assist.last.insn_len;
		memcpy(bytes, vcpu->assist.last.insn, len);
	} else if (run->emulation_failure.ndata >= 3 &&
		   (run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES)) {
		len = run->emulation_failure.insn_size;
		if (len > ASSIST_MAX_INSN)
			len = ASSIST_MAX_INSN;
		memcpy(bytes, run->emulation_failure.insn_bytes, len);
	}
	return len;
}

static void format_bytes(const uint8_t *bytes, unsigned len, char *buf, size_t size)
{
	size_t at = 0;

	snprintf(buf, size, "unknown");
	for (unsigned i = 0; i < len && at + 4 < size; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s%02x", i ? " " : "", bytes[i]);
}

static void describe_emulation_failure(const struct vcpu *vcpu, const struct kvm_regs *regs,
				       const struct kvm_sregs *sregs, char *why, size_t size)
{
	uint8_t bytes[ASSIST_MAX_INSN];
	char text[3 * ASSIST_MAX_INSN + 8];
	unsigned len = instruction_bytes(vcpu, bytes);

	format_bytes(bytes, len, text, sizeof(text));
	snprintf(why, size, "vCPU %u: KVM cannot emulate the instruction at RIP 0x%llx, CPL %u, bytes %s%s", vcpu->id,
		 regs->rip, cpl_of(sregs), text,
		 vcpu->assist.vm->active ? ", and --assist does not know it" : "; --assist on may complete it");
}

void vcpu_report_stuck(struct vcpu *vcpu, char *why, size_t size)
{
	const struct kvm_run *run = vcpu->kvm.run;
	struct kvm_regs regs = {0};
	struct kvm_sregs sregs = {0};

	if (kvm_vcpu_get_regs(&vcpu->kvm, &regs) || kvm_vcpu_get_sregs(&vcpu->kvm, &sregs))
		log_err("vCPU %u: its registers cannot be read", vcpu->id);
	log_registers(vcpu, &regs, &sregs);
	if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR && run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION)
		describe_emulation_failure(vcpu, &regs, &sregs, why, size);
	else
		snprintf(why, size, "vCPU %u: %s (KVM exit reason %u, detail %u) at RIP 0x%llx, CPL %u", vcpu->id,
			 exit_name(run->exit_reason), run->exit_reason, run->internal.suberror, regs.rip,
			 cpl_of(&sregs));
}

static const char *activity(const struct vcpu *vcpu)
{
	uint32_t state;

	if (kvm_vcpu_get_mp_state(&vcpu->kvm, &state))
		return "";
	switch (state) {
	case KVM_MP_STATE_HALTED:
		return " (halted)";
	case KVM_MP_STATE_UNINITIALIZED:
	case KVM_MP_STATE_INIT_RECEIVED:
	case KVM_MP_STATE_SIPI_RECEIVED:
		return " (not started)";
	default:
		return "";
	}
}

const char *vcpu_report_position(const struct vcpu *vcpu, char *buf, size_t size)
{
	struct kvm_regs regs;
	struct kvm_sregs sregs;

	if (kvm_vcpu_get_regs(&vcpu->kvm, &regs) || kvm_vcpu_get_sregs(&vcpu->kvm, &sregs))
		snprintf(buf, size, "vCPU %u: registers cannot be read", vcpu->id);
	else
		snprintf(buf, size, "vCPU %u: RIP 0x%llx CPL %u%s", vcpu->id, regs.rip, cpl_of(&sregs), activity(vcpu));
	return buf;
}
