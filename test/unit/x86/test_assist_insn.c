/* SPDX-License-Identifier: Apache-2.0 */
/* The table of completed instructions: what is ours, what is not, and what a result says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/x86/assist_fixture.h"

struct unknown_case {
	const char *name;
	uint8_t code[6];
};

static const struct unknown_case unknown[] = {
	{"mov %eax, %ebx", {0x89, 0xc3}},
	{"hlt", {0xf4}},
	{"ud2", {0x0f, 0x0b}},
	{"vmcall", {0x0f, 0x01, 0xc1}},
	{"xsetbv", {0x0f, 0x01, 0xd1}},
	{"bsf %ebx, %eax", {0x0f, 0xbc, 0xc3}},
	{"stac with 66", {0x66, 0x0f, 0x01, 0xcb}},
	{"xsave with F3: ptwrite", {0xf3, 0x0f, 0xae, 0x27}},
	{"xsave to a register: none", {0x0f, 0xae, 0xe0}},
	{"movbe from a register: none", {0x0f, 0x38, 0xf0, 0xc3}},
	{"wrfsbase", {0xf3, 0x48, 0x0f, 0xae, 0xd0}},
	{"xchg %eax, %eax", {0x90}},
	{"vzeroupper", {0xc5, 0xf8, 0x77}},
	{"vaddps", {0xc5, 0xf4, 0x58, 0xc2}},
	{"VEX, map 9", {0xc4, 0xe9, 0x78, 0x12, 0xc0}},
	{"EVEX", {0x62, 0xf1, 0x7c, 0x48, 0x10, 0x07}},
};

static void what_is_not_in_the_table_is_left_alone(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		struct kvm_regs before = f->cpu.regs;

		if (fixture_run(f, unknown[i].code, sizeof(unknown[i].code)) != ASSIST_UNKNOWN)
			fail_msg("%s", unknown[i].name);
		assert_int_equal(f->result.kind, ASSIST_OTHER);
		assert_memory_equal(&f->cpu.regs, &before, sizeof(before));
		/* For the message that names it. */
		assert_int_equal(f->result.insn_len, ASSIST_MAX_INSN);
		assert_memory_equal(f->result.insn, unknown[i].code, sizeof(unknown[i].code));
	}
}

static void lock_is_for_exchanges_only(void **state)
{
	struct fixture *f = *state;

	f->cpu.regs.rdi = DATA_GVA;
	RUN(f, 0xf0, 0xf3, 0x0f, 0xb8, 0x07);
	assert_int_equal(f->result.outcome, ASSIST_EXCEPTION);
	assert_int_equal(f->result.vector, VECTOR_UD);
	assert_false(f->result.has_error_code);
	assert_int_equal(f->result.kind, ASSIST_POPCNT);
	assert_int_equal(RUN(f, 0xf0, 0x0f, 0xc7, 0x0f), ASSIST_COMPLETED);
	assert_int_equal(f->result.kind, ASSIST_CMPXCHG8B);
}

static void bases_are_of_64_bit_code_only(void **state)
{
	struct fixture *f = *state;

	fixture_set_32bit(f);
	RUN(f, 0xf3, 0x0f, 0xae, 0xc0);
	assert_int_equal(f->result.vector, VECTOR_UD);
}

static void every_kind_has_its_own_name(void **state)
{
	(void)state;
	for (enum assist_kind i = 0; i < ASSIST_KINDS; i++) {
		assert_non_null(assist_kind_name(i));
		for (enum assist_kind j = 0; j < i; j++)
			assert_string_not_equal(assist_kind_name(i), assist_kind_name(j));
	}
	assert_string_equal(assist_kind_name(ASSIST_CLAC), "clac");
	assert_string_equal(assist_kind_name(ASSIST_KINDS), "unknown");
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
		TEST(what_is_not_in_the_table_is_left_alone),
		TEST(lock_is_for_exchanges_only),
		TEST(bases_are_of_64_bit_code_only),
		TEST(every_kind_has_its_own_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
