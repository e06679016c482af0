/* SPDX-License-Identifier: Apache-2.0 */
/* Prefixes, address forms and instruction fetch, seen through instructions that load or store at the address. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/x86/assist_native.h"

/* Fills the window's data pages with what tells its own address: the 64-bit value at a is a. */
static void fill_with_addresses(struct fixture *f)
{
	for (uint64_t at = DATA_GVA; at < DATA_GVA + DATA_PAGES * GUEST_PAGE_SIZE; at += 8)
		fixture_put(f, at, &at, 8);
}

struct address_case {
	const char *text; /* of a popcnt to rax, whose operand's address we want */
	uint8_t code[14];
	uint8_t len;
	uint64_t offset; /* of the operand from DATA_GVA */
};

#define BYTES(...) {__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

/* rbx, rbp, rsp, r12, r13 = DATA_GVA; rcx = 0x40; r9 = 0x10; FS base = DATA_GVA + 0x1000; RIP = DATA_GVA + 0x800.
 * The instruction is movbe m64, %rax: 48 0f 38 f0 /r. */
/* clang-format off */
static const struct address_case addresses[] = {
	{"(%rbx)", BYTES(0x48, 0x0f, 0x38, 0xf0, 0x03), 0},
	{"0x18(%rbx)", BYTES(0x48, 0x0f, 0x38, 0xf0, 0x43, 0x18), 0x18},
	{"0x208(%rbx)", BYTES(0x48, 0x0f, 0x38, 0xf0, 0x83, 0x08, 0x02, 0, 0), 0x208},
	{"(%rbx,%rcx)", BYTES(0x48, 0x0f, 0x38, 0xf0, 0x04, 0x0b), 0x40},
	{"-8(%rbx,%rcx,8)", BYTES(0x48, 0x0f, 0x38, 0xf0, 0x44, 0xcb, 0xf8), 0x1f8},
	{"(%rsp)", BYTES(0x48, 0x0f, 0x38, 0xf0, 0x04, 0x24), 0},
	{"0x10(%rsp,%rcx,2)", BYTES(0x48, 0x0f, 0x38, 0xf0, 0x44, 0x4c, 0x10), 0x90},
	{"(%r12)", BYTES(0x49, 0x0f, 0x38, 0xf0, 0x04, 0x24), 0},
	{"0(%rbp)", BYTES(0x48, 0x0f, 0x38, 0xf0, 0x45, 0), 0},
	{"8(%r13)", BYTES(0x49, 0x0f, 0x38, 0xf0, 0x45, 8), 8},
	{"0(%r13,%r9,4)", BYTES(0x4b, 0x0f, 0x38, 0xf0, 0x44, 0x8d, 0), 0x40},
	{"DATA_GVA+0x20, absolute", BYTES(0x48, 0x0f, 0x38, 0xf0, 0x04, 0x25, 0x20, 0x80, 0x00, 0x20), 0x20},
	{"DATA_GVA(,%rcx,4)", BYTES(0x48, 0x0f, 0x38, 0xf0, 0x04, 0x8d, 0x00, 0x80, 0x00, 0x20), 0x100},
	{"(,%r12d)",
	 BYTES(0x67, 0x4a, 0x0f, 0x38, 0xf0, 0x04, 0x25, 0x00, 0x00, 0x00, 0x00), 0},
	{"0x37(%rip)", BYTES(0x48, 0x0f, 0x38, 0xf0, 0x05, 0x37, 0, 0, 0), 0x840},
	{"-0x9(%rip)", BYTES(0x48, 0x0f, 0x38, 0xf0, 0x05, 0xf7, 0xff, 0xff, 0xff), 0x800},
	{"%fs:(%rcx)", BYTES(0x64, 0x48, 0x0f, 0x38, 0xf0, 0x01), 0x1040},
	{"%fs:(%ecx)", BYTES(0x64, 0x67, 0x48, 0x0f, 0x38, 0xf0, 0x01), 0x1040},
	{"%ds:%fs:(%rcx), the first without effect", BYTES(0x3e, 0x64, 0x48, 0x0f, 0x38, 0xf0, 0x01), 0x1040},
	{"%fs:%ds:(%rcx), the second without effect", BYTES(0x64, 0x3e, 0x48, 0x0f, 0x38, 0xf0, 0x01), 0x1040},
	{"%gs:(%rbx), base 0", BYTES(0x65, 0x48, 0x0f, 0x38, 0xf0, 0x03), 0},
	{"8(%ebx)", BYTES(0x67, 0x48, 0x0f, 0x38, 0xf0, 0x43, 0x08), 8},
};
/* clang-format on */

static void set_registers(struct fixture *f)
{
	struct kvm_regs *r = &f->cpu.regs;

	memset(r, 0, sizeof(*r));
	r->rbx = r->rbp = r->rsp = r->r12 = r->r13 = DATA_GVA;
	r->rcx = 0x40;
	r->r9 = 0x10;
	r->rflags = RFLAGS_FIXED;
	r->rip = DATA_GVA + 0x800;
	f->cpu.sregs.fs.base = DATA_GVA + 0x1000;
}

/* In 64-bit code only FS and GS have bases. */
static void set_ignored_bases(struct fixture *f)
{
	f->cpu.sregs.ds.base = f->cpu.sregs.es.base = f->cpu.sregs.ss.base = f->cpu.sregs.cs.base = 0x5000;
}

static void every_address_form_is_understood(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		const struct address_case *c = &addresses[i];
		uint64_t at = DATA_GVA + c->offset;

		set_registers(f);
		set_ignored_bases(f);
		fill_with_addresses(f);
		fixture_put(f, f->cpu.regs.rip, c->code, c->len);
		if (c->offset != 0x800)
			fixture_put(f, at, &at, 8);
		fixture_get(f, at, &at, 8);
		assist_insn_complete(&f->cpu, &f->result);
		assert_int_equal(f->result.outcome, ASSIST_COMPLETED);
		if (f->cpu.regs.rax != __builtin_bswap64(at))
			fail_msg("%s", c->text);
		assert_int_equal(f->cpu.regs.rip, DATA_GVA + 0x800 + c->len);
	}
}

static void a_rex_before_a_legacy_prefix_is_ignored(void **state)
{
	struct fixture *f = *state;

	f->cpu.regs.rax = 0x1111111111111111;
	f->cpu.regs.rbx = UINT64_MAX;
	/* rex.w f3 popcnt %ebx, %eax: 32 bits */
	assert_int_equal(RUN(f, 0x48, 0xf3, 0x0f, 0xb8, 0xc3), ASSIST_COMPLETED);
	assert_int_equal(f->cpu.regs.rax, 32);
}

static void fifteen_bytes_are_the_most(void **state)
{
	uint8_t code[17] = {0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0xf3, 0x0f, 0xb8, 0xc3};
	struct fixture *f = *state;

	assert_int_equal(fixture_run(f, code, sizeof(code)), ASSIST_COMPLETED);
	assert_int_equal(f->cpu.regs.rip, CODE_GVA + 15);
	f->cpu.regs.rip = CODE_GVA;
	memmove(code + 1, code, 15);
	assert_int_equal(fixture_run(f, code, sizeof(code)), ASSIST_EXCEPTION);
	assert_int_equal(f->result.vector, VECTOR_GP);
	assert_int_equal(f->result.insn_len, 15);
	assert_int_equal(f->cpu.regs.rip, CODE_GVA);
}

static void the_next_page_is_fetched_only_when_needed(void **state)
{
	static const uint8_t stac[] = {0x0f, 0x01, 0xcb};
	struct fixture *f = *state;

	f->cpu.regs.rip = CODE_GVA + 4096 - 3;
	assert_int_equal(fixture_run(f, stac, 3), ASSIST_COMPLETED);
	assert_int_equal(f->result.insn_len, 3);

	f->cpu.regs.rip = CODE_GVA + 4096 - 2;
	assert_int_equal(fixture_run(f, stac, 3), ASSIST_EXCEPTION);
	assert_int_equal(f->result.kind, ASSIST_OTHER);
	assert_int_equal(f->result.vector, VECTOR_PF);
	assert_int_equal(f->result.error_code, FAULT_I);
	assert_int_equal(f->result.cr2, CODE_GVA + 4096);
	assert_int_equal(f->result.insn_len, 2);

	fixture_map(f, CODE_PAGE + 1, PTE_P | PTE_NX);
	assert_int_equal(fixture_run(f, stac, 3), ASSIST_EXCEPTION);
	assert_int_equal(f->result.error_code, FAULT_I | FAULT_P);

	fixture_map(f, CODE_PAGE + 1, PTE_P);
	assert_int_equal(fixture_run(f, stac, 3), ASSIST_COMPLETED);
	assert_int_equal(f->cpu.regs.rip, CODE_GVA + 4096 + 1);
}

static void user_code_is_fetched_as_user(void **state)
{
	struct fixture *f = *state;

	fixture_set_user(f);
	assert_int_equal(RUN(f, 0xf3, 0x0f, 0xb8, 0xc3), ASSIST_EXCEPTION);
	assert_int_equal(f->result.error_code, FAULT_P | FAULT_U | FAULT_I);
	assert_int_equal(f->result.cr2, CODE_GVA);
	fixture_map(f, CODE_PAGE, PTE_P | PTE_U);
	assert_int_equal(RUN(f, 0xf3, 0x0f, 0xb8, 0xc3), ASSIST_COMPLETED);
	/* SMEP, at CPL 0. */
	fixture_reset_cpu(f);
	f->cpu.sregs.cr4 |= CR4_SMEP;
	assert_int_equal(RUN(f, 0xf3, 0x0f, 0xb8, 0xc3), ASSIST_EXCEPTION);
	assert_int_equal(f->result.error_code, FAULT_P | FAULT_I);
}

static void a_fetch_beyond_the_canonical_range_faults(void **state)
{
	struct fixture *f = *state;

	f->cpu.regs.rip = 1ULL << 47;
	assist_insn_complete(&f->cpu, &f->result);
	assert_int_equal(f->result.outcome, ASSIST_EXCEPTION);
	assert_int_equal(f->result.vector, VECTOR_GP);
	assert_int_equal(f->result.insn_len, 0);
}

static void code_of_32_bits_has_its_own_forms(void **state)
{
	struct fixture *f = *state;

	set_registers(f);
	fixture_set_32bit(f);
	fill_with_addresses(f);
	f->cpu.regs.rip = CODE_GVA;
	/* movbe DATA_GVA + 0x20, %eax: no RIP-relative form here. */
	assert_int_equal(RUN(f, 0x0f, 0x38, 0xf0, 0x05, 0x20, 0x80, 0x00, 0x20), ASSIST_COMPLETED);
	assert_int_equal(f->cpu.regs.rax, __builtin_bswap32(DATA_GVA + 0x20));
	/* 48 is dec %eax. */
	assert_int_equal(RUN(f, 0x48, 0x0f, 0x38, 0xf0, 0x03), ASSIST_UNKNOWN);
	/* lds (%edi), %eax; and 16-bit addressing. */
	assert_int_equal(RUN(f, 0xc5, 0x07), ASSIST_UNKNOWN);
	assert_int_equal(RUN(f, 0x67, 0x0f, 0x38, 0xf0, 0x07), ASSIST_UNKNOWN);
	/* The segment's base, and andn %ebx, %ecx, %eax with VEX.vvvv's top bit ignored. */
	f->cpu.sregs.ds.base = 0x100;
	f->cpu.regs.rip = CODE_GVA;
	assert_int_equal(RUN(f, 0x0f, 0x38, 0xf0, 0x05, 0x20, 0x80, 0x00, 0x20), ASSIST_COMPLETED);
	assert_int_equal(f->cpu.regs.rax, __builtin_bswap32(DATA_GVA + 0x120));
	f->cpu.regs.rip = CODE_GVA;
	f->cpu.regs.rbx = 0xff;
	f->cpu.regs.rcx = 0xf;
	assert_int_equal(RUN(f, 0xc4, 0xe2, 0x30, 0xf2, 0xc3), ASSIST_COMPLETED);
	assert_int_equal(f->cpu.regs.rax, 0xf0);
	f->cpu.sregs.cs.limit = 0xfff;
	assert_int_equal(RUN(f, 0x9b), ASSIST_EXCEPTION);
	assert_int_equal(f->result.vector, VECTOR_GP);
}

static void code_of_16_bits_is_not_ours(void **state)
{
	struct fixture *f = *state;

	f->cpu.sregs.cs.l = 0;
	assert_int_equal(RUN(f, 0xcc), ASSIST_UNKNOWN);
	fixture_set_32bit(f);
	f->cpu.regs.rflags |= RFLAGS_VM;
	assert_int_equal(RUN(f, 0xcc), ASSIST_UNKNOWN);
	f->cpu.regs.rflags = RFLAGS_FIXED;
	f->cpu.sregs.cr0 = 0;
	f->cpu.sregs.efer = 0;
	assert_int_equal(RUN(f, 0xcc), ASSIST_UNKNOWN);
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
		TEST(every_address_form_is_understood),	 TEST(a_rex_before_a_legacy_prefix_is_ignored),
		TEST(fifteen_bytes_are_the_most),	 TEST(the_next_page_is_fetched_only_when_needed),
		TEST(user_code_is_fetched_as_user),	 TEST(a_fetch_beyond_the_canonical_range_faults),
		TEST(code_of_32_bits_has_its_own_forms), TEST(code_of_16_bits_is_not_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
