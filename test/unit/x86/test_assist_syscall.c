/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/need_kvm.h"
#include "unit/x86/assist_machine.h"
#include "x86/assist_probe.h"
#include "x86/assist_syscall.h"

#define STAR	     (0x0023ULL << 48 | 0x0010ULL << 32 | 0x12345678)
#define KERNEL_ENTRY 0xffffffff81e00040ULL
#define SFMASK	     0x257fd5ULL /* what Linux 6.1 writes */
#define ARITHMETIC   (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)
#define USER_ENTRY   0x7f0012345678ULL

static void enter(struct kvm_regs *regs, struct kvm_sregs *sregs, uint64_t sfmask)
{
	memset(sregs, 0xa5, sizeof(*sregs));
	regs->rip = 0xffffffffff602000;
	regs->rcx = USER_ENTRY;
	regs->rax = 39;
	assist_syscall_enter(regs, sregs, STAR, KERNEL_ENTRY, sfmask);
	assert_int_equal(regs->rip, KERNEL_ENTRY);
	assert_int_equal(regs->rcx, USER_ENTRY);
	assert_int_equal(regs->rax, 39);
}

static void the_entry_is_the_kernels_at_cpl_0(void **state)
{
	struct kvm_regs regs = {.rflags = RFLAGS_FIXED | RFLAGS_IF, .r11 = RFLAGS_FIXED | RFLAGS_IF};
	struct kvm_sregs s;

	(void)state;
	enter(&regs, &s, SFMASK);
	assert_int_equal(s.cs.selector, 0x10);
	assert_int_equal(s.cs.dpl, 0);
	assert_int_equal(s.cs.base, 0);
	assert_int_equal(s.cs.limit, 0xffffffff);
	assert_true(s.cs.l && !s.cs.db && s.cs.present && s.cs.s);
	assert_int_equal(s.cs.type, SEGMENT_TYPE_CODE);
	assert_int_equal(s.ss.selector, 0x18);
	assert_int_equal(s.ss.dpl, 0);
	assert_true(s.ss.present && s.ss.s && s.ss.db && !s.ss.l);
	assert_int_equal(s.ss.type, SEGMENT_TYPE_DATA);
}

/* SDM vol. 2B, SYSCALL: the selector's RPL bits are forced to 0. */
static void the_selectors_rpl_is_dropped(void **state)
{
	struct kvm_regs regs = {.rflags = RFLAGS_FIXED};
	struct kvm_sregs s;

	(void)state;
	assist_syscall_enter(&regs, &s, 0x0013ULL << 32, KERNEL_ENTRY, 0);
	assert_int_equal(s.cs.selector, 0x10);
	assert_int_equal(s.ss.selector, 0x18);
}

static void the_mask_clears_its_flags_and_r11_keeps_them(void **state)
{
	const uint64_t flags = RFLAGS_FIXED | RFLAGS_IF | ARITHMETIC | RFLAGS_DF | RFLAGS_TF | RFLAGS_AC;
	struct kvm_regs regs = {.rflags = RFLAGS_FIXED | RFLAGS_IF, .r11 = flags};
	struct kvm_sregs s;

	(void)state;
	enter(&regs, &s, RFLAGS_IF | RFLAGS_DF | RFLAGS_TF);
	assert_int_equal(regs.r11, flags);
	assert_int_equal(regs.rflags, RFLAGS_FIXED | ARITHMETIC | RFLAGS_AC);
	regs.r11 = flags;
	enter(&regs, &s, UINT64_MAX);
	assert_int_equal(regs.rflags, RFLAGS_FIXED); /* never cleared */
}

/* User code may jump to the trampoline with anything in R11; flags that it could not set itself must not come of it. */
static void flags_forged_in_r11_are_not_believed(void **state)
{
	static const uint64_t forged[] = {
		RFLAGS_IOPL,	      RFLAGS_VM, 1ULL << 12, 1ULL << 13, RFLAGS_RF,  1ULL << 19, /* VIF */
		1ULL << 20 /* VIP */, 1ULL << 3, 1ULL << 5,  1ULL << 15, 1ULL << 22, 1ULL << 63, UINT64_MAX};
	const uint64_t allowed = ARITHMETIC | RFLAGS_TF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC | RFLAGS_ID;
	struct kvm_sregs s;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(forged); i++) {
		struct kvm_regs regs = {.rflags = RFLAGS_FIXED | RFLAGS_IF, .r11 = forged[i]};

		enter(&regs, &s, 0);
		assert_int_equal(regs.rflags, (forged[i] & allowed) | RFLAGS_FIXED | RFLAGS_IF);
		assert_int_equal(regs.r11, (forged[i] & allowed) | RFLAGS_FIXED | RFLAGS_IF);
	}
}

/* Without IOPL 3 user code always runs with interrupts on, whatever R11 says. */
static void interrupts_are_off_only_for_code_that_may_do_that(void **state)
{
	struct kvm_regs plain = {.rflags = RFLAGS_FIXED | RFLAGS_IF, .r11 = RFLAGS_FIXED};
	struct kvm_regs trusted = {.rflags = RFLAGS_FIXED | RFLAGS_IOPL, .r11 = RFLAGS_FIXED};
	struct kvm_sregs s;

	(void)state;
	enter(&plain, &s, RFLAGS_IF);
	assert_int_equal(plain.r11, RFLAGS_FIXED | RFLAGS_IF);
	enter(&trusted, &s, RFLAGS_IF);
	assert_int_equal(trusted.r11, RFLAGS_FIXED | RFLAGS_IOPL);
	assert_int_equal(trusted.rflags, RFLAGS_FIXED | RFLAGS_IOPL);
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

static void guest_writes(struct assist_machine *m, uint32_t index, uint64_t value, bool accepted)
{
	m->vcpu.run->msr.index = index;
	m->vcpu.run->msr.data = value;
	m->vcpu.run->msr.error = 0x5a;
	assert_int_equal(assist_syscall_wrmsr(&m->av), ASSIST_HANDLED);
	assert_int_equal(m->vcpu.run->msr.error, !accepted);
}

static uint64_t guest_reads(struct assist_machine *m, uint32_t index)
{
	m->vcpu.run->msr.index = index;
	m->vcpu.run->msr.data = 0xdead;
	assert_int_equal(assist_syscall_rdmsr(&m->av), ASSIST_HANDLED);
	assert_int_equal(m->vcpu.run->msr.error, 0);
	return m->vcpu.run->msr.data;
}

static uint64_t kvm_has(struct assist_machine *m, uint32_t index)
{
	uint64_t value = 0;

	assert_int_equal(kvm_vcpu_get_msr(&m->vcpu, index, &value), 0);
	return value;
}

static void plain_msrs_reach_kvm_and_come_back(void **state)
{
	struct assist_machine *m = *state;

	guest_writes(m, MSR_STAR, STAR, true);
	guest_writes(m, MSR_SFMASK, SFMASK, true);
	guest_writes(m, MSR_CSTAR, KERNEL_ENTRY, true);
	assert_int_equal(guest_reads(m, MSR_STAR), STAR);
	assert_int_equal(guest_reads(m, MSR_SFMASK), SFMASK);
	assert_int_equal(guest_reads(m, MSR_CSTAR), KERNEL_ENTRY);
	assert_int_equal(kvm_has(m, MSR_STAR), STAR);
	assert_int_equal(kvm_has(m, MSR_SFMASK), SFMASK);
	assert_int_equal(m->assist.syscall_path, ASSIST_SYSCALL_UNDECIDED);
}

static void other_msrs_are_not_ours(void **state)
{
	struct assist_machine *m = *state;

	m->vcpu.run->msr.index = MSR_MISC_ENABLE;
	assert_int_equal(assist_syscall_wrmsr(&m->av), ASSIST_NOT_OURS);
	assert_int_equal(assist_syscall_rdmsr(&m->av), ASSIST_NOT_OURS);
}

static void a_zero_lstar_decides_nothing(void **state)
{
	struct assist_machine *m = *state;

	guest_writes(m, MSR_LSTAR, 0, true);
	assert_int_equal(m->assist.syscall_path, ASSIST_SYSCALL_UNDECIDED);
	assert_int_equal(guest_reads(m, MSR_LSTAR), 0);
}

static void what_kvm_refuses_is_a_fault_and_is_forgotten(void **state)
{
	struct assist_machine *m = *state;

	m->assist.syscall_path = ASSIST_SYSCALL_NATIVE;
	guest_writes(m, MSR_LSTAR, KERNEL_ENTRY, true);
	guest_writes(m, MSR_LSTAR, 0x8000000000000000, false); /* not canonical */
	assert_int_equal(guest_reads(m, MSR_LSTAR), KERNEL_ENTRY);
	assert_int_equal(kvm_has(m, MSR_LSTAR), KERNEL_ENTRY);
}

static void use_trampoline_at(struct assist_machine *m, uint64_t gva)
{
	m->assist.syscall_path = ASSIST_SYSCALL_TRAMPOLINE;
	m->assist.trampoline_gva = gva;
	guest_writes(m, MSR_STAR, STAR, true);
	guest_writes(m, MSR_SFMASK, SFMASK, true);
	guest_writes(m, MSR_LSTAR, KERNEL_ENTRY, true);
}

static void the_guest_never_sees_the_trampolines_address(void **state)
{
	struct assist_machine *m = *state;

	use_trampoline_at(m, 0xffffffffff604000);
	assert_int_equal(kvm_has(m, MSR_LSTAR), 0xffffffffff604000);
	assert_int_equal(guest_reads(m, MSR_LSTAR), KERNEL_ENTRY);
}

static enum assist_verdict store_at(struct assist_machine *m, uint64_t rip, uint64_t doorbell, bool is_write)
{
	struct kvm_regs regs = {.rip = rip, .rflags = RFLAGS_FIXED | RFLAGS_IF, .r11 = RFLAGS_FIXED | RFLAGS_IF};

	assert_int_equal(kvm_vcpu_set_regs(&m->vcpu, &regs), 0);
	m->vcpu.run->mmio.phys_addr = doorbell;
	m->vcpu.run->mmio.is_write = is_write;
	return assist_syscall_mmio(&m->av);
}

static void the_doorbell_is_a_system_call(void **state)
{
	struct assist_machine *m = *state;
	struct kvm_sregs s;
	struct kvm_regs r;

	use_trampoline_at(m, 0xffffffffff604000);
	assert_int_equal(machine_set_mode(m, true), 0);
	assert_int_equal(store_at(m, 0xffffffffff604000, LAYOUT_ASSIST_MMIO, true), ASSIST_HANDLED);
	assert_int_equal(kvm_vcpu_get_regs(&m->vcpu, &r), 0);
	assert_int_equal(kvm_vcpu_get_sregs(&m->vcpu, &s), 0);
	assert_int_equal(r.rip, KERNEL_ENTRY);
	assert_int_equal(r.rflags, RFLAGS_FIXED);
	assert_int_equal(s.cs.selector, 0x10);
	assert_int_equal(s.ss.selector, 0x18);
	assert_int_equal(m->av.syscalls, 1);
}

static void other_stores_are_devices(void **state)
{
	struct assist_machine *m = *state;
	const uint64_t gva = 0xffffffffff604000;

	assert_int_equal(store_at(m, gva, LAYOUT_ASSIST_MMIO, true), ASSIST_NOT_OURS); /* no trampoline yet */
	use_trampoline_at(m, gva);
	assert_int_equal(machine_set_mode(m, true), 0);
	assert_int_equal(store_at(m, gva, LAYOUT_VIRTIO_MMIO, true), ASSIST_NOT_OURS);
	assert_int_equal(store_at(m, gva, LAYOUT_ASSIST_MMIO, false), ASSIST_NOT_OURS);
	assert_int_equal(store_at(m, gva + GUEST_PAGE_SIZE, LAYOUT_ASSIST_MMIO, true), ASSIST_NOT_OURS);
	assert_int_equal(machine_set_mode(m, false), 0); /* the kernel itself */
	assert_int_equal(store_at(m, gva, LAYOUT_ASSIST_MMIO, true), ASSIST_NOT_OURS);
	assert_int_equal(m->av.syscalls, 0);
}

static bool needs_trampoline(struct assist_machine *m)
{
	bool stays_in_user = false;

	assert_int_equal(assist_probe_syscall(&m->host, &stays_in_user), 0);
	return stays_in_user;
}

/* Entry 2 of the fixmap's table is 0xffffffffff602000, the first that is looked at. */
static void the_trampoline_goes_where_two_entries_are_free(void **state)
{
	struct assist_machine *m = *state;
	uint8_t code[9];
	uint64_t mmio_gva;

	*machine_entry(m, MACHINE_FIXMAP, 2) = 0x5000 | 0x3;
	*machine_entry(m, MACHINE_FIXMAP, 5) = 0x6000; /* not present, but in use */
	if (!needs_trampoline(m))
		skip();
	guest_writes(m, MSR_LSTAR, KERNEL_ENTRY, true);
	assert_int_equal(m->assist.syscall_path, ASSIST_SYSCALL_TRAMPOLINE);
	assert_int_equal(m->assist.trampoline_gva, 0xffffffffff606000);
	assert_int_equal(*machine_entry(m, MACHINE_FIXMAP, 6) & ~0xfffULL, LAYOUT_ASSIST_CODE);
	assert_int_equal(*machine_entry(m, MACHINE_FIXMAP, 6) & 7, 5);	 /* present, user, not writable */
	assert_int_equal(*machine_entry(m, MACHINE_FIXMAP, 7) >> 63, 1); /* not executable */
	assert_int_equal(guest_mem_read(&m->mem, gpa(LAYOUT_ASSIST_CODE), code, sizeof(code)), 0);
	assert_int_equal(code[0], 0xa2);
	memcpy(&mmio_gva, code + 1, sizeof(mmio_gva));
	assert_int_equal(mmio_gva, 0xffffffffff607000);
	assert_int_equal(*machine_entry(m, MACHINE_FIXMAP, 2), 0x5000 | 0x3);
	assert_int_equal(*machine_entry(m, MACHINE_FIXMAP, 5), 0x6000);
}

static void a_table_without_room_is_left_alone(void **state)
{
	struct assist_machine *m = *state;

	for (unsigned i = 0; i < 512; i += 2)
		*machine_entry(m, MACHINE_FIXMAP, i) = 0x5000 | 0x3;
	if (!needs_trampoline(m))
		skip();
	guest_writes(m, MSR_LSTAR, KERNEL_ENTRY, true);
	assert_int_equal(m->assist.syscall_path, ASSIST_SYSCALL_NO_ROOM);
	assert_int_equal(kvm_has(m, MSR_LSTAR), KERNEL_ENTRY);
	for (unsigned i = 0; i < 512; i++)
		assert_int_equal(*machine_entry(m, MACHINE_FIXMAP, i), i % 2 ? 0 : 0x5003);
}

/* A kernel that keeps user code out of the whole fixmap: the entries are taken back. */
static void an_unreachable_trampoline_is_taken_back(void **state)
{
	struct assist_machine *m = *state;

	*machine_entry(m, MACHINE_PML4, 511) &= ~4ULL;
	if (!needs_trampoline(m))
		skip();
	guest_writes(m, MSR_LSTAR, KERNEL_ENTRY, true);
	assert_int_equal(m->assist.syscall_path, ASSIST_SYSCALL_NO_ROOM);
	for (unsigned i = 0; i < 512; i++)
		assert_int_equal(*machine_entry(m, MACHINE_FIXMAP, i), 0);
}

int main(void)
{
	const struct CMUnitTest pure[] = {
		cmocka_unit_test(the_entry_is_the_kernels_at_cpl_0),
		cmocka_unit_test(the_selectors_rpl_is_dropped),
		cmocka_unit_test(the_mask_clears_its_flags_and_r11_keeps_them),
		cmocka_unit_test(flags_forged_in_r11_are_not_believed),
		cmocka_unit_test(interrupts_are_off_only_for_code_that_may_do_that),
	};
	const struct CMUnitTest with_kvm[] = {
		cmocka_unit_test_setup_teardown(plain_msrs_reach_kvm_and_come_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_msrs_are_not_ours, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_zero_lstar_decides_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_kvm_refuses_is_a_fault_and_is_forgotten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_guest_never_sees_the_trampolines_address, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_doorbell_is_a_system_call, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_stores_are_devices, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_trampoline_goes_where_two_entries_are_free, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_table_without_room_is_left_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_unreachable_trampoline_is_taken_back, set_up, tear_down),
	};
	int failed = cmocka_run_group_tests(pure, NULL, NULL), missing = without_kvm();

	if (failed || missing)
		return failed ? failed : missing;
	return cmocka_run_group_tests(with_kvm, NULL, NULL);
}
