/* SPDX-License-Identifier: Apache-2.0 */
/* verr, verw, lar and lsl over a GDT and an LDT in guest memory. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/x86/assist_fixture.h"

#define GDT_GVA (DATA_GVA + 4096)
#define LDT_GVA (DATA_GVA + 8192)
#define NONE	(~0ULL)

/* Selector 8 * index. */
static const uint64_t gdt[] = {
	0x00cf92000000ffff, /* 0: never used */
	0x00af9b000000ffff, /* 1: 64-bit code, DPL 0 */
	0x00cf93000000ffff, /* 2: data, DPL 0 */
	0x00cff3000000ffff, /* 3: data, DPL 3 */
	0x00affb000000ffff, /* 4: 64-bit code, DPL 3 */
	0x0040f5000000f001, /* 5: CPU number and node in the limit: expand-down, read-only, accessed, DPL 3 */
	0x00cf9e000000ffff, /* 6: conforming code, readable, DPL 0 */
	0x00cf98000000ffff, /* 7: code, execute-only, DPL 0 */
	0x00008b0000002087, /* 8: TSS, busy */
	0x0000830000002087, /* 9: 16-bit TSS */
	0x00008c0000000000, /* 10: call gate */
	0x00008e0000000000, /* 11: interrupt gate */
};

struct segment_case {
	uint16_t selector;
	bool user;
	bool read, write;
	uint64_t rights, limit; /* NONE: not answered */
};

static const struct segment_case cases[] = {
	{0, false, false, false, NONE, NONE},
	{3, false, false, false, NONE, NONE},
	{1 << 3, false, true, false, 0xa09b00, 0xffffffff},
	{2 << 3, false, true, true, 0xc09300, 0xffffffff},
	{2 << 3 | 1, false, false, false, NONE, NONE},
	{2 << 3, true, false, false, NONE, NONE},
	{3 << 3 | 3, true, true, true, 0xc0f300, 0xffffffff},
	{4 << 3 | 3, true, true, false, 0xa0fb00, 0xffffffff},
	{5 << 3 | 3, true, true, false, 0x40f500, 0xf001},
	{6 << 3 | 3, true, true, false, 0xc09e00, 0xffffffff},
	{7 << 3, false, false, false, 0xc09800, 0xffffffff},
	{8 << 3, false, false, false, 0x8b00, 0x2087},
	{9 << 3, false, false, false, NONE, NONE},
	{10 << 3, false, false, false, 0x8c00, NONE},
	{11 << 3, false, false, false, NONE, NONE},
	{12 << 3, false, false, false, NONE, NONE},	       /* beyond the limit */
	{1 << 3 | 4, false, true, true, 0xc09300, 0xffffffff}, /* in the LDT */
	{2 << 3 | 4, false, false, false, NONE, NONE},
};

static void prepare(struct fixture *f, const struct segment_case *c)
{
	fixture_reset_cpu(f);
	if (c->user)
		fixture_set_user(f);
	f->cpu.sregs.cr4 |= CR4_SMAP;
	f->cpu.sregs.gdt.base = GDT_GVA;
	f->cpu.sregs.gdt.limit = sizeof(gdt) - 1;
	f->cpu.sregs.ldt = (struct kvm_segment){.base = LDT_GVA, .limit = 15, .present = 1};
	f->cpu.regs.rcx = 0xffffffffffff0000 | c->selector;
	f->cpu.regs.rax = 0x5555555555555555;
}

static void check_part(struct fixture *f, const struct segment_case *c, uint8_t opcode, uint64_t expected)
{
	prepare(f, c);
	assert_int_equal(RUN(f, 0x0f, opcode, 0xc1), ASSIST_COMPLETED);
	assert_int_equal(f->cpu.regs.rax, expected == NONE ? 0x5555555555555555 : expected);
	assert_int_equal(f->cpu.regs.rflags, RFLAGS_FIXED | (expected == NONE ? 0 : RFLAGS_ZF));
}

static void descriptors_are_judged_as_the_manual_says(void **state)
{
	struct fixture *f = *state;

	fixture_put(f, GDT_GVA, gdt, sizeof(gdt));
	fixture_put(f, LDT_GVA + 8, &gdt[2], 8);
	/* User code reads them too, though the tables are the supervisor's. */
	fixture_map(f, CODE_PAGE, PTE_P | PTE_U);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct segment_case *c = &cases[i];

		prepare(f, c);
		/* SMEP is off: supervisor code in a user page. */
		assert_int_equal(RUN(f, 0x0f, 0x00, 0xe1), ASSIST_COMPLETED);
		assert_int_equal(f->cpu.regs.rflags, RFLAGS_FIXED | (c->read ? RFLAGS_ZF : 0));
		assert_int_equal(RUN(f, 0x0f, 0x00, 0xe9), ASSIST_COMPLETED);
		assert_int_equal(f->cpu.regs.rflags, RFLAGS_FIXED | (c->write ? RFLAGS_ZF : 0));
		check_part(f, c, 0x02, c->rights);
		check_part(f, c, 0x03, c->limit);
	}
}

static void the_selector_may_be_in_memory(void **state)
{
	struct fixture *f = *state;
	uint16_t selector = 2 << 3;

	prepare(f, &cases[0]);
	fixture_put(f, GDT_GVA, gdt, sizeof(gdt));
	fixture_put(f, DATA_GVA, &selector, 2);
	f->cpu.regs.rdi = DATA_GVA;
	assert_int_equal(RUN(f, 0x0f, 0x00, 0x2f), ASSIST_COMPLETED);
	assert_int_equal(f->result.kind, ASSIST_VERW);
	assert_true(f->cpu.regs.rflags & RFLAGS_ZF);
	fixture_map(f, DATA_PAGE + 1, 0);
	assert_int_equal(RUN(f, 0x0f, 0x00, 0x2f), ASSIST_EXCEPTION);
	assert_int_equal(f->result.vector, VECTOR_PF);
	assert_int_equal(f->result.cr2, GDT_GVA + 16);
}

static int set_up(void **state)
{
	static struct fixture f;

	*state = &f;
	return fixture_init(&f);
}

static int tear_down(void **state)
{
	fixture_fini(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(descriptors_are_judged_as_the_manual_says, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_selector_may_be_in_memory, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
