/* SPDX-License-Identifier: Apache-2.0 */
/* x87 and SSE control instructions, FXSAVE and FXRSTOR: against native execution, and their exceptions. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/x86/assist_native.h"

#define ROUNDS 300
#define LEGACY 3ULL

/* CPU and fixture in the same random x87 and SSE state. @quiet: without a pending x87 exception. */
static void share_random_state(struct fixture *f, uint64_t *seed, bool quiet)
{
	static const uint8_t nop[] = {0x90};
	struct native_block *block = native_block();

	memset(block->before, 0, 576);
	for (unsigned i = 0; i < 416; i++)
		block->before[i] = (uint8_t)random_next(seed);
	block->before[7] &= 7;
	memset(block->before + 13, 0, 3);
	memset(block->before + 21, 0, 3);
	store_le32(block->before + 24, (uint32_t)random_next(seed) & 0xffbf);
	if (quiet)
		block->before[2] = 0;
	block->before[512] = 3;
	block->xmask = LEGACY;
	native_run(nop, 1);
	memset(f->xsave, 0, sizeof(f->xsave));
	memcpy(f->xsave, block->after, 416);
	f->xsave[512] = 3;
}

struct insn_case {
	const char *name;
	uint8_t code[4];
	uint8_t len;
	enum assist_kind kind;
	bool waits;
};

static const struct insn_case cases[] = {
	{"fninit", {0xdb, 0xe3}, 2, ASSIST_X87_CONTROL, false},
	{"fnclex", {0xdb, 0xe2}, 2, ASSIST_X87_CONTROL, false},
	{"emms", {0x0f, 0x77}, 2, ASSIST_X87_CONTROL, true},
	{"fldcw", {0xd9, 0x2f}, 2, ASSIST_X87_CONTROL, true},
	{"fnstcw", {0xd9, 0x3f}, 2, ASSIST_X87_CONTROL, false},
	{"fnstsw", {0xdd, 0x3f}, 2, ASSIST_X87_CONTROL, false},
	{"fnstsw %ax", {0xdf, 0xe0}, 2, ASSIST_X87_CONTROL, false},
	{"fwait", {0x9b}, 1, ASSIST_FWAIT, true},
	{"stmxcsr", {0x0f, 0xae, 0x1f}, 3, ASSIST_MXCSR, false},
	{"ldmxcsr", {0x0f, 0xae, 0x17}, 3, ASSIST_MXCSR, false},
	{"fxsave64", {0x48, 0x0f, 0xae, 0x07}, 4, ASSIST_FXSAVE, false},
	{"fxsave", {0x0f, 0xae, 0x07}, 3, ASSIST_FXSAVE, false},
	{"fxrstor64", {0x48, 0x0f, 0xae, 0x0f}, 4, ASSIST_FXRSTOR, false},
	{"fxrstor", {0x0f, 0xae, 0x0f}, 3, ASSIST_FXRSTOR, false},
};

/* Bytes valid for each instruction that reads: a control word, an MXCSR, an FXSAVE image. */
static void fill_memory(const struct insn_case *c, uint64_t *seed, uint8_t memory[512])
{
	for (unsigned i = 0; i < 512; i++)
		memory[i] = (uint8_t)random_next(seed);
	if (c->kind == ASSIST_MXCSR)
		store_le32(memory, load_le32(memory) & 0xffbf);
	if (c->kind != ASSIST_FXRSTOR)
		return;
	memory[7] &= 7;
	memset(memory + 13, 0, 3);
	memset(memory + 21, 0, 3);
	store_le32(memory + 24, load_le32(memory + 24) & 0xffbf);
}

static void check_case(struct fixture *f, const struct insn_case *c, uint64_t *seed)
{
	uint8_t memory[512];

	share_random_state(f, seed, c->waits);
	fill_memory(c, seed, memory);
	f->cpu.regs.rip = CODE_GVA;
	f->cpu.regs.rax = random_next(seed);
	f->cpu.regs.rdi = DATA_GVA + 4096 - 256 + random_next(seed) % 16 * 16;
	memcpy((void *)f->cpu.regs.rdi, memory, sizeof(memory));
	fixture_put(f, f->cpu.regs.rdi, memory, sizeof(memory));
	native_load_regs(&f->cpu.regs);
	native_run(c->code, c->len);

	assert_int_equal(fixture_run(f, c->code, c->len), ASSIST_COMPLETED);
	assert_int_equal(f->result.kind, c->kind);
	assert_int_equal(f->cpu.regs.rip, CODE_GVA + c->len);
	assert_int_equal(f->cpu.regs.rax, native_block()->gpr[0]);
	fixture_get(f, f->cpu.regs.rdi, memory, sizeof(memory));
	assert_memory_equal(memory, (void *)f->cpu.regs.rdi, sizeof(memory));
	assert_memory_equal(f->xsave, native_block()->after, 416);
	assert_int_equal(f->xsave[512], 3);
}

static void control_instructions_do_what_the_cpu_does(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = 6;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned round = 0; round < ROUNDS; round++)
			check_case(f, &cases[i], &seed);
	}
}

static void assert_exception(struct fixture *f, uint8_t vector)
{
	assert_int_equal(f->result.outcome, ASSIST_EXCEPTION);
	assert_int_equal(f->result.vector, vector);
	assert_int_equal(f->result.has_error_code, vector == VECTOR_GP);
	assert_int_equal(f->cpu.regs.rip, CODE_GVA);
	assert_int_equal(f->nr_set, 0);
}

static void a_device_marked_away_is_not_available(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool undefined = cases[i].kind == ASSIST_MXCSR || !strcmp(cases[i].name, "emms");

		fixture_reset_cpu(f);
		f->cpu.regs.rdi = DATA_GVA;
		f->cpu.sregs.cr0 |= CR0_TS;
		fixture_run(f, cases[i].code, cases[i].len);
		assert_exception(f, VECTOR_NM);
		if (cases[i].kind == ASSIST_FWAIT)
			continue;
		f->cpu.sregs.cr0 ^= CR0_TS | 1 << 2;
		fixture_run(f, cases[i].code, cases[i].len);
		assert_exception(f, undefined ? VECTOR_UD : VECTOR_NM);
	}
}

static void fwait_heeds_ts_only_with_mp(void **state)
{
	struct fixture *f = *state;

	f->cpu.sregs.cr0 = (f->cpu.sregs.cr0 | CR0_TS) & ~CR0_MP;
	assert_int_equal(RUN(f, 0x9b), ASSIST_COMPLETED);
	assert_int_equal(f->cpu.regs.rip, CODE_GVA + 1);
}

static void a_pending_exception_is_delivered_by_what_waits(void **state)
{
	struct fixture *f = *state;

	store_le16(f->xsave, 0x37e);
	store_le16(f->xsave + 2, 0x8081);
	f->xsave[512] = 1;
	f->cpu.regs.rdi = DATA_GVA;
	RUN(f, 0x9b);
	assert_exception(f, 16);
	RUN(f, 0xd9, 0x2f);
	assert_exception(f, 16);
	f->cpu.sregs.cr0 &= ~CR0_NE;
	assert_int_equal(RUN(f, 0x9b), ASSIST_UNKNOWN);
	/* Not by those that do not wait. */
	assert_int_equal(RUN(f, 0xdb, 0xe2), ASSIST_COMPLETED);
	f->cpu.regs.rip = CODE_GVA;
	assert_int_equal(RUN(f, 0x9b), ASSIST_COMPLETED);
}

static void reserved_mxcsr_bits_fault(void **state)
{
	static const uint8_t image[32] = {[26] = 1};
	struct fixture *f = *state;

	fixture_put(f, DATA_GVA, image, sizeof(image));
	f->cpu.regs.rdi = DATA_GVA;
	RUN(f, 0x0f, 0xae, 0x0f);
	assert_exception(f, VECTOR_GP);
	f->cpu.regs.rdi = DATA_GVA + 24;
	RUN(f, 0x0f, 0xae, 0x17);
	assert_exception(f, VECTOR_GP);
	RUN(f, 0x0f, 0xae, 0x0f);
	assert_exception(f, VECTOR_GP); /* the alignment */
}

static void fxsave_over_an_absent_page_writes_nothing(void **state)
{
	uint8_t before[256], after[256];
	struct fixture *f = *state;

	memset(before, 0x5a, sizeof(before));
	f->cpu.regs.rdi = DATA_GVA + 4096 - sizeof(before);
	fixture_put(f, f->cpu.regs.rdi, before, sizeof(before));
	fixture_map(f, DATA_PAGE + 1, 0);
	assert_int_equal(RUN(f, 0x0f, 0xae, 0x07), ASSIST_EXCEPTION);
	assert_int_equal(f->result.vector, VECTOR_PF);
	assert_int_equal(f->result.error_code, FAULT_W);
	assert_int_equal(f->result.cr2, DATA_GVA + 4096);
	fixture_get(f, f->cpu.regs.rdi, after, sizeof(after));
	assert_memory_equal(before, after, sizeof(after));
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
		cmocka_unit_test_setup_teardown(control_instructions_do_what_the_cpu_does, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_device_marked_away_is_not_available, set_up, tear_down),
		cmocka_unit_test_setup_teardown(fwait_heeds_ts_only_with_mp, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_pending_exception_is_delivered_by_what_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reserved_mxcsr_bits_fault, set_up, tear_down),
		cmocka_unit_test_setup_teardown(fxsave_over_an_absent_page_writes_nothing, set_up, tear_down),
	};
	unsigned a, b, c, d;
	int failed;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !native_init()) {
		print_message("no XSAVE, or no executable mapping at the addresses the test needs: skipped\n");
		return 77;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	native_fini();
	return failed;
}
