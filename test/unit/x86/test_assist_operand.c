/* SPDX-License-Identifier: Apache-2.0 */
/* Memory operands: which exception, error code and CR2 each bad access gives, and that nothing has changed then. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "unit/x86/assist_fixture.h"

#define SECOND (DATA_GVA + 4096)

static const uint8_t load[] = {0x48, 0x0f, 0x38, 0xf0, 0x07};  /* movbe (%rdi), %rax */
static const uint8_t store[] = {0x48, 0x0f, 0x38, 0xf1, 0x07}; /* movbe %rax, (%rdi) */

struct straddle_case {
	uint64_t pte; /* of the second page */
	bool user, write;
	uint64_t cr4, rflags;
	int code; /* -1: completes */
};

static const struct straddle_case straddles[] = {
	{0, false, false, 0, 0, 0},
	{0, false, true, 0, 0, FAULT_W},
	{0, true, false, 0, 0, FAULT_U},
	{0, true, true, 0, 0, FAULT_U | FAULT_W},
	{PTE_P, false, false, 0, 0, -1},
	{PTE_P, false, true, 0, 0, FAULT_P | FAULT_W},
	{PTE_P | PTE_W, true, false, 0, 0, FAULT_P | FAULT_U},
	{PTE_P | PTE_W, true, true, 0, 0, FAULT_P | FAULT_U | FAULT_W},
	{PTE_P | PTE_W | PTE_U, true, true, 0, 0, -1},
	{PTE_P | PTE_U, true, true, 0, 0, FAULT_P | FAULT_U | FAULT_W},
	{PTE_P | PTE_W | PTE_U, false, true, CR4_SMAP, 0, FAULT_P | FAULT_W},
	{PTE_P | PTE_W | PTE_U, false, true, CR4_SMAP, RFLAGS_AC, -1},
};

static void check_straddle(struct fixture *f, const struct straddle_case *c)
{
	uint64_t before = 0x1122334455667788, after;
	uint64_t first = c->cr4 & CR4_SMAP ? 0 : PTE_U;
	struct kvm_regs regs;

	fixture_reset_cpu(f);
	fixture_map(f, CODE_PAGE, PTE_P | PTE_U);
	fixture_map(f, DATA_PAGE, PTE_P | PTE_W | first);
	fixture_map(f, DATA_PAGE + 1, c->pte);
	f->cpu.sregs.cr4 |= c->cr4;
	f->cpu.regs.rflags |= c->rflags;
	if (c->user)
		fixture_set_user(f);
	f->cpu.regs.rdi = SECOND - 5;
	f->cpu.regs.rax = 0xa1a2a3a4a5a6a7a8;
	fixture_put(f, SECOND - 5, &before, 8);
	regs = f->cpu.regs;
	fixture_run(f, c->write ? store : load, sizeof(load));
	fixture_get(f, SECOND - 5, &after, 8);
	if (c->code < 0) {
		assert_int_equal(f->result.outcome, ASSIST_COMPLETED);
		assert_int_equal(c->write ? after : f->cpu.regs.rax,
				 __builtin_bswap64(c->write ? f->cpu.regs.rax : before));
		return;
	}
	assert_int_equal(f->result.outcome, ASSIST_EXCEPTION);
	assert_int_equal(f->result.vector, VECTOR_PF);
	assert_true(f->result.has_error_code && f->result.has_cr2);
	assert_int_equal(f->result.error_code, c->code);
	assert_int_equal(f->result.cr2, SECOND);
	assert_int_equal(before, after);
	assert_memory_equal(&f->cpu.regs, &regs, sizeof(regs));
}

static void an_operand_over_two_pages_needs_both(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(straddles); i++)
		check_straddle(*state, &straddles[i]);
}

static void assert_code0(struct fixture *f, uint8_t vector)
{
	assert_int_equal(f->result.outcome, ASSIST_EXCEPTION);
	assert_int_equal(f->result.vector, vector);
	assert_true(f->result.has_error_code);
	assert_int_equal(f->result.error_code, 0);
	assert_false(f->result.has_cr2);
	assert_int_equal(f->cpu.regs.rip, CODE_GVA);
}

static void addresses_must_be_canonical(void **state)
{
	struct fixture *f = *state;

	f->cpu.regs.rdi = 1ULL << 47;
	fixture_run(f, load, sizeof(load));
	assert_code0(f, VECTOR_GP);
	f->cpu.regs.rdi = (1ULL << 47) - 7;
	fixture_run(f, load, sizeof(load));
	assert_code0(f, VECTOR_GP);
	f->cpu.regs.rdi = 0xffff7fffffffffff;
	fixture_run(f, load, sizeof(load));
	assert_code0(f, VECTOR_GP);
	/* Through the stack's segment, and not when another is named. */
	f->cpu.regs.rbp = f->cpu.regs.rsp = f->cpu.regs.r13 = 1ULL << 47;
	RUN(f, 0x48, 0x0f, 0x38, 0xf0, 0x45, 0x00);
	assert_code0(f, VECTOR_SS);
	RUN(f, 0x48, 0x0f, 0x38, 0xf0, 0x04, 0x24);
	assert_code0(f, VECTOR_SS);
	RUN(f, 0x64, 0x48, 0x0f, 0x38, 0xf0, 0x04, 0x24);
	assert_code0(f, VECTOR_GP);
	RUN(f, 0x49, 0x0f, 0x38, 0xf0, 0x45, 0x00);
	assert_code0(f, VECTOR_GP);
	/* With 57 bits it is an address like others. */
	f->cpu.sregs.cr4 |= CR4_LA57;
	f->cpu.sregs.cr3 = 0x8000;
	*(uint64_t *)(void *)guest_mem_ptr(&f->mem, gpa(0x8000), 8) = TABLE_GPA | PTE_P | PTE_W;
	f->cpu.regs.rdi = 1ULL << 47;
	fixture_run(f, load, sizeof(load));
	assert_int_equal(f->result.vector, VECTOR_PF);
}

static void segments_limit_code_of_32_bits(void **state)
{
	static const uint8_t load32[] = {0x0f, 0x38, 0xf0, 0x07}, store32[] = {0x0f, 0x38, 0xf1, 0x07};
	struct fixture *f = *state;
	struct kvm_segment *ds = &f->cpu.sregs.ds;

	fixture_set_32bit(f);
	f->cpu.regs.rdi = DATA_GVA;
	ds->limit = DATA_GVA + 3;
	assert_int_equal(fixture_run(f, load32, 4), ASSIST_COMPLETED);
	f->cpu.regs.rip = CODE_GVA;
	ds->limit = DATA_GVA + 2;
	fixture_run(f, load32, 4);
	assert_code0(f, VECTOR_GP);
	ds->limit = ~0u;
	ds->type = 1; /* read-only */
	fixture_run(f, store32, 4);
	assert_code0(f, VECTOR_GP);
	assert_int_equal(fixture_run(f, load32, 4), ASSIST_COMPLETED);
	f->cpu.regs.rip = CODE_GVA;
	ds->type = 7; /* expand-down */
	ds->limit = DATA_GVA;
	fixture_run(f, load32, 4);
	assert_code0(f, VECTOR_GP);
	ds->limit = DATA_GVA - 1;
	assert_int_equal(fixture_run(f, load32, 4), ASSIST_COMPLETED);
	f->cpu.regs.rip = CODE_GVA;
	ds->unusable = 1;
	fixture_run(f, load32, 4);
	assert_code0(f, VECTOR_GP);
	f->cpu.sregs.ss.limit = 0;
	f->cpu.regs.rbp = DATA_GVA;
	RUN(f, 0x0f, 0x38, 0xf0, 0x45, 0x00);
	assert_code0(f, VECTOR_SS);
	/* A code segment: readable through CS, never writable. */
	f->cpu.regs.rdi = DATA_GVA;
	assert_int_equal(RUN(f, 0x2e, 0x0f, 0x38, 0xf0, 0x07), ASSIST_COMPLETED);
	f->cpu.regs.rip = CODE_GVA;
	RUN(f, 0x2e, 0x0f, 0x38, 0xf1, 0x07);
	assert_code0(f, VECTOR_GP);
	/* ES, named although nothing of ours defaults to it. */
	assert_int_equal(RUN(f, 0x26, 0x0f, 0x38, 0xf0, 0x07), ASSIST_COMPLETED);
}

static void memory_that_is_not_ram_is_a_host_error(void **state)
{
	struct fixture *f = *state;

	*fixture_entry(f, 1, DATA_PAGE) = 0xfee00000 | PTE_P | PTE_W;
	f->cpu.regs.rdi = DATA_GVA;
	assert_int_equal(fixture_run(f, load, sizeof(load)), ASSIST_FAILED);
	assert_int_equal(f->result.error, -ENXIO);
	assert_int_equal(RUN(f, 0x48, 0x0f, 0xc7, 0x0f), ASSIST_FAILED);
	assert_int_equal(f->cpu.regs.rip, CODE_GVA);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_operand_over_two_pages_needs_both),
		TEST(addresses_must_be_canonical),
		TEST(segments_limit_code_of_32_bits),
		TEST(memory_that_is_not_ram_is_a_host_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
