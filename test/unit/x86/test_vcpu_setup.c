/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "boot/layout.h"
#include "support/kvm_machine.h"
#include "support/need_kvm.h"
#include "x86/arch.h"
#include "x86/vcpu_setup.h"

static void assert_flat(const struct kvm_segment *s, uint16_t selector, bool is_code, bool is_64bit)
{
	assert_int_equal(s->base, 0);
	assert_int_equal(s->limit, 0xffffffff);
	assert_int_equal(s->selector, selector);
	assert_int_equal(s->dpl, 0);
	assert_true(s->present && s->s && s->g);
	assert_int_equal((s->type & 8) != 0, is_code);
	assert_int_equal(s->l, is_64bit);
	assert_int_equal(s->db, !is_64bit);
}

static void assert_entry(const struct kvm_machine *m, const struct image_entry *entry)
{
	struct kvm_regs r;

	assert_int_equal(kvm_vcpu_get_regs(&m->vcpu, &r), 0);
	assert_int_equal(r.rip, entry->rip);
	assert_int_equal(r.rsp, entry->rsp);
	assert_int_equal(r.rax, entry->rax);
	assert_int_equal(r.rbx, entry->rbx);
	assert_int_equal(r.rsi, entry->rsi);
	assert_int_equal(r.rcx | r.rdx | r.rdi | r.rbp | r.r8 | r.r15, 0);
	assert_int_equal(r.rflags, RFLAGS_FIXED); /* interrupts off */
}

static void a_64_bit_entry_has_paging_on(void **state)
{
	const struct kvm_machine *m = *state;
	const struct image_entry entry = {
		.mode = IMAGE_CPU_LONG64, .rip = 0x1000000, .rsp = LAYOUT_BOOT_STACK, .rsi = LAYOUT_BOOT_PARAMS};
	struct kvm_sregs s;

	assert_int_equal(vcpu_setup_boot(&m->vcpu, &entry), 0);
	assert_entry(m, &entry);
	assert_int_equal(kvm_vcpu_get_sregs(&m->vcpu, &s), 0);
	assert_flat(&s.cs, LAYOUT_GDT_CODE, true, true);
	assert_flat(&s.ss, LAYOUT_GDT_DATA, false, false);
	assert_flat(&s.ds, LAYOUT_GDT_DATA, false, false);
	assert_true((s.cr0 & (CR0_PE | CR0_PG)) == (CR0_PE | CR0_PG));
	assert_true(s.cr4 & CR4_PAE);
	assert_int_equal(s.efer & (EFER_LME | EFER_LMA), EFER_LME | EFER_LMA);
	assert_int_equal(s.cr3, LAYOUT_PAGE_TABLES);
	assert_int_equal(s.gdt.base, LAYOUT_GDT);
	assert_int_equal(s.gdt.limit, LAYOUT_GDT_SIZE - 1);
}

static void a_32_bit_entry_has_paging_off(void **state)
{
	const struct kvm_machine *m = *state;
	const struct image_entry entry = {
		.mode = IMAGE_CPU_PROT32, .rip = 0x100000, .rax = 0x2badb002, .rbx = LAYOUT_START_INFO};
	struct kvm_sregs s;

	assert_int_equal(vcpu_setup_boot(&m->vcpu, &entry), 0);
	assert_entry(m, &entry);
	assert_int_equal(kvm_vcpu_get_sregs(&m->vcpu, &s), 0);
	assert_flat(&s.cs, LAYOUT_GDT_CODE, true, false);
	assert_flat(&s.es, LAYOUT_GDT_DATA, false, false);
	assert_int_equal(s.cr0 & (CR0_PE | CR0_PG), CR0_PE);
	assert_int_equal(s.efer, 0);
	assert_int_equal(s.cr4, 0);
}

static void the_pic_and_nmi_reach_the_cpu_and_memory_is_cached(void **state)
{
	const struct kvm_machine *m = *state;
	struct kvm_lapic_state lapic;
	uint64_t mtrr;

	assert_int_equal(vcpu_setup_common(&m->vcpu), 0);
	assert_int_equal(kvm_vcpu_get_lapic(&m->vcpu, &lapic), 0);
	assert_int_equal((uint8_t)lapic.regs[APIC_LVT_LINT0 + 1] & 7, 7); /* delivery mode ExtINT */
	assert_int_equal((uint8_t)lapic.regs[APIC_LVT_LINT0 + 2] & 1, 0); /* not masked */
	assert_int_equal((uint8_t)lapic.regs[APIC_LVT_LINT1 + 1] & 7, 4); /* NMI */
	assert_int_equal((uint8_t)lapic.regs[APIC_LVT_LINT1 + 2] & 1, 0);
	assert_int_equal(kvm_vcpu_get_msr(&m->vcpu, MSR_MTRR_DEF_TYPE, &mtrr), 0);
	assert_int_equal(mtrr, MTRR_ENABLE | MTRR_TYPE_WRITE_BACK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_64_bit_entry_has_paging_on, kvm_machine_set_up,
						kvm_machine_tear_down),
		cmocka_unit_test_setup_teardown(a_32_bit_entry_has_paging_off, kvm_machine_set_up,
						kvm_machine_tear_down),
		cmocka_unit_test_setup_teardown(the_pic_and_nmi_reach_the_cpu_and_memory_is_cached, kvm_machine_set_up,
						kvm_machine_tear_down),
	};
	int missing = without_kvm();

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
