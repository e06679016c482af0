/* SPDX-License-Identifier: Apache-2.0 */
/* Which exit goes where, and what of it reaches the vCPU. The instructions themselves have their own tests. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "support/need_kvm.h"
#include "unit/x86/assist_machine.h"
#include "x86/cpuid.h"

static void the_users_word_counts_and_auto_asks_the_cpu(void **state)
{
	(void)state;
	assert_true(assist_is_wanted(ASSIST_ON));
	assert_false(assist_is_wanted(ASSIST_OFF));
	assert_int_equal(assist_is_wanted(ASSIST_AUTO), !cpuid_host_has_hardware_virtualization());
}

/* Where it is not needed nothing is asked of KVM: there is none here to ask. */
static void an_idle_assist_touches_nothing(void **state)
{
	const struct kvm_vm no_vm = {.fd = -1};
	struct assist_vm assist;
	struct error err;

	(void)state;
	assert_int_equal(assist_vm_init(&assist, false, NULL, &no_vm, NULL, NULL, &err), 0);
	assert_false(assist.active);
	assist_vm_fini(&assist);
}

static void a_kvm_that_cannot_pass_msrs_on_is_named(void **state)
{
	static struct kvm_cpuid_table empty;
	const struct kvm_vm no_vm = {.fd = -1};
	struct assist_vm assist;
	struct error err = {0};

	(void)state;
	assert_int_equal(assist_vm_init(&assist, true, NULL, &no_vm, NULL, &empty, &err), -EBADF);
	assert_non_null(strstr(err.text, "--assist off"));
	assist_vm_fini(&assist);
}

static int set_up(void **state)
{
	static struct assist_machine machine;

	*state = &machine;
	return machine_init(&machine);
}

static int tear_down(void **state)
{
	return machine_fini(*state);
}

static enum assist_verdict fail_at_with_flags(struct assist_machine *m, const void *code, size_t len,
					      struct kvm_regs *regs, uint64_t rflags)
{
	enum assist_verdict verdict;

	assert_int_equal(guest_mem_write(&m->mem, gpa(MACHINE_CODE), code, len), 0);
	regs->rip = MACHINE_CODE;
	regs->rflags = rflags;
	assert_int_equal(kvm_vcpu_set_regs(&m->vcpu, regs), 0);
	m->vcpu.run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	m->vcpu.run->internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
	verdict = assist_handle_exit(&m->av);
	assert_int_equal(kvm_vcpu_get_regs(&m->vcpu, regs), 0);
	return verdict;
}

static enum assist_verdict fail_at(struct assist_machine *m, const void *code, size_t len, struct kvm_regs *regs)
{
	return fail_at_with_flags(m, code, len, regs, RFLAGS_FIXED);
}

static void a_single_step_traps_behind_the_instruction(void **state)
{
	static const uint8_t popcnt[] = {0xf3, 0x48, 0x0f, 0xb8, 0xd8}; /* popcnt %rax, %rbx */
	struct assist_machine *m = *state;
	struct kvm_regs regs = {.rax = 0xff};
	struct kvm_vcpu_events events;
	struct kvm_debugregs debugregs;

	assert_int_equal(fail_at_with_flags(m, popcnt, sizeof(popcnt), &regs, RFLAGS_FIXED | RFLAGS_TF),
			 ASSIST_HANDLED);
	assert_int_equal(regs.rbx, 8);
	assert_int_equal(regs.rip, MACHINE_CODE + sizeof(popcnt));
	assert_int_equal(kvm_vcpu_get_events(&m->vcpu, &events), 0);
	assert_true(events.exception.injected || events.exception.pending);
	assert_int_equal(events.exception.nr, VECTOR_DB);
	assert_false(events.exception.has_error_code);
	assert_int_equal(kvm_vcpu_get_debugregs(&m->vcpu, &debugregs), 0);
	assert_true(debugregs.dr6 & DR6_BS);
}

static void a_completed_instruction_reaches_the_vcpu_and_is_counted(void **state)
{
	static const uint8_t popcnt[] = {0xf3, 0x48, 0x0f, 0xb8, 0xd8}; /* popcnt %rax, %rbx */
	struct assist_machine *m = *state;
	struct kvm_regs regs = {.rax = 0xf0f0, .rdx = 7};

	assert_int_equal(fail_at(m, popcnt, sizeof(popcnt), &regs), ASSIST_HANDLED);
	assert_int_equal(regs.rbx, 8);
	assert_int_equal(regs.rdx, 7);
	assert_int_equal(regs.rip, MACHINE_CODE + sizeof(popcnt));
	assert_int_equal(m->av.counts[ASSIST_POPCNT], 1);
	assert_int_equal(m->av.exceptions, 0);
}

static void an_unknown_instruction_of_the_kernel_ends_the_machine(void **state)
{
	static const uint8_t vmxoff[] = {0x0f, 0x01, 0xc4};
	struct assist_machine *m = *state;
	struct kvm_regs regs = {0};

	assert_int_equal(fail_at(m, vmxoff, sizeof(vmxoff), &regs), ASSIST_STUCK);
	assert_int_equal(regs.rip, MACHINE_CODE);
	assert_true(m->av.last.insn_len >= sizeof(vmxoff));
	assert_memory_equal(m->av.last.insn, vmxoff, sizeof(vmxoff));
}

static void an_unknown_instruction_of_a_program_faults(void **state)
{
	static const uint8_t vmxoff[] = {0x0f, 0x01, 0xc4};
	struct assist_machine *m = *state;
	struct kvm_vcpu_events events;
	struct kvm_regs regs = {0};

	assert_int_equal(machine_set_mode(m, true), 0);
	assert_int_equal(fail_at(m, vmxoff, sizeof(vmxoff), &regs), ASSIST_HANDLED);
	assert_int_equal(regs.rip, MACHINE_CODE);
	assert_int_equal(kvm_vcpu_get_events(&m->vcpu, &events), 0);
	assert_true(events.exception.injected || events.exception.pending);
	assert_int_equal(events.exception.nr, VECTOR_UD);
	assert_int_equal(m->av.exceptions, 1);
}

static void a_page_fault_is_delivered_with_its_address(void **state)
{
	static const uint8_t popcnt[] = {0xf3, 0x48, 0x0f, 0xb8, 0x18}; /* popcnt (%rax), %rbx */
	struct assist_machine *m = *state;
	struct kvm_vcpu_events events;
	struct kvm_sregs sregs;
	struct kvm_regs regs = {.rax = 0x40001234, .rbx = 5};

	assert_int_equal(fail_at(m, popcnt, sizeof(popcnt), &regs), ASSIST_HANDLED);
	assert_int_equal(regs.rip, MACHINE_CODE);
	assert_int_equal(regs.rbx, 5);
	assert_int_equal(kvm_vcpu_get_sregs(&m->vcpu, &sregs), 0);
	assert_int_equal(sregs.cr2, 0x40001234);
	assert_int_equal(kvm_vcpu_get_events(&m->vcpu, &events), 0);
	assert_int_equal(events.exception.nr, VECTOR_PF);
	assert_int_equal(events.exception.error_code, 0);
	assert_true(events.exception.has_error_code);
}

static void extended_state_goes_through_kvm(void **state)
{
	static const uint8_t fninit[] = {0xdb, 0xe3};
	static _Alignas(64) uint8_t area[ASSIST_XSAVE_MAX];
	struct assist_machine *m = *state;
	struct kvm_regs regs = {0};

	assert_int_equal(kvm_vcpu_get_xsave(&m->vcpu, area, sizeof(area)), 0);
	area[0] = 0x7e; /* FCW with one exception unmasked */
	area[512] |= 1;
	assert_int_equal(kvm_vcpu_set_xsave(&m->vcpu, area, sizeof(area)), 0);
	assert_int_equal(fail_at(m, fninit, sizeof(fninit), &regs), ASSIST_HANDLED);
	assert_int_equal(kvm_vcpu_get_xsave(&m->vcpu, area, sizeof(area)), 0);
	assert_int_equal(area[0], 0x7f);
}

static void other_exits_are_not_ours(void **state)
{
	static const uint32_t reasons[] = {KVM_EXIT_IO, KVM_EXIT_HLT, KVM_EXIT_SHUTDOWN, KVM_EXIT_FAIL_ENTRY};
	struct assist_machine *m = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(reasons); i++) {
		m->vcpu.run->exit_reason = reasons[i];
		assert_int_equal(assist_handle_exit(&m->av), ASSIST_NOT_OURS);
	}
	m->vcpu.run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	m->vcpu.run->internal.suberror = KVM_INTERNAL_ERROR_SIMUL_EX;
	assert_int_equal(assist_handle_exit(&m->av), ASSIST_NOT_OURS);
	m->vcpu.run->exit_reason = KVM_EXIT_MMIO;
	m->vcpu.run->mmio.phys_addr = LAYOUT_VIRTIO_MMIO;
	assert_int_equal(assist_handle_exit(&m->av), ASSIST_NOT_OURS);
}

static void msr_exits_go_to_the_system_call_part(void **state)
{
	struct assist_machine *m = *state;

	m->vcpu.run->exit_reason = KVM_EXIT_X86_WRMSR;
	m->vcpu.run->msr.index = MSR_SFMASK;
	m->vcpu.run->msr.data = RFLAGS_IF;
	assert_int_equal(assist_handle_exit(&m->av), ASSIST_HANDLED);
	m->vcpu.run->exit_reason = KVM_EXIT_X86_RDMSR;
	m->vcpu.run->msr.data = 0;
	assert_int_equal(assist_handle_exit(&m->av), ASSIST_HANDLED);
	assert_int_equal(m->vcpu.run->msr.data, RFLAGS_IF);
}

int main(void)
{
	const struct CMUnitTest pure[] = {
		cmocka_unit_test(the_users_word_counts_and_auto_asks_the_cpu),
		cmocka_unit_test(an_idle_assist_touches_nothing),
		cmocka_unit_test(a_kvm_that_cannot_pass_msrs_on_is_named),
	};
	const struct CMUnitTest with_kvm[] = {
		cmocka_unit_test_setup_teardown(a_completed_instruction_reaches_the_vcpu_and_is_counted, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_unknown_instruction_of_the_kernel_ends_the_machine, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_single_step_traps_behind_the_instruction, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_unknown_instruction_of_a_program_faults, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_page_fault_is_delivered_with_its_address, set_up, tear_down),
		cmocka_unit_test_setup_teardown(extended_state_goes_through_kvm, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_exits_are_not_ours, set_up, tear_down),
		cmocka_unit_test_setup_teardown(msr_exits_go_to_the_system_call_part, set_up, tear_down),
	};
	int failed = cmocka_run_group_tests(pure, NULL, NULL), missing = without_kvm();

	if (failed || missing)
		return failed ? failed : missing;
	return cmocka_run_group_tests(with_kvm, NULL, NULL);
}
