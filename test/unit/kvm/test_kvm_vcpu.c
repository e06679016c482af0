/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "support/kvm_machine.h"
#include "support/need_kvm.h"

#define MSR_STAR_NUMBER	    0xc0000081u
#define MSR_SFMASK_NUMBER   0xc0000084u
#define MSR_KERNEL_GS_BASE  0xc0000102u
#define MSR_NOBODY_HAS	    0x9e37u
#define XSAVE_XMM_OFFSET    160
#define XSAVE_HEADER_OFFSET 512
#define LAPIC_ID_OFFSET	    0x20
#define LAPIC_TPR_OFFSET    0x80
#define VECTOR_PROTECTION   13

static void general_registers_come_back(void **state)
{
	const struct kvm_machine *m = *state;
	struct kvm_regs regs = {.rax = 0x1122334455667788, .r15 = UINT64_MAX, .rip = 0x1000, .rflags = 0x246},
			back = {0};

	assert_int_equal(kvm_vcpu_set_regs(&m->vcpu, &regs), 0);
	assert_int_equal(kvm_vcpu_get_regs(&m->vcpu, &back), 0);
	assert_memory_equal(&back, &regs, sizeof(regs));
}

static void segments_and_control_registers_come_back(void **state)
{
	const struct kvm_machine *m = *state;
	struct kvm_sregs sregs, back;

	assert_int_equal(kvm_vcpu_get_sregs(&m->vcpu, &sregs), 0);
	sregs.cr2 = 0x123456789abc;
	sregs.cr4 = 1u << 5; /* PAE */
	sregs.gdt.base = 0x5000;
	sregs.gdt.limit = 0x1f;
	assert_int_equal(kvm_vcpu_set_sregs(&m->vcpu, &sregs), 0);
	assert_int_equal(kvm_vcpu_get_sregs(&m->vcpu, &back), 0);
	assert_int_equal(back.cr2, sregs.cr2);
	assert_int_equal(back.cr4, sregs.cr4);
	assert_int_equal(back.gdt.base, 0x5000);
	assert_int_equal(back.gdt.limit, 0x1f);
}

static void impossible_control_registers_are_refused(void **state)
{
	const struct kvm_machine *m = *state;
	struct kvm_sregs sregs;

	assert_int_equal(kvm_vcpu_get_sregs(&m->vcpu, &sregs), 0);
	sregs.efer |= 1u << 10; /* LMA without paging */
	sregs.cr0 = 1ULL << 31; /* PG without PE */
	assert_int_equal(kvm_vcpu_set_sregs(&m->vcpu, &sregs), -EINVAL);
}

static void msrs_come_back(void **state)
{
	const struct kvm_machine *m = *state;
	static const struct kvm_msr_entry entries[] = {
		{.index = MSR_STAR_NUMBER, .data = 0x0023001000000000},
		{.index = MSR_SFMASK_NUMBER, .data = 0x47700},
		{.index = MSR_KERNEL_GS_BASE, .data = 0xffff888000000000},
	};
	uint64_t value;

	assert_int_equal(kvm_vcpu_set_msrs(&m->vcpu, entries, ARRAY_SIZE(entries)), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(entries); i++) {
		assert_int_equal(kvm_vcpu_get_msr(&m->vcpu, entries[i].index, &value), 0);
		assert_int_equal(value, entries[i].data);
	}
}

static void an_msr_that_kvm_does_not_take_is_an_error(void **state)
{
	const struct kvm_machine *m = *state;
	static const struct kvm_msr_entry entries[] = {
		{.index = MSR_STAR_NUMBER, .data = 1},
		{.index = MSR_NOBODY_HAS, .data = 1},
	};
	uint64_t value;

	assert_int_equal(kvm_vcpu_set_msrs(&m->vcpu, entries, ARRAY_SIZE(entries)), -EIO);
	assert_int_equal(kvm_vcpu_get_msr(&m->vcpu, MSR_NOBODY_HAS, &value), -EIO);
	assert_int_equal(kvm_vcpu_set_msrs(&m->vcpu, entries, 0), 0);
}

static void extended_state_comes_back(void **state)
{
	const struct kvm_machine *m = *state;
	static _Alignas(64) uint8_t area[16384], back[16384];

	assert_true(m->vcpu.xsave_size >= sizeof(struct kvm_xsave));
	assert_int_equal(kvm_vcpu_get_xsave(&m->vcpu, area, sizeof(area)), 0);
	memset(area + XSAVE_XMM_OFFSET, 0x5a, 16);
	area[XSAVE_HEADER_OFFSET] |= 2; /* SSE is in use */
	assert_int_equal(kvm_vcpu_set_xsave(&m->vcpu, area, sizeof(area)), 0);
	assert_int_equal(kvm_vcpu_get_xsave(&m->vcpu, back, sizeof(back)), 0);
	assert_memory_equal(back + XSAVE_XMM_OFFSET, area + XSAVE_XMM_OFFSET, 16);
}

static void an_area_that_is_too_small_is_refused(void **state)
{
	const struct kvm_machine *m = *state;
	static uint8_t area[16384];

	assert_int_equal(kvm_vcpu_get_xsave(&m->vcpu, area, m->vcpu.xsave_size - 1), -EINVAL);
	assert_int_equal(kvm_vcpu_set_xsave(&m->vcpu, area, m->vcpu.xsave_size - 1), -EINVAL);
}

static void xcr0_always_has_x87(void **state)
{
	const struct kvm_machine *m = *state;
	uint64_t xcr0 = 0;

	assert_int_equal(kvm_vcpu_get_xcr0(&m->vcpu, &xcr0), 0);
	assert_true(xcr0 & 1);
}

static void the_local_apic_comes_back(void **state)
{
	const struct kvm_machine *m = *state;
	struct kvm_lapic_state lapic, back;

	assert_int_equal(kvm_vcpu_get_lapic(&m->vcpu, &lapic), 0);
	assert_int_equal(lapic.regs[LAPIC_ID_OFFSET + 3], 0);
	lapic.regs[LAPIC_TPR_OFFSET] = 0x20;
	assert_int_equal(kvm_vcpu_set_lapic(&m->vcpu, &lapic), 0);
	assert_int_equal(kvm_vcpu_get_lapic(&m->vcpu, &back), 0);
	assert_int_equal(back.regs[LAPIC_TPR_OFFSET], 0x20);
}

static void an_exception_stays_pending(void **state)
{
	const struct kvm_machine *m = *state;
	struct kvm_vcpu_events events, back;

	assert_int_equal(kvm_vcpu_get_events(&m->vcpu, &events), 0);
	events.exception.injected = 1;
	events.exception.nr = VECTOR_PROTECTION;
	events.exception.has_error_code = 1;
	events.exception.error_code = 0x18;
	assert_int_equal(kvm_vcpu_set_events(&m->vcpu, &events), 0);
	assert_int_equal(kvm_vcpu_get_events(&m->vcpu, &back), 0);
	assert_true(back.exception.injected || back.exception.pending);
	assert_int_equal(back.exception.nr, VECTOR_PROTECTION);
	assert_int_equal(back.exception.error_code, 0x18);
}

static void the_first_vcpu_runs_and_others_wait(void **state)
{
	const struct kvm_machine *m = *state;
	struct kvm_vcpu second;
	uint32_t mp_state;

	assert_int_equal(kvm_vcpu_get_mp_state(&m->vcpu, &mp_state), 0);
	assert_int_equal(mp_state, KVM_MP_STATE_RUNNABLE);
	assert_int_equal(kvm_vcpu_create(&second, &m->host, &m->vm, 1), 0);
	assert_int_equal(kvm_vcpu_get_mp_state(&second, &mp_state), 0);
	assert_int_equal(mp_state, KVM_MP_STATE_UNINITIALIZED);
	kvm_vcpu_close(&second);
	assert_null(second.run);
	kvm_vcpu_close(&second);
}

static void the_same_vcpu_is_not_made_twice(void **state)
{
	const struct kvm_machine *m = *state;
	struct kvm_vcpu again;

	assert_int_equal(kvm_vcpu_create(&again, &m->host, &m->vm, 0), -EEXIST);
	assert_int_equal(again.fd, -1);
	kvm_vcpu_close(&again);
}

static void the_guests_cpuid_is_what_was_set(void **state)
{
	const struct kvm_machine *m = *state;
	static struct kvm_cpuid_table table, back;
	uint32_t set = 0, got = 0;

	assert_int_equal(kvm_host_supported_cpuid(&m->host, &table), 0);
	for (unsigned i = 0; i < table.head.nent; i++)
		if (table.entries[i].function == 1)
			set = table.entries[i].ebx = (table.entries[i].ebx & 0xff00ffff) | 5u << 16;
	assert_int_equal(kvm_vcpu_set_cpuid(&m->vcpu, &table), 0);
	assert_int_equal(kvm_vcpu_get_cpuid(&m->vcpu, &back), 0);
	for (unsigned i = 0; i < back.head.nent; i++)
		if (back.entries[i].function == 1)
			got = back.entries[i].ebx;
	assert_int_equal(got, set);
}

static void immediate_exit_comes_back_at_once(void **state)
{
	struct kvm_machine *m = *state;
	static const uint8_t loop_for_ever[] = {0xeb, 0xfe};

	assert_int_equal(kvm_machine_load(m, loop_for_ever, sizeof(loop_for_ever)), 0);
	m->vcpu.run->immediate_exit = 1;
	assert_int_equal(kvm_vcpu_run(&m->vcpu), -EINTR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(general_registers_come_back, kvm_machine_set_up, kvm_machine_tear_down),
		cmocka_unit_test_setup_teardown(segments_and_control_registers_come_back, kvm_machine_set_up,
						kvm_machine_tear_down),
		cmocka_unit_test_setup_teardown(impossible_control_registers_are_refused, kvm_machine_set_up,
						kvm_machine_tear_down),
		cmocka_unit_test_setup_teardown(msrs_come_back, kvm_machine_set_up, kvm_machine_tear_down),
		cmocka_unit_test_setup_teardown(an_msr_that_kvm_does_not_take_is_an_error, kvm_machine_set_up,
						kvm_machine_tear_down),
		cmocka_unit_test_setup_teardown(extended_state_comes_back, kvm_machine_set_up, kvm_machine_tear_down),
		cmocka_unit_test_setup_teardown(an_area_that_is_too_small_is_refused, kvm_machine_set_up,
						kvm_machine_tear_down),
		cmocka_unit_test_setup_teardown(xcr0_always_has_x87, kvm_machine_set_up, kvm_machine_tear_down),
		cmocka_unit_test_setup_teardown(the_local_apic_comes_back, kvm_machine_set_up, kvm_machine_tear_down),
		cmocka_unit_test_setup_teardown(an_exception_stays_pending, kvm_machine_set_up, kvm_machine_tear_down),
		cmocka_unit_test_setup_teardown(the_first_vcpu_runs_and_others_wait, kvm_machine_set_up,
						kvm_machine_tear_down),
		cmocka_unit_test_setup_teardown(the_same_vcpu_is_not_made_twice, kvm_machine_set_up,
						kvm_machine_tear_down),
		cmocka_unit_test_setup_teardown(the_guests_cpuid_is_what_was_set, kvm_machine_set_up,
						kvm_machine_tear_down),
		cmocka_unit_test_setup_teardown(immediate_exit_comes_back_at_once, kvm_machine_set_up,
						kvm_machine_tear_down),
	};
	int missing = without_kvm();

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
