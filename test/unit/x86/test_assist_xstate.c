/* SPDX-License-Identifier: Apache-2.0 */
/* The image of the vCPU's state and the save area in guest memory: page faults, bad layouts, 32-bit code. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "unit/x86/assist_fixture.h"

/* xsave, xrstor, xsaveopt, xsavec: all at (%rdi). */
static const uint8_t family[][3] = {{0x0f, 0xae, 0x27}, {0x0f, 0xae, 0x2f}, {0x0f, 0xae, 0x37}, {0x0f, 0xc7, 0x27}};

static void prepare_area(struct fixture *f, uint64_t gva)
{
	f->cpu.regs.rip = CODE_GVA;
	f->cpu.regs.rdi = gva;
	f->cpu.regs.rax = ~0ULL;
	f->cpu.regs.rdx = ~0ULL;
}

static void assert_exception(struct fixture *f, uint8_t vector)
{
	assert_int_equal(f->result.outcome, ASSIST_EXCEPTION);
	assert_int_equal(f->result.vector, vector);
	assert_int_equal(f->result.has_error_code, vector == VECTOR_GP || vector == VECTOR_PF || vector == VECTOR_SS);
	assert_int_equal(f->cpu.regs.rip, CODE_GVA);
	assert_int_equal(f->nr_set, 0);
}

struct fault_case {
	uint64_t second; /* PTE bits of the second page of the area */
	bool user;
	uint32_t save_code, restore_code; /* ~0: none */
};

/* @in_first: bytes of the area in the good page. */
static void check_bad_page(struct fixture *f, const struct fault_case *c, unsigned insn, unsigned in_first)
{
	uint32_t code = insn == 1 ? c->restore_code : c->save_code;
	static uint8_t before[8192], after[8192];

	fixture_reset_cpu(f);
	fixture_map(f, CODE_PAGE, PTE_P | PTE_U);
	fixture_map(f, DATA_PAGE, PTE_P | PTE_W | PTE_U);
	if (c->user)
		fixture_set_user(f);
	/* State that differs from the area's, x87, SSE and AVX on both sides. */
	memset(f->xsave + 160, 0x77, 256);
	memset(f->xsave + f->layout.component[2].offset, 0x77, f->layout.component[2].size);
	f->xsave[512] = 7;
	memset(before, 0, sizeof(before));
	before[4096 - in_first + 512] = 7;
	fixture_put(f, DATA_GVA, before, sizeof(before));
	fixture_map(f, DATA_PAGE + 1, c->second);
	prepare_area(f, DATA_GVA + 4096 - in_first);
	f->nr_set = 0;
	fixture_run(f, family[insn], 3);
	if (code == ~0u) {
		assert_int_equal(f->result.outcome, ASSIST_COMPLETED);
	} else {
		assert_exception(f, VECTOR_PF);
		assert_int_equal(f->result.error_code, code);
		assert_in_range(f->result.cr2, DATA_GVA + 4096, DATA_GVA + 4096 + 512);
	}
	fixture_get(f, DATA_GVA, after, sizeof(after));
	assert_memory_equal(before, after, sizeof(after));
}

static void area_over_a_bad_page_faults_and_changes_nothing(void **state)
{
	static const struct fault_case cases[] = {
		{0, false, FAULT_W, 0},
		{PTE_P, false, FAULT_P | FAULT_W, ~0u},
		{PTE_P | PTE_W, true, FAULT_P | FAULT_W | FAULT_U, FAULT_P | FAULT_U},
		{0, true, FAULT_W | FAULT_U, FAULT_U},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (unsigned insn = 0; insn < ARRAY_SIZE(family); insn++) {
			/* The header in the bad page; or all but the extended components in the good one. */
			check_bad_page(f, &cases[i], insn, 256);
			if (f->layout.supported & 4)
				check_bad_page(f, &cases[i], insn, 576);
		}
	}
}

/* As KVM shows MXCSR only together with the SSE component. */
static void mxcsr_alone_makes_sse_used(void **state)
{
	struct fixture *f = *state;
	uint8_t area[576] = {0};

	store_le32(area + 24, 0x1fa0);
	fixture_put(f, DATA_GVA, area, sizeof(area));
	prepare_area(f, DATA_GVA);
	assert_int_equal(fixture_run(f, family[1], 3), ASSIST_COMPLETED);
	assert_int_equal(load_le32(f->xsave + 24), 0x1fa0);
	assert_int_equal(load_le64(f->xsave + 512), 2);
}

static void a_layout_beyond_the_image_is_refused(void **state)
{
	struct fixture *f = *state;

	f->layout.component[9].offset = ASSIST_XSAVE_MAX - 4;
	f->layout.component[9].size = 8;
	prepare_area(f, DATA_GVA);
	assert_int_equal(fixture_run(f, family[0], 3), ASSIST_FAILED);
	assert_int_equal(f->result.error, -E2BIG);
}

static void outside_64_bit_code_the_upper_registers_stay(void **state)
{
	struct fixture *f = *state;
	uint8_t area[576] = {0};

	memset(f->xsave + 160, 0x11, 256);
	store_le64(f->xsave + 512, 2);
	memset(area + 160, 0x22, 256);
	store_le32(area + 24, 0x1f80);
	store_le64(area + 512, 2);
	fixture_put(f, DATA_GVA, area, sizeof(area));
	fixture_set_32bit(f);
	prepare_area(f, DATA_GVA);
	assert_int_equal(fixture_run(f, family[1], 3), ASSIST_COMPLETED);
	assert_int_equal(f->xsave[160 + 127], 0x22);
	assert_int_equal(f->xsave[160 + 128], 0x11);
	memset(area, 0x33, sizeof(area));
	fixture_put(f, DATA_GVA, area, sizeof(area));
	prepare_area(f, DATA_GVA);
	assert_int_equal(fixture_run(f, family[0], 3), ASSIST_COMPLETED);
	fixture_get(f, DATA_GVA, area, sizeof(area));
	assert_int_equal(area[160 + 127], 0x22);
	assert_int_equal(area[160 + 128], 0x33);
}

/* Protection keys are 8 bytes: what follows them shows whether its alignment is heeded. */
static void compacted_components_are_aligned_where_the_layout_says(void **state)
{
	struct fixture *f = *state;
	uint8_t area[1024] = {0};

	for (unsigned align = 0; align < 2; align++) {
		memset(&f->layout, 0, sizeof(f->layout));
		f->layout.supported = f->xcr0 = 3 | 1 << 9 | 1 << 17;
		f->layout.component[9].offset = 576 + 256;
		f->layout.component[9].size = 8;
		f->layout.component[17].offset = 1024;
		f->layout.component[17].size = 64;
		f->layout.component[17].align64 = align;
		memset(f->xsave + 576 + 256, 0x99, 8);
		memset(f->xsave + 1024, 0x17, 64);
		store_le64(f->xsave + 512, f->xcr0);
		memset(area, 0, sizeof(area));
		fixture_put(f, DATA_GVA, area, sizeof(area));
		prepare_area(f, DATA_GVA);
		assert_int_equal(fixture_run(f, family[3], 3), ASSIST_COMPLETED);
		fixture_get(f, DATA_GVA, area, sizeof(area));
		assert_int_equal(area[576], 0x99);
		assert_int_equal(area[576 + 7], 0x99);
		assert_int_equal(area[576 + 8], align ? 0 : 0x17);
		assert_int_equal(area[576 + 64], 0x17);
		assert_int_equal(area[576 + 127], align ? 0x17 : 0);
	}
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
		TEST(area_over_a_bad_page_faults_and_changes_nothing),
		TEST(mxcsr_alone_makes_sse_used),
		TEST(compacted_components_are_aligned_where_the_layout_says),
		TEST(a_layout_beyond_the_image_is_refused),
		TEST(outside_64_bit_code_the_upper_registers_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
