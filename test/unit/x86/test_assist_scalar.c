/* SPDX-License-Identifier: Apache-2.0 */
/* clac/stac, int3, cmpxchg8b/16b, random numbers, invpcid, fences and what does nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>

#include "unit/x86/assist_native.h"

static void assert_exception(struct fixture *f, uint8_t vector)
{
	assert_int_equal(f->result.outcome, ASSIST_EXCEPTION);
	assert_int_equal(f->result.vector, vector);
	assert_int_equal(f->result.has_error_code, vector == VECTOR_GP || vector == VECTOR_PF);
	assert_int_equal(f->cpu.regs.rip, CODE_GVA);
}

static void user_can_execute(struct fixture *f)
{
	fixture_map(f, CODE_PAGE, PTE_P | PTE_U);
	fixture_set_user(f);
}

static void clac_and_stac_change_ac_alone(void **state)
{
	struct fixture *f = *state;

	f->cpu.regs.rflags = RFLAGS_FIXED | RFLAGS_CF | RFLAGS_IF | RFLAGS_RF;
	assert_int_equal(RUN(f, 0x0f, 0x01, 0xcb), ASSIST_COMPLETED);
	assert_int_equal(f->result.kind, ASSIST_STAC);
	assert_int_equal(f->cpu.regs.rflags, RFLAGS_FIXED | RFLAGS_CF | RFLAGS_IF | RFLAGS_AC);
	assert_int_equal(f->cpu.regs.rip, CODE_GVA + 3);
	assert_int_equal(RUN(f, 0x0f, 0x01, 0xca), ASSIST_COMPLETED);
	assert_int_equal(f->result.kind, ASSIST_CLAC);
	assert_int_equal(f->cpu.regs.rflags, RFLAGS_FIXED | RFLAGS_CF | RFLAGS_IF);
	assert_int_equal(f->cpu.regs.rip, CODE_GVA + 6);
}

static void supervisor_instructions_fault_in_user_code(void **state)
{
	struct fixture *f = *state;

	user_can_execute(f);
	RUN(f, 0x0f, 0x01, 0xcb);
	assert_exception(f, VECTOR_UD);
	RUN(f, 0x0f, 0x01, 0xca);
	assert_exception(f, VECTOR_UD);
	RUN(f, 0x0f, 0x09);
	assert_exception(f, VECTOR_GP);
	RUN(f, 0x66, 0x0f, 0x38, 0x82, 0x07);
	assert_exception(f, VECTOR_GP);
}

static void int3_traps_behind_itself(void **state)
{
	struct fixture *f = *state;
	struct kvm_regs expected = f->cpu.regs;

	expected.rip++;
	assert_int_equal(RUN(f, 0xcc), ASSIST_EXCEPTION);
	assert_int_equal(f->result.kind, ASSIST_INT3);
	assert_int_equal(f->result.vector, VECTOR_BP);
	assert_false(f->result.has_error_code);
	assert_memory_equal(&f->cpu.regs, &expected, sizeof(expected));
	f->cpu.regs.rip = CODE_GVA;
	RUN(f, 0xf0, 0xcc);
	assert_exception(f, VECTOR_UD);
}

static void check_cmpxchg(struct fixture *f, const uint8_t *code, size_t len, uint64_t *seed)
{
	uint64_t memory[2] = {random_next(seed), random_next(seed)};

	for (unsigned i = 0; i < 16; i++)
		*native_gpr_of(&f->cpu.regs, i) = random_next(seed);
	f->cpu.regs.rip = CODE_GVA;
	f->cpu.regs.rdi = DATA_GVA + random_next(seed) % 256 * 16;
	f->cpu.regs.rflags = (random_next(seed) & 0x8d5) | RFLAGS_FIXED | RFLAGS_IF;
	if (random_next(seed) & 1) {
		f->cpu.regs.rax = memory[0];
		f->cpu.regs.rdx = code[len - 3] == 0x48 ? memory[1] : memory[0] >> 32;
	}
	memcpy((void *)f->cpu.regs.rdi, memory, 16);
	fixture_put(f, f->cpu.regs.rdi, memory, 16);
	native_load_regs(&f->cpu.regs);
	native_run(code, len);
	assert_int_equal(fixture_run(f, code, len), ASSIST_COMPLETED);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(*native_gpr_of(&f->cpu.regs, i), native_block()->gpr[i]);
	assert_int_equal(f->cpu.regs.rflags & ~RFLAGS_IF, native_block()->rflags & ~RFLAGS_IF);
	fixture_get(f, f->cpu.regs.rdi, memory, 16);
	assert_memory_equal(memory, (void *)f->cpu.regs.rdi, 16);
}

static void exchanges_do_what_the_cpu_does(void **state)
{
	static const uint8_t wide[] = {0xf0, 0x48, 0x0f, 0xc7, 0x0f}, narrow[] = {0xf0, 0x0f, 0xc7, 0x0f};
	struct fixture *f = *state;
	unsigned a, b, c, d;
	uint64_t seed = 7;

	__cpuid(1, a, b, c, d);
	for (unsigned i = 0; i < 2000; i++) {
		unsigned bare = i & 1;

		if (c & bit_CMPXCHG16B)
			check_cmpxchg(f, wide + bare, sizeof(wide) - bare, &seed);
		check_cmpxchg(f, narrow + bare, sizeof(narrow) - bare, &seed);
	}
	if (!(c & bit_CMPXCHG16B))
		print_message("skipped, this CPU lacks it: cmpxchg16b\n");
}

static void cmpxchg16b_faults_as_a_write(void **state)
{
	struct fixture *f = *state;

	f->cpu.regs.rdi = DATA_GVA + 8;
	RUN(f, 0x48, 0x0f, 0xc7, 0x0f);
	assert_exception(f, VECTOR_GP);
	f->cpu.regs.rdi = DATA_GVA;
	f->cpu.regs.rax = 1; /* does not compare equal */
	fixture_map(f, DATA_PAGE, PTE_P);
	RUN(f, 0xf0, 0x48, 0x0f, 0xc7, 0x0f);
	assert_exception(f, VECTOR_PF);
	assert_int_equal(f->result.error_code, FAULT_P | FAULT_W);
	assert_int_equal(f->result.cr2, DATA_GVA);
	assert_int_equal(f->cpu.regs.rax, 1);
	/* A kernel that emulated it: 8 bytes unaligned are for KVM to do. */
	f->cpu.regs.rdi = DATA_GVA + 4;
	fixture_map(f, DATA_PAGE, PTE_P | PTE_W);
	assert_int_equal(RUN(f, 0x0f, 0xc7, 0x0f), ASSIST_UNKNOWN);
}

#define INCREMENTS 20000

static bool native_cmpxchg16b(uint64_t *at, uint64_t expected[2], uint64_t low, uint64_t high)
{
	bool done;

	__asm__ volatile("lock cmpxchg16b %1"
			 : "=@ccz"(done), "+m"(*(unsigned __int128 *)(void *)at), "+a"(expected[0]), "+d"(expected[1])
			 : "b"(low), "c"(high)
			 : "memory");
	return done;
}

static void *increment_natively(void *opaque)
{
	uint64_t seen[2] = {0, 0};

	for (unsigned i = 0; i < INCREMENTS; i++) {
		while (!native_cmpxchg16b(opaque, seen, seen[0] + 1, seen[1] + 3))
			;
	}
	return NULL;
}

static void assisted_and_native_exchanges_are_atomic_against_each_other(void **state)
{
	static const uint8_t code[] = {0xf0, 0x48, 0x0f, 0xc7, 0x0f};
	struct fixture *f = *state;
	struct kvm_regs *regs = &f->cpu.regs;
	uint64_t *counter = (uint64_t *)(void *)guest_mem_ptr(&f->mem, gpa(WINDOW_GPA + (DATA_PAGE ^ 1) * 4096ULL), 16);
	unsigned a, b, c, d;
	pthread_t thread;

	__cpuid(1, a, b, c, d);
	if (!(c & bit_CMPXCHG16B))
		skip();
	counter[0] = counter[1] = 0;
	regs->rdi = DATA_GVA;
	assert_int_equal(pthread_create(&thread, NULL, increment_natively, counter), 0);
	for (unsigned i = 0; i < INCREMENTS; i++) {
		do {
			regs->rip = CODE_GVA;
			regs->rbx = regs->rax + 1;
			regs->rcx = regs->rdx + 3;
			assert_int_equal(fixture_run(f, code, sizeof(code)), ASSIST_COMPLETED);
		} while (!(regs->rflags & RFLAGS_ZF));
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(counter[0], 2 * INCREMENTS);
	assert_int_equal(counter[1], 6 * INCREMENTS);
}

static void random_numbers_come_with_carry(void **state)
{
	struct fixture *f = *state;
	unsigned a, b, c, d, given = 0;
	uint64_t seen = 0;

	__cpuid(1, a, b, c, d);
	if (!(c & bit_RDRND))
		skip();
	for (unsigned i = 0; i < 64; i++) {
		f->cpu.regs.rip = CODE_GVA;
		f->cpu.regs.r9 = 0xaaaaaaaaaaaaaaaa;
		f->cpu.regs.rflags = RFLAGS_FIXED | RFLAGS_ZF | RFLAGS_OF;
		assert_int_equal(RUN(f, 0x66, 0x41, 0x0f, 0xc7, 0xf1), ASSIST_COMPLETED);
		assert_int_equal(f->cpu.regs.r9 >> 16, 0xaaaaaaaaaaaa);
		assert_int_equal(f->cpu.regs.rflags & ~RFLAGS_CF, RFLAGS_FIXED);
		given += f->cpu.regs.rflags & RFLAGS_CF ? 1 : 0;
		f->cpu.regs.rip = CODE_GVA;
		assert_int_equal(RUN(f, 0x49, 0x0f, 0xc7, 0xf1), ASSIST_COMPLETED);
		assert_int_equal(f->result.kind, ASSIST_RDRAND);
		seen |= f->cpu.regs.r9;
	}
	assert_true(given > 0);
	assert_int_equal(seen, UINT64_MAX);
}

static void bases_are_read_where_the_kernel_allows(void **state)
{
	struct fixture *f = *state;

	f->cpu.sregs.fs.base = 0x1122334455667788;
	f->cpu.sregs.gs.base = 0xffff888012345678;
	assert_int_equal(RUN(f, 0xf3, 0x48, 0x0f, 0xae, 0xc8), ASSIST_COMPLETED);
	assert_int_equal(f->cpu.regs.rax, 0xffff888012345678);
	f->cpu.regs.rip = CODE_GVA;
	assert_int_equal(RUN(f, 0xf3, 0x0f, 0xae, 0xc0), ASSIST_COMPLETED);
	assert_int_equal(f->cpu.regs.rax, 0x55667788);
	f->cpu.regs.rip = CODE_GVA;
	f->cpu.sregs.cr4 &= ~TEST_CR4_FSGSBASE;
	RUN(f, 0xf3, 0x0f, 0xae, 0xc0);
	assert_exception(f, VECTOR_UD);
}

struct invpcid_case {
	uint64_t type, pcid, address;
	bool faults;
};

static void invpcid_asks_for_a_flush(void **state)
{
	static const struct invpcid_case cases[] = {
		{0, 0, 0x1000, false},	  {1, 0, 0, false},	     {2, 0, 0, false}, {3, ~0ULL, ~0ULL, false},
		{4, 0, 0, true},	  {1, 0x1000, 0, true},	     {1, 5, 0, true},  {0, 0, 1ULL << 47, true},
		{1ULL << 32, 0, 0, true}, {2, 1ULL << 40, 0, false},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t descriptor[2] = {cases[i].pcid, cases[i].address};

		fixture_put(f, DATA_GVA, descriptor, sizeof(descriptor));
		f->cpu.regs.rip = CODE_GVA;
		f->cpu.regs.rdi = DATA_GVA;
		f->cpu.regs.rax = cases[i].type;
		RUN(f, 0x66, 0x0f, 0x38, 0x82, 0x07);
		assert_int_equal(f->result.flush_tlb, !cases[i].faults);
		if (cases[i].faults)
			assert_exception(f, VECTOR_GP);
		else
			assert_int_equal(f->result.outcome, ASSIST_COMPLETED);
	}
}

struct idle_case {
	const char *name;
	uint8_t code[9];
	uint8_t len;
	enum assist_kind kind;
};

static const struct idle_case idle[] = {
	{"pause", {0xf3, 0x90}, 2, ASSIST_NOP},
	{"endbr64", {0xf3, 0x0f, 0x1e, 0xfa}, 4, ASSIST_NOP},
	{"nopw 0x200(%rax,%rax,1)", {0x66, 0x0f, 0x1f, 0x84, 0, 0, 2, 0, 0}, 9, ASSIST_NOP},
	{"prefetcht0 (%rdi)", {0x0f, 0x18, 0x0f}, 3, ASSIST_NOP},
	{"prefetchw (%rdi)", {0x0f, 0x0d, 0x0f}, 3, ASSIST_NOP},
	{"lfence", {0x0f, 0xae, 0xe8}, 3, ASSIST_FENCE},
	{"mfence", {0x0f, 0xae, 0xf0}, 3, ASSIST_FENCE},
	{"sfence", {0x0f, 0xae, 0xf8}, 3, ASSIST_FENCE},
	{"serialize", {0x0f, 0x01, 0xe8}, 3, ASSIST_FENCE},
	{"clflush (%rdi)", {0x0f, 0xae, 0x3f}, 3, ASSIST_CACHE},
	{"clflushopt (%rdi)", {0x66, 0x0f, 0xae, 0x3f}, 4, ASSIST_CACHE},
	{"clwb (%rdi)", {0x66, 0x0f, 0xae, 0x37}, 4, ASSIST_CACHE},
	{"wbinvd", {0x0f, 0x09}, 2, ASSIST_CACHE},
	{"wbnoinvd", {0xf3, 0x0f, 0x09}, 3, ASSIST_CACHE},
};

static void what_does_nothing_is_stepped_over(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(idle); i++) {
		struct kvm_regs expected;

		f->cpu.regs.rip = CODE_GVA;
		f->cpu.regs.rdi = DATA_GVA;
		f->cpu.regs.rflags = RFLAGS_FIXED | RFLAGS_CF;
		expected = f->cpu.regs;
		expected.rip += idle[i].len;
		assert_int_equal(fixture_run(f, idle[i].code, idle[i].len), ASSIST_COMPLETED);
		assert_int_equal(f->result.kind, idle[i].kind);
		assert_memory_equal(&f->cpu.regs, &expected, sizeof(expected));
	}
	f->cpu.regs.rip = CODE_GVA;
	fixture_map(f, DATA_PAGE, 0);
	RUN(f, 0x0f, 0xae, 0x3f);
	assert_exception(f, VECTOR_PF);
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
		TEST(clac_and_stac_change_ac_alone),  TEST(supervisor_instructions_fault_in_user_code),
		TEST(int3_traps_behind_itself),	      TEST(exchanges_do_what_the_cpu_does),
		TEST(cmpxchg16b_faults_as_a_write),   TEST(assisted_and_native_exchanges_are_atomic_against_each_other),
		TEST(random_numbers_come_with_carry), TEST(bases_are_read_where_the_kernel_allows),
		TEST(invpcid_asks_for_a_flush),	      TEST(what_does_nothing_is_stepped_over),
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
