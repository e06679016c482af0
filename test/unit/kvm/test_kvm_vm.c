/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "support/kvm_machine.h"
#include "support/need_kvm.h"

#define MSR_STAR_NUMBER	 0xc0000081u
#define MSR_LSTAR_NUMBER 0xc0000082u
#define TIMER_GSI	 2

static int set_up(void **state)
{
	static struct kvm_machine machine;

	*state = &machine;
	return kvm_machine_init(&machine);
}

static int tear_down(void **state)
{
	return kvm_machine_fini(*state);
}

static void run_until_exit(const struct kvm_machine *m, uint32_t reason)
{
	int err;

	do {
		err = kvm_vcpu_run(&m->vcpu);
	} while (err == -EINTR || err == -EAGAIN);
	assert_int_equal(err, 0);
	assert_int_equal(m->vcpu.run->exit_reason, reason);
}

static void a_vm_knows_its_capabilities(void **state)
{
	const struct kvm_machine *m = *state;

	assert_true(kvm_vm_capability(&m->vm, KVM_CAP_IRQCHIP) > 0);
	assert_int_equal(kvm_vm_capability(&m->vm, 0x7fffffff), 0);
}

static void interrupt_controllers_are_made_once(void **state)
{
	const struct kvm_machine *m = *state;

	assert_int_equal(kvm_vm_create_irqchip(&m->vm), -EEXIST);
	assert_int_equal(kvm_vm_create_pit(&m->vm), 0);
	assert_int_equal(kvm_vm_create_pit(&m->vm), -EEXIST);
}

static void an_interrupt_line_goes_up_and_down(void **state)
{
	const struct kvm_machine *m = *state;

	assert_int_equal(kvm_vm_set_irq_line(&m->vm, TIMER_GSI, true), 0);
	assert_int_equal(kvm_vm_set_irq_line(&m->vm, TIMER_GSI, false), 0);
}

static void without_interrupt_controllers_a_line_is_refused(void **state)
{
	const struct kvm_machine *m = *state;
	struct kvm_vm bare;

	assert_int_equal(kvm_vm_create(&bare, &m->host), 0);
	assert_int_equal(kvm_vm_set_irq_line(&bare, TIMER_GSI, true), -ENXIO);
	assert_true(kvm_vm_create_pit(&bare) < 0);
	kvm_vm_close(&bare);
	assert_int_equal(bare.fd, -1);
}

static void a_guest_sees_the_memory_it_was_given(void **state)
{
	struct kvm_machine *m = *state;
	static const uint8_t code[] = {
		0xa0, 0x00, 0x20, /* mov 0x2000, %al */
		0xfe, 0xc0,	  /* inc %al */
		0xa2, 0x01, 0x20, /* mov %al, 0x2001 */
		0xe6, 0x80,	  /* out %al, $0x80 */
	};

	m->ram[0x2000] = 41;
	assert_int_equal(kvm_machine_load(m, code, sizeof(code)), 0);
	run_until_exit(m, KVM_EXIT_IO);
	assert_int_equal(m->ram[0x2001], 42);
	assert_int_equal(m->vcpu.run->io.port, 0x80);
	assert_int_equal(*((uint8_t *)m->vcpu.run + m->vcpu.run->io.data_offset), 42);
}

static void overlapping_and_crooked_memory_is_refused(void **state)
{
	const struct kvm_machine *m = *state;

	assert_int_equal(kvm_vm_set_memory(&m->vm, 1, 0x8000, 0x8000, m->ram), -EEXIST);
	assert_int_equal(kvm_vm_set_memory(&m->vm, 1, 0x100001, 0x1000, m->ram), -EINVAL);
}

/* Reads and writes of the listed MSRs come out; their neighbour below does not. */
static void intercepted_msrs_come_out_and_others_do_not(void **state)
{
	struct kvm_machine *m = *state;
	static const uint8_t code[] = {
		0x66, 0xb9, 0x80, 0x00, 0x00, 0xc0, /* mov $MSR_EFER, %ecx */
		0x0f, 0x32,			    /* rdmsr */
		0x66, 0xb9, 0x82, 0x00, 0x00, 0xc0, /* mov $MSR_LSTAR, %ecx */
		0x66, 0xb8, 0x34, 0x12, 0x00, 0x00, /* mov $0x1234, %eax */
		0x66, 0x31, 0xd2,		    /* xor %edx, %edx */
		0x0f, 0x30,			    /* wrmsr */
		0x0f, 0x32,			    /* rdmsr */
	};

	if (!kvm_host_capability(&m->host, KVM_CAP_X86_MSR_FILTER))
		skip();
	assert_int_equal(kvm_vm_intercept_msrs(&m->vm, MSR_STAR_NUMBER, 4), 0);
	assert_int_equal(kvm_machine_load(m, code, sizeof(code)), 0);
	run_until_exit(m, KVM_EXIT_X86_WRMSR);
	assert_int_equal(m->vcpu.run->msr.index, MSR_LSTAR_NUMBER);
	assert_int_equal(m->vcpu.run->msr.data, 0x1234);
	m->vcpu.run->msr.error = 0;
	run_until_exit(m, KVM_EXIT_X86_RDMSR);
	assert_int_equal(m->vcpu.run->msr.index, MSR_LSTAR_NUMBER);
	m->vcpu.run->msr.error = 0;
}

static void emulation_failures_can_be_asked_for(void **state)
{
	const struct kvm_machine *m = *state;
	bool known = kvm_vm_capability(&m->vm, KVM_CAP_EXIT_ON_EMULATION_FAILURE) > 0;

	assert_int_equal(kvm_vm_exit_on_emulation_failure(&m->vm), known ? 0 : -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_vm_knows_its_capabilities, set_up, tear_down),
		cmocka_unit_test_setup_teardown(interrupt_controllers_are_made_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_interrupt_line_goes_up_and_down, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_interrupt_controllers_a_line_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_guest_sees_the_memory_it_was_given, set_up, tear_down),
		cmocka_unit_test_setup_teardown(overlapping_and_crooked_memory_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(intercepted_msrs_come_out_and_others_do_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(emulation_failures_can_be_asked_for, set_up, tear_down),
	};
	int missing = without_kvm();

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
