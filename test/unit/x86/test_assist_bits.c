/* SPDX-License-Identifier: Apache-2.0 */
/* Each bit instruction against its native execution on the same registers, flags and memory. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "unit/x86/assist_native.h"

#define ROUNDS 400

#define ARITH (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)
#define COZS  (RFLAGS_CF | RFLAGS_OF | RFLAGS_ZF | RFLAGS_SF)

enum feature {
	POPCNT,
	LZCNT,
	SSE42,
	BMI1,
	BMI2,
	ADX,
	MOVBE,
};

struct insn_case {
	const char *name;
	enum feature feature;
	uint64_t defined; /* flags that are not left undefined */
	uint8_t code[12];
	uint8_t len;
};

#define BYTES(...) {__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

/* Memory operands are at (%rdi), which is never a destination. */
/* clang-format off */
static const struct insn_case cases[] = {
	{"popcnt %ebx, %eax", POPCNT, ARITH, BYTES(0xf3, 0x0f, 0xb8, 0xc3)},
	{"popcnt %r9, %r15", POPCNT, ARITH, BYTES(0xf3, 0x4d, 0x0f, 0xb8, 0xf9)},
	{"popcnt %bx, %ax", POPCNT, ARITH, BYTES(0x66, 0xf3, 0x0f, 0xb8, 0xc3)},
	{"popcnt (%rdi), %r8", POPCNT, ARITH, BYTES(0xf3, 0x4c, 0x0f, 0xb8, 0x07)},
	{"popcnt 2(%rdi), %ax", POPCNT, ARITH, BYTES(0xf3, 0x66, 0x0f, 0xb8, 0x47, 0x02)},
	{"popcnt 4(%edi), %eax", POPCNT, ARITH, BYTES(0x67, 0xf3, 0x0f, 0xb8, 0x47, 0x04)},
	{"tzcnt %bx, %ax", BMI1, RFLAGS_CF | RFLAGS_ZF, BYTES(0x66, 0xf3, 0x0f, 0xbc, 0xc3)},
	{"tzcnt %ebx, %eax", BMI1, RFLAGS_CF | RFLAGS_ZF, BYTES(0xf3, 0x0f, 0xbc, 0xc3)},
	{"tzcnt (%rdi), %rdx", BMI1, RFLAGS_CF | RFLAGS_ZF, BYTES(0xf3, 0x48, 0x0f, 0xbc, 0x17)},
	{"lzcnt %bx, %ax", LZCNT, RFLAGS_CF | RFLAGS_ZF, BYTES(0x66, 0xf3, 0x0f, 0xbd, 0xc3)},
	{"lzcnt %ebx, %eax", LZCNT, RFLAGS_CF | RFLAGS_ZF, BYTES(0xf3, 0x0f, 0xbd, 0xc3)},
	{"lzcnt (%rdi), %rdx", LZCNT, RFLAGS_CF | RFLAGS_ZF, BYTES(0xf3, 0x48, 0x0f, 0xbd, 0x17)},
	{"crc32b %bl, %eax", SSE42, ARITH, BYTES(0xf2, 0x0f, 0x38, 0xf0, 0xc3)},
	{"crc32b %bh, %eax", SSE42, ARITH, BYTES(0xf2, 0x0f, 0x38, 0xf0, 0xc7)},
	{"crc32b %dil, %eax", SSE42, ARITH, BYTES(0xf2, 0x40, 0x0f, 0x38, 0xf0, 0xc7)},
	{"crc32b (%rdi), %rax", SSE42, ARITH, BYTES(0xf2, 0x48, 0x0f, 0x38, 0xf0, 0x07)},
	{"crc32w %bx, %eax", SSE42, ARITH, BYTES(0x66, 0xf2, 0x0f, 0x38, 0xf1, 0xc3)},
	{"crc32l %ebx, %eax", SSE42, ARITH, BYTES(0xf2, 0x0f, 0x38, 0xf1, 0xc3)},
	{"crc32q (%rdi), %r8", SSE42, ARITH, BYTES(0xf2, 0x4c, 0x0f, 0x38, 0xf1, 0x07)},
	{"adcx %ebx, %eax", ADX, ARITH, BYTES(0x66, 0x0f, 0x38, 0xf6, 0xc3)},
	{"adcx (%rdi), %rax", ADX, ARITH, BYTES(0x66, 0x48, 0x0f, 0x38, 0xf6, 0x07)},
	{"adox %ebx, %eax", ADX, ARITH, BYTES(0xf3, 0x0f, 0x38, 0xf6, 0xc3)},
	{"adox %r9, %rax", ADX, ARITH, BYTES(0xf3, 0x49, 0x0f, 0x38, 0xf6, 0xc1)},
	{"andn %ebx, %ecx, %eax", BMI1, COZS, BYTES(0xc4, 0xe2, 0x70, 0xf2, 0xc3)},
	{"andn (%rdi), %r9, %rax", BMI1, COZS, BYTES(0xc4, 0xe2, 0xb0, 0xf2, 0x07)},
	{"blsr %ebx, %eax", BMI1, COZS, BYTES(0xc4, 0xe2, 0x78, 0xf3, 0xcb)},
	{"blsr (%rdi), %rax", BMI1, COZS, BYTES(0xc4, 0xe2, 0xf8, 0xf3, 0x0f)},
	{"blsmsk %ebx, %eax", BMI1, COZS, BYTES(0xc4, 0xe2, 0x78, 0xf3, 0xd3)},
	{"blsmsk %rbx, %rax", BMI1, COZS, BYTES(0xc4, 0xe2, 0xf8, 0xf3, 0xd3)},
	{"blsi %ebx, %eax", BMI1, COZS, BYTES(0xc4, 0xe2, 0x78, 0xf3, 0xdb)},
	{"blsi %r10, %r11", BMI1, COZS, BYTES(0xc4, 0xc2, 0xa0, 0xf3, 0xda)},
	{"bextr %ecx, %ebx, %eax", BMI1, RFLAGS_CF | RFLAGS_OF | RFLAGS_ZF, BYTES(0xc4, 0xe2, 0x70, 0xf7, 0xc3)},
	{"bextr %rcx, (%rdi), %rax", BMI1, RFLAGS_CF | RFLAGS_OF | RFLAGS_ZF, BYTES(0xc4, 0xe2, 0xf0, 0xf7, 0x07)},
	{"bzhi %ecx, %ebx, %eax", BMI2, COZS, BYTES(0xc4, 0xe2, 0x70, 0xf5, 0xc3)},
	{"bzhi %rcx, (%rdi), %rax", BMI2, COZS, BYTES(0xc4, 0xe2, 0xf0, 0xf5, 0x07)},
	{"shlx %ecx, %ebx, %eax", BMI2, ARITH, BYTES(0xc4, 0xe2, 0x71, 0xf7, 0xc3)},
	{"shlx %rcx, (%rdi), %rax", BMI2, ARITH, BYTES(0xc4, 0xe2, 0xf1, 0xf7, 0x07)},
	{"sarx %ecx, %ebx, %eax", BMI2, ARITH, BYTES(0xc4, 0xe2, 0x72, 0xf7, 0xc3)},
	{"sarx %rcx, %rbx, %rax", BMI2, ARITH, BYTES(0xc4, 0xe2, 0xf2, 0xf7, 0xc3)},
	{"shrx %ecx, %ebx, %eax", BMI2, ARITH, BYTES(0xc4, 0xe2, 0x73, 0xf7, 0xc3)},
	{"shrx %rcx, %rbx, %rax", BMI2, ARITH, BYTES(0xc4, 0xe2, 0xf3, 0xf7, 0xc3)},
	{"rorx $7, %ebx, %eax", BMI2, ARITH, BYTES(0xc4, 0xe3, 0x7b, 0xf0, 0xc3, 0x07)},
	{"rorx $32, %ebx, %eax", BMI2, ARITH, BYTES(0xc4, 0xe3, 0x7b, 0xf0, 0xc3, 0x20)},
	{"rorx $61, (%rdi), %rax", BMI2, ARITH, BYTES(0xc4, 0xe3, 0xfb, 0xf0, 0x07, 0x3d)},
	{"mulx %ebx, %ecx, %eax", BMI2, ARITH, BYTES(0xc4, 0xe2, 0x73, 0xf6, 0xc3)},
	{"mulx (%rdi), %rcx, %rax", BMI2, ARITH, BYTES(0xc4, 0xe2, 0xf3, 0xf6, 0x07)},
	{"mulx %rbx, %rax, %rax", BMI2, ARITH, BYTES(0xc4, 0xe2, 0xfb, 0xf6, 0xc3)},
	{"pdep %ebx, %ecx, %eax", BMI2, ARITH, BYTES(0xc4, 0xe2, 0x73, 0xf5, 0xc3)},
	{"pdep (%rdi), %rcx, %rax", BMI2, ARITH, BYTES(0xc4, 0xe2, 0xf3, 0xf5, 0x07)},
	{"pext %ebx, %ecx, %eax", BMI2, ARITH, BYTES(0xc4, 0xe2, 0x72, 0xf5, 0xc3)},
	{"pext (%rdi), %rcx, %rax", BMI2, ARITH, BYTES(0xc4, 0xe2, 0xf2, 0xf5, 0x07)},
	{"movbe (%rdi), %ax", MOVBE, ARITH, BYTES(0x66, 0x0f, 0x38, 0xf0, 0x07)},
	{"movbe (%rdi), %eax", MOVBE, ARITH, BYTES(0x0f, 0x38, 0xf0, 0x07)},
	{"movbe 3(%rdi), %r9", MOVBE, ARITH, BYTES(0x4c, 0x0f, 0x38, 0xf0, 0x4f, 0x03)},
	{"movbe %ax, (%rdi)", MOVBE, ARITH, BYTES(0x66, 0x0f, 0x38, 0xf1, 0x07)},
	{"movbe %eax, (%rdi)", MOVBE, ARITH, BYTES(0x0f, 0x38, 0xf1, 0x07)},
	{"movbe %r9, 3(%rdi)", MOVBE, ARITH, BYTES(0x4c, 0x0f, 0x38, 0xf1, 0x4f, 0x03)},
};
/* clang-format on */

static bool has_feature(enum feature feature)
{
	unsigned a, b1, b7, c1, c81, d;
	unsigned a7, c7;

	__cpuid(1, a, b1, c1, d);
	__cpuid_count(7, 0, a7, b7, c7, d);
	__cpuid(0x80000001, a, b1, c81, d);
	switch (feature) {
	case POPCNT:
		return c1 & bit_POPCNT;
	case LZCNT:
		return c81 & bit_LZCNT;
	case SSE42:
		return c1 & bit_SSE4_2;
	case BMI1:
		return b7 & bit_BMI;
	case BMI2:
		return b7 & bit_BMI2;
	case ADX:
		return b7 & bit_ADX;
	case MOVBE:
		return c1 & bit_MOVBE;
	}
	return false;
}

static void check_case(struct fixture *f, const struct insn_case *c, uint64_t *seed)
{
	uint8_t memory[32];
	uint64_t pc = f->cpu.regs.rip;
	uint64_t operand;

	for (unsigned i = 0; i < 16; i++)
		*native_gpr_of(&f->cpu.regs, i) = random_operand(seed);
	f->cpu.regs.rdi = DATA_GVA + 4096 - 8 + random_next(seed) % 16;
	f->cpu.regs.rflags = (random_next(seed) & ARITH) | RFLAGS_FIXED | RFLAGS_IF;
	for (unsigned i = 0; i < sizeof(memory); i += 8) {
		operand = random_operand(seed);
		memcpy(memory + i, &operand, 8);
	}
	memcpy((void *)f->cpu.regs.rdi, memory, sizeof(memory));
	fixture_put(f, f->cpu.regs.rdi, memory, sizeof(memory));
	native_load_regs(&f->cpu.regs);
	native_run(c->code, c->len);

	assert_int_equal(fixture_run(f, c->code, c->len), ASSIST_COMPLETED);
	assert_int_equal(f->cpu.regs.rip, pc + c->len);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(*native_gpr_of(&f->cpu.regs, i), native_block()->gpr[i]);
	assert_int_equal(f->cpu.regs.rflags & c->defined, native_block()->rflags & c->defined);
	assert_int_equal(f->cpu.regs.rflags & ~ARITH, RFLAGS_FIXED | RFLAGS_IF);
	fixture_get(f, f->cpu.regs.rdi, memory, sizeof(memory));
	assert_memory_equal(memory, (void *)f->cpu.regs.rdi, sizeof(memory));
	f->cpu.regs.rip = pc;
}

static void bit_instructions_do_what_the_cpu_does(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = 1;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!has_feature(cases[i].feature)) {
			print_message("skipped, this CPU lacks it: %s\n", cases[i].name);
			continue;
		}
		for (unsigned round = 0; round < ROUNDS; round++)
			check_case(f, &cases[i], &seed);
	}
}

static void vex_with_a_vector_length_or_a_prefix_is_undefined(void **state)
{
	struct fixture *f = *state;

	/* andn with VEX.L set; with 66 before it. */
	assert_int_equal(RUN(f, 0xc4, 0xe2, 0x74, 0xf2, 0xc3), ASSIST_EXCEPTION);
	assert_int_equal(f->result.vector, VECTOR_UD);
	assert_int_equal(RUN(f, 0x66, 0xc4, 0xe2, 0x70, 0xf2, 0xc3), ASSIST_EXCEPTION);
	assert_int_equal(f->result.vector, VECTOR_UD);
	assert_int_equal(f->cpu.regs.rip, CODE_GVA);
}

static void count_over_an_absent_page_faults_and_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct kvm_regs before;

	fixture_map(f, DATA_PAGE + 1, 0);
	f->cpu.regs.rdi = DATA_GVA + 4096 - 3;
	f->cpu.regs.rax = 77;
	before = f->cpu.regs;
	assert_int_equal(RUN(f, 0xf3, 0x48, 0x0f, 0xb8, 0x07), ASSIST_EXCEPTION);
	assert_int_equal(f->result.kind, ASSIST_POPCNT);
	assert_int_equal(f->result.vector, VECTOR_PF);
	assert_true(f->result.has_error_code);
	assert_int_equal(f->result.error_code, 0);
	assert_true(f->result.has_cr2);
	assert_int_equal(f->result.cr2, DATA_GVA + 4096);
	assert_memory_equal(&f->cpu.regs, &before, sizeof(before));
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
		cmocka_unit_test_setup_teardown(bit_instructions_do_what_the_cpu_does, set_up, tear_down),
		cmocka_unit_test_setup_teardown(vex_with_a_vector_length_or_a_prefix_is_undefined, set_up, tear_down),
		cmocka_unit_test_setup_teardown(count_over_an_absent_page_faults_and_changes_nothing, set_up,
						tear_down),
	};
	int failed;

	if (!native_init()) {
		print_message("no executable mapping at the addresses the test needs: skipped\n");
		return 77;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	native_fini();
	return failed;
}
