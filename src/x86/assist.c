/* SPDX-License-Identifier: Apache-2.0 */
/* The assist's entry points: when it is wanted, and which exit goes to which part. */
#include "x86/assist.h"

#include <errno.h>
#include <string.h>

#include "x86/arch.h"
#include "x86/assist_internal.h"
#include "x86/assist_syscall.h"
#include "x86/cpuid.h"

bool assist_is_wanted(enum assist_mode mode)
{
	if (mode == ASSIST_AUTO)
		return !cpuid_host_has_hardware_virtualization();
	return mode == ASSIST_ON;
}

int assist_vm_init(struct assist_vm *assist, bool active, const struct kvm_host *host, const struct kvm_vm *vm,
		   const struct guest_mem *mem, const struct kvm_cpuid_table *cpuid, struct error *err)
{
	int ret;

	*assist = (struct assist_vm){.active = active, .host = host, .mem = mem};
	pthread_mutex_init(&assist->lock, NULL);
	if (!active)
		return 0;
	cpuid_xstate_layout(cpuid, &assist->xlayout);
	ret = kvm_vm_intercept_msrs(vm, MSR_STAR, MSR_SFMASK - MSR_STAR + 1);
	if (ret)
		return error_set(
			err, ret,
			"--assist: this KVM cannot pass MSR accesses to user space (%s); use Linux 5.10 or later, or "
			"--assist off",
			strerror(-ret));
	/* Older kernels lack it and exit for failures at CPL 0 all the same. */
	(void)!kvm_vm_exit_on_emulation_failure(vm);
	return 0;
}

void assist_vm_fini(struct assist_vm *assist)
{
	pthread_mutex_destroy(&assist->lock);
}

void assist_vcpu_init(struct assist_vcpu *av, struct assist_vm *assist, struct kvm_vcpu *vcpu)
{
	memset(av, 0, sizeof(*av));
	av->vm = assist;
	av->vcpu = vcpu;
}

static int get_xsave(void *opaque, void *area)
{
	return kvm_vcpu_get_xsave(opaque, area, ASSIST_XSAVE_MAX);
}

static int set_xsave(void *opaque, const void *area)
{
	return kvm_vcpu_set_xsave(opaque, area, ASSIST_XSAVE_MAX);
}

static int get_xcr0(void *opaque, uint64_t *xcr0)
{
	return kvm_vcpu_get_xcr0(opaque, xcr0);
}

static int get_xss(void *opaque, uint64_t *xss)
{
	/* KVM without supervisor states does not know the MSR; it is then zero. */
	if (kvm_vcpu_get_msr(opaque, MSR_XSS, xss))
		*xss = 0;
	return 0;
}

static const struct assist_state_ops state_ops = {
	.get_xsave = get_xsave, .set_xsave = set_xsave, .get_xcr0 = get_xcr0, .get_xss = get_xss};

static int inject_exception(struct assist_vcpu *av, const struct assist_cpu *cpu, const struct assist_result *result)
{
	struct kvm_sregs sregs = cpu->sregs;
	struct kvm_vcpu_events events;
	int err = kvm_vcpu_set_regs(av->vcpu, &cpu->regs);

	if (!err && result->has_cr2) {
		sregs.cr2 = result->cr2;
		err = kvm_vcpu_set_sregs(av->vcpu, &sregs);
	}
	if (!err)
		err = kvm_vcpu_get_events(av->vcpu, &events);
	if (err)
		return err;
	events.flags = 0; /* an NMI that arrives between the two calls stays pending */
	events.exception.injected = 1;
	events.exception.nr = result->vector;
	events.exception.has_error_code = result->has_error_code;
	events.exception.error_code = result->error_code;
	atomic_fetch_add_explicit(&av->exceptions, 1, memory_order_relaxed);
	return kvm_vcpu_set_events(av->vcpu, &events);
}

/* User code gets #UD for what nobody can complete, as from KVM itself: a process must not be able to end the machine.
 * That holds for an operand where no memory is, too: the trampoline's doorbell page is within every process's reach. */
static void refuse_user_code(const struct assist_cpu *cpu, struct assist_result *result)
{
	bool no_memory = result->outcome == ASSIST_FAILED && (result->error == -ENXIO || result->error == -E2BIG);

	if ((result->outcome != ASSIST_UNKNOWN && !no_memory) || assist_cpl(cpu) != 3)
		return;
	result->outcome = ASSIST_EXCEPTION;
	result->vector = VECTOR_UD;
	result->has_error_code = false;
	result->has_cr2 = false;
}

/* KVM drops a vCPU's translations when CR4.PGE changes (KVM_SET_SREGS resets the MMU only on a change). */
static int flush_translations(const struct assist_vcpu *av, const struct kvm_sregs *sregs)
{
	struct kvm_sregs toggled = *sregs;
	int err;

	toggled.cr4 ^= CR4_PGE;
	err = kvm_vcpu_set_sregs(av->vcpu, &toggled);
	return err ? err : kvm_vcpu_set_sregs(av->vcpu, sregs);
}

/* The trap behind a completed instruction that the guest single-steps (SDM vol. 3B, 18.3.1.4): #DB with DR6.BS. */
static int inject_single_step(struct assist_vcpu *av, const struct assist_cpu *cpu)
{
	const struct assist_result trap = {.vector = VECTOR_DB};
	struct kvm_debugregs debugregs = {0};
	int err = kvm_vcpu_get_debugregs(av->vcpu, &debugregs);

	if (err)
		return err;
	debugregs.dr6 |= DR6_BS;
	err = kvm_vcpu_set_debugregs(av->vcpu, &debugregs);
	return err ? err : inject_exception(av, cpu, &trap);
}

static int finish_completed(struct assist_vcpu *av, const struct assist_cpu *cpu, bool single_step)
{
	int err = kvm_vcpu_set_regs(av->vcpu, &cpu->regs);

	if (!err && av->last.flush_tlb)
		err = flush_translations(av, &cpu->sregs);
	if (!err && single_step)
		err = inject_single_step(av, cpu);
	return err;
}

static enum assist_verdict complete_instruction(struct assist_vcpu *av)
{
	struct assist_cpu cpu = {
		.mem = av->vm->mem, .xlayout = &av->vm->xlayout, .ops = &state_ops, .opaque = av->vcpu};
	struct assist_result *result = &av->last;
	bool single_step;
	int err = kvm_vcpu_get_regs(av->vcpu, &cpu.regs);

	if (!err)
		err = kvm_vcpu_get_sregs(av->vcpu, &cpu.sregs);
	if (err)
		return ASSIST_STUCK;
	single_step = cpu.regs.rflags & RFLAGS_TF; /* as it was before the instruction */
	assist_insn_complete(&cpu, result);
	refuse_user_code(&cpu, result);
	switch (result->outcome) {
	case ASSIST_COMPLETED:
		err = finish_completed(av, &cpu, single_step);
		break;
	case ASSIST_EXCEPTION:
		err = inject_exception(av, &cpu, result);
		break;
	default:
		return ASSIST_STUCK;
	}
	atomic_fetch_add_explicit(&av->counts[result->kind], 1, memory_order_relaxed);
	return err ? ASSIST_STUCK : ASSIST_HANDLED;
}

enum assist_verdict assist_handle_exit(struct assist_vcpu *av)
{
	const struct kvm_run *run = av->vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_INTERNAL_ERROR:
		if (run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION)
			return complete_instruction(av);
		return ASSIST_NOT_OURS;
	case KVM_EXIT_X86_WRMSR:
		return assist_syscall_wrmsr(av);
	case KVM_EXIT_X86_RDMSR:
		return assist_syscall_rdmsr(av);
	case KVM_EXIT_MMIO:
		return assist_syscall_mmio(av);
	default:
		return ASSIST_NOT_OURS;
	}
}
