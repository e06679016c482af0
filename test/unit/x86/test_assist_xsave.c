/* SPDX-License-Identifier: Apache-2.0 */
/* The XSAVE family against its native execution: same state, same memory, same requested features. SDM vol. 1, 13. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "unit/x86/assist_native.h"

#define ROUNDS	       200
#define MAX_ATTEMPTS   10
#define PKRU	       (1ULL << 9)
#define TILE_CONFIG    (1ULL << 17)
#define TILE_DATA      (1ULL << 18)
#define COMPACTED      (1ULL << 63)
#define AREA_MAX       (12 * 4096)
#define REQ_XCOMP_PERM 0x1023

static uint64_t usable_components(void)
{
	unsigned a, b, c, d;
	uint64_t xcr0;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return 0;
	__asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	xcr0 = (uint64_t)d << 32 | a;
	/* A random PKRU would lock us out of our own memory; tile data needs the kernel's leave. */
	xcr0 &= ~PKRU;
	if (xcr0 & TILE_DATA && syscall(SYS_arch_prctl, REQ_XCOMP_PERM, 18))
		xcr0 &= ~TILE_DATA;
	return xcr0;
}

static unsigned leaf_d1(void)
{
	unsigned a, b, c, d;

	return __get_cpuid_count(0xd, 1, &a, &b, &c, &d) ? a : 0;
}

static void fill_random(uint64_t *seed, uint8_t *to, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)random_next(seed);
}

/* Components outside @components are left as they are: bytes of the area that mean nothing. */
static void fill_legacy(uint64_t *seed, uint8_t *area)
{
	fill_random(seed, area, 416);
	store_le16(area, (load_le16(area) & 0x1f3f) | 0x40);
	area[5] = 0;
	area[7] &= 7;
	/* Pointers that are canonical. */
	memset(area + 14, 0, 2);
	memset(area + 22, 0, 2);
	area[13] &= 0x7f;
	area[21] &= 0x7f;
	store_le32(area + 24, random_next(seed) % 3 ? 0x1f80 : (uint32_t)random_next(seed) & 0xffbf);
	for (unsigned i = 0; i < 8; i++)
		memset(area + 32 + 16 * i + 10, 0, 6);
}

static void fill_component(uint64_t *seed, uint8_t *at, unsigned i, uint32_t size)
{
	fill_random(seed, at, size);
	/* A configuration of no tiles: a random one is invalid. */
	if (1ULL << i & TILE_CONFIG)
		memset(at, 0, size);
}

static void make_standard(struct fixture *f, uint64_t *seed, uint8_t *area, uint64_t bv)
{
	memset(area, 0, ASSIST_XSAVE_MAX);
	fill_legacy(seed, area);
	for (unsigned i = 2; i < 63; i++)
		fill_component(seed, area + f->layout.component[i].offset, i, f->layout.component[i].size);
	store_le64(area + 512, bv);
	memset(area + 520, 0, 56);
}

static uint32_t compacted_offset(struct fixture *f, uint64_t xcomp_bv, unsigned component)
{
	uint32_t at = 576;

	for (unsigned i = 2;; i++) {
		if (!(xcomp_bv >> i & 1))
			continue;
		if (f->layout.component[i].align64)
			at = (at + 63) & ~63u;
		if (i == component)
			return at;
		at += f->layout.component[i].size;
	}
}

static void make_compacted(struct fixture *f, uint64_t *seed, uint8_t *area, uint64_t bv, uint64_t components)
{
	memset(area, 0, ASSIST_XSAVE_MAX);
	fill_legacy(seed, area);
	for (unsigned i = 2; i < 63; i++) {
		if (components >> i & 1)
			fill_component(seed, area + compacted_offset(f, components, i), i, f->layout.component[i].size);
	}
	memset(area + 512, 0, 64);
	store_le64(area + 512, bv);
	store_le64(area + 520, components | COMPACTED);
}

/* XINUSE as it counts for XSAVE: XGETBV shows SSE in use for the sake of MXCSR too. SDM vol. 1, 13.6. */
static uint64_t native_in_use(uint64_t usable)
{
	uint64_t in_use = native_block()->xinuse & usable & ~2ULL;

	for (unsigned i = 160; i < 416; i++) {
		if (native_block()->after[i])
			return in_use | 2;
	}
	return in_use;
}

/* Gives this CPU and the fixture the same random state, the fixture's as KVM_GET_XSAVE would show it. */
static void share_random_state(struct fixture *f, uint64_t *seed, uint64_t usable)
{
	static const uint8_t nop[] = {0x90};
	struct native_block *block = native_block();

	make_standard(f, seed, block->before, random_next(seed) & random_next(seed) & usable);
	memset(block->after, 0, sizeof(block->after));
	block->xmask = usable;
	native_run(nop, 1);
	fill_random(seed, f->xsave, sizeof(f->xsave));
	memcpy(f->xsave, block->after, f->layout.size);
	memset(f->xsave + 520, 0, 56);
	store_le64(f->xsave + 512, native_in_use(usable));
}

struct save_case {
	const char *name;
	uint8_t code[4];
	uint8_t len;
	unsigned needs; /* bit of leaf 0xD, subleaf 1 */
	enum assist_kind kind;
};

static const struct save_case saves[] = {
	{"xsave64", {0x48, 0x0f, 0xae, 0x27}, 4, 0, ASSIST_XSAVE},
	{"xsave", {0x0f, 0xae, 0x27}, 3, 0, ASSIST_XSAVE},
	{"xsaveopt64", {0x48, 0x0f, 0xae, 0x37}, 4, 1, ASSIST_XSAVEOPT},
	{"xsaveopt", {0x0f, 0xae, 0x37}, 3, 1, ASSIST_XSAVEOPT},
	{"xsavec64", {0x48, 0x0f, 0xc7, 0x27}, 4, 2, ASSIST_XSAVEC},
	{"xsavec", {0x0f, 0xc7, 0x27}, 3, 2, ASSIST_XSAVEC},
};

static void set_request(struct fixture *f, uint64_t *seed, uint64_t usable)
{
	uint64_t rfbm = random_next(seed) & (usable | 0xffffff0000000000ULL);

	if (random_next(seed) % 4 == 0)
		rfbm = usable;
	f->cpu.regs.rax = (random_next(seed) & 0xffffffff00000000ULL) | (uint32_t)rfbm;
	f->cpu.regs.rdx = (random_next(seed) & 0xffffffff00000000ULL) | rfbm >> 32;
	f->cpu.regs.rdi = DATA_GVA + random_next(seed) % 64 * 64;
	f->cpu.regs.rip = CODE_GVA;
}

static void report_difference(const char *name, const uint8_t *ours, const uint8_t *native, size_t start, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (ours[i] != native[i]) {
			print_message("%s: offset %zd: %02x, the CPU has %02x\n", name, (ssize_t)(i - start), ours[i],
				      native[i]);
			return;
		}
	}
}

/* One round from @seed; true when our bytes are the CPU's. */
static bool save_agrees(struct fixture *f, const struct save_case *c, uint64_t *seed, uint64_t usable)
{
	static uint8_t memory[AREA_MAX], ours[AREA_MAX];

	share_random_state(f, seed, usable);
	set_request(f, seed, usable);
	fill_random(seed, memory, sizeof(memory));
	memcpy(native_data(), memory, sizeof(memory));
	fixture_put(f, DATA_GVA, memory, sizeof(memory));
	native_load_regs(&f->cpu.regs);
	native_run(c->code, c->len);

	assert_int_equal(fixture_run(f, c->code, c->len), ASSIST_COMPLETED);
	assert_int_equal(f->result.kind, c->kind);
	assert_int_equal(f->cpu.regs.rip, CODE_GVA + c->len);
	assert_int_equal(f->nr_set, 0);
	fixture_get(f, DATA_GVA, ours, sizeof(ours));
	report_difference(c->name, ours, native_data(), f->cpu.regs.rdi - DATA_GVA, sizeof(ours));
	return memcmp(ours, native_data(), sizeof(ours)) == 0;
}

/*
 * Whoever saves and restores this thread's state between its loading and the CPU's save (a context switch, a
 * hypervisor) may mark a component as in use that was in its initial state, which shows in XSTATE_BV. The same round is
 * then run again: a fault of ours fails each time.
 */
static void check_save(struct fixture *f, const struct save_case *c, uint64_t *seed, uint64_t usable)
{
	for (unsigned attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
		uint64_t again = *seed;

		if (save_agrees(f, c, &again, usable)) {
			*seed = again;
			return;
		}
	}
	fail_msg("%s differs from the CPU in each of %d attempts", c->name, MAX_ATTEMPTS);
}

static void saving_writes_the_bytes_the_cpu_writes(void **state)
{
	uint64_t usable = usable_components();
	struct fixture *f = *state;
	uint64_t seed = 2;

	for (size_t i = 0; i < sizeof(saves) / sizeof(saves[0]); i++) {
		if (saves[i].needs && !(leaf_d1() & saves[i].needs)) {
			print_message("skipped, this CPU lacks it: %s\n", saves[i].name);
			continue;
		}
		for (unsigned round = 0; round < ROUNDS; round++)
			check_save(f, &saves[i], &seed, usable);
	}
}

static void clear_unused(struct fixture *f, uint8_t *area)
{
	uint64_t bv = load_le64(area + 512);

	if (!(bv & 1)) {
		memset(area, 0, 24);
		memset(area + 32, 0, 128);
		store_le16(area, 0x37f);
	}
	if (!(bv & 2))
		memset(area + 160, 0, 256);
	for (unsigned i = 2; i < 63; i++) {
		if (!(bv >> i & 1))
			memset(area + f->layout.component[i].offset, 0, f->layout.component[i].size);
	}
}

static void assert_same_state(struct fixture *f, const char *name, uint64_t usable)
{
	static uint8_t ours[ASSIST_XSAVE_MAX];
	const uint8_t *native = native_block()->after;

	memcpy(ours, f->xsave, sizeof(ours));
	clear_unused(f, ours);
	report_difference(name, ours, native, 0, 416);
	assert_memory_equal(ours, native, 416);
	for (unsigned i = 2; i < 63; i++) {
		uint32_t at = f->layout.component[i].offset;

		if (usable >> i & 1)
			assert_memory_equal(ours + at, native + at, f->layout.component[i].size);
	}
	if (load_le32(ours + 24) != 0x1f80)
		assert_true(load_le64(ours + 512) & 2);
	assert_int_equal(load_le64(ours + 520), 0);
}

static void check_restore(struct fixture *f, bool compacted, bool wide, uint64_t *seed, uint64_t usable)
{
	static const uint8_t xrstor64[] = {0x48, 0x0f, 0xae, 0x2f};
	uint64_t components = random_next(seed) & usable;
	static uint8_t image[ASSIST_XSAVE_MAX];
	const uint8_t *code = wide ? xrstor64 : xrstor64 + 1;
	size_t len = wide ? 4 : 3;

	if (compacted)
		make_compacted(f, seed, image, components & random_next(seed), components);
	else
		make_standard(f, seed, image, components);
	if (!compacted) /* The standard format ignores the rest of the header. */
		fill_random(seed, image + 536, 40);
	/* Bits of the control word and bytes of the registers that do not exist. */
	fill_random(seed, image, 2);
	fill_random(seed, image + 32 + 10, 6);
	share_random_state(f, seed, usable);
	set_request(f, seed, usable);
	memcpy((void *)f->cpu.regs.rdi, image, sizeof(image));
	fixture_put(f, f->cpu.regs.rdi, image, sizeof(image));
	native_load_regs(&f->cpu.regs);
	native_run(code, len);

	assert_int_equal(fixture_run(f, code, len), ASSIST_COMPLETED);
	assert_int_equal(f->result.kind, ASSIST_XRSTOR);
	assert_int_equal(f->cpu.regs.rip, CODE_GVA + len);
	assert_same_state(f, compacted ? "xrstor, compacted" : "xrstor, standard", usable);
}

static void restoring_loads_what_the_cpu_loads(void **state)
{
	uint64_t usable = usable_components();
	struct fixture *f = *state;
	uint64_t seed = 3;

	for (unsigned round = 0; round < 4 * ROUNDS; round++) {
		bool compacted = round & 1;

		if (compacted && !(leaf_d1() & 2))
			continue;
		check_restore(f, compacted, round & 2, &seed, usable);
	}
}

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

/* The family, XGETBV aside: all at (%rdi). */
static const uint8_t family[][3] = {{0x0f, 0xae, 0x27}, {0x0f, 0xae, 0x2f}, {0x0f, 0xae, 0x37},
				    {0x0f, 0xc7, 0x27}, {0x0f, 0xc7, 0x2f}, {0x0f, 0xc7, 0x1f}};

static void conditions_for_all_of_the_family_are_checked(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(family) / sizeof(family[0]); i++) {
		prepare_area(f, DATA_GVA + 32);
		fixture_run(f, family[i], 3);
		assert_exception(f, VECTOR_GP);
		prepare_area(f, 0x800000000000 - 64);
		fixture_run(f, family[i], 3);
		assert_exception(f, VECTOR_GP);
		prepare_area(f, DATA_GVA);
		f->cpu.sregs.cr0 |= CR0_TS;
		fixture_run(f, family[i], 3);
		assert_exception(f, VECTOR_NM);
		f->cpu.sregs.cr4 &= ~CR4_OSXSAVE;
		fixture_run(f, family[i], 3);
		assert_exception(f, VECTOR_UD);
		fixture_reset_cpu(f);
		prepare_area(f, DATA_GVA);
		f->xsave_error = -EIO;
		assert_int_equal(fixture_run(f, family[i], 3), ASSIST_FAILED);
		assert_int_equal(f->result.error, -EIO);
		f->xsave_error = 0;
	}
}

struct header_case {
	const char *what;
	uint64_t xstate_bv, xcomp_bv;
	unsigned dirty; /* a byte of the header set to 1 beyond those two, or 0 */
	uint32_t mxcsr;
	bool faults;
};

static const struct header_case headers[] = {
	{"standard", 3, 0, 0, 0x1f80, false},
	{"standard, component not in XCR0", 1ULL << 40, 0, 0, 0x1f80, true},
	{"standard, byte 16", 3, 0, 16, 0x1f80, true},
	{"standard, byte 23", 3, 0, 23, 0x1f80, true},
	{"standard, byte 24", 3, 0, 24, 0x1f80, false},
	{"standard, XCOMP_BV without bit 63", 3, 3, 0, 0x1f80, true},
	{"standard, bad MXCSR", 3, 0, 0, 0x10000, true},
	{"standard, bad MXCSR, SSE initial", 1, 0, 0, 0x10000, true},
	{"compacted", 3, COMPACTED | 3, 0, 0x1f80, false},
	{"compacted, bad MXCSR, SSE initial", 1, COMPACTED | 3, 0, 0x10000, false},
	{"compacted, bad MXCSR", 2, COMPACTED | 3, 0, 0x10000, true},
	{"compacted, not in XCOMP_BV", 3, COMPACTED | 1, 0, 0x1f80, true},
	{"compacted, not in XCR0", 3, COMPACTED | 3 | 1ULL << 40, 0, 0x1f80, true},
	{"compacted, bit 63 of XSTATE_BV", 3 | COMPACTED, COMPACTED | 3, 0, 0x1f80, true},
	{"compacted, byte 16", 3, COMPACTED | 3, 16, 0x1f80, true},
	{"compacted, byte 63", 3, COMPACTED | 3, 63, 0x1f80, true},
};

static void bad_headers_fault_and_load_nothing(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		const struct header_case *c = &headers[i];
		uint8_t area[576] = {0};
		bool compacted = c->xcomp_bv & COMPACTED;

		store_le32(area + 24, c->mxcsr);
		store_le64(area + 512, c->xstate_bv);
		store_le64(area + 520, c->xcomp_bv);
		if (c->dirty)
			area[512 + c->dirty] = 1;
		fixture_put(f, DATA_GVA, area, sizeof(area));
		for (unsigned supervisor = 0; supervisor < 2; supervisor++) {
			bool faults = c->faults || (supervisor && !compacted);

			prepare_area(f, DATA_GVA);
			f->nr_set = 0;
			fixture_run(f, supervisor ? family[5] : family[1], 3);
			if (f->result.outcome != (faults ? ASSIST_EXCEPTION : ASSIST_COMPLETED))
				fail_msg("%s", c->what);
			if (faults)
				assert_exception(f, VECTOR_GP);
			else
				assert_int_equal(f->nr_set, 1);
		}
	}
}

static void xsaves_is_xsavec_while_no_supervisor_state_is_enabled(void **state)
{
	static uint8_t compact[ASSIST_XSAVE_MAX], supervisor[ASSIST_XSAVE_MAX];
	struct fixture *f = *state;
	uint64_t seed = 4;

	make_standard(f, &seed, f->xsave, f->layout.supported);
	prepare_area(f, DATA_GVA);
	assert_int_equal(fixture_run(f, family[3], 3), ASSIST_COMPLETED);
	fixture_get(f, DATA_GVA, compact, sizeof(compact));
	prepare_area(f, DATA_GVA + 4 * 4096);
	assert_int_equal(fixture_run(f, family[4], 3), ASSIST_COMPLETED);
	assert_int_equal(f->result.kind, ASSIST_XSAVES);
	fixture_get(f, DATA_GVA + 4 * 4096, supervisor, sizeof(supervisor));
	assert_int_equal(load_le64(supervisor + 520), COMPACTED | f->layout.supported);
	assert_memory_equal(compact, supervisor, sizeof(compact));

	prepare_area(f, DATA_GVA);
	f->xss = 1 << 11;
	assert_int_equal(fixture_run(f, family[4], 3), ASSIST_UNKNOWN);
	f->xss = 0;
	fixture_map(f, CODE_PAGE, PTE_P | PTE_U);
	fixture_set_user(f);
	fixture_run(f, family[5], 3);
	assert_exception(f, VECTOR_GP);
}

static void xgetbv_shows_enabled_and_used_components(void **state)
{
	struct fixture *f = *state;

	f->xcr0 = 7;
	f->cpu.regs.rcx = 0xffffffff00000000ULL;
	f->cpu.regs.rax = f->cpu.regs.rdx = ~0ULL;
	assert_int_equal(RUN(f, 0x0f, 0x01, 0xd0), ASSIST_COMPLETED);
	assert_int_equal(f->cpu.regs.rax, 7);
	assert_int_equal(f->cpu.regs.rdx, 0);
	store_le64(f->xsave + 512, 5);
	f->cpu.regs.rcx = 1;
	f->cpu.regs.rip = CODE_GVA;
	assert_int_equal(RUN(f, 0x0f, 0x01, 0xd0), ASSIST_COMPLETED);
	assert_int_equal(f->cpu.regs.rax, 5);
	f->cpu.regs.rcx = 2;
	f->cpu.regs.rip = CODE_GVA;
	RUN(f, 0x0f, 0x01, 0xd0);
	assert_exception(f, VECTOR_GP);
	f->cpu.sregs.cr4 &= ~CR4_OSXSAVE;
	RUN(f, 0x0f, 0x01, 0xd0);
	assert_exception(f, VECTOR_UD);
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
		cmocka_unit_test_setup_teardown(saving_writes_the_bytes_the_cpu_writes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(restoring_loads_what_the_cpu_loads, set_up, tear_down),
		cmocka_unit_test_setup_teardown(conditions_for_all_of_the_family_are_checked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bad_headers_fault_and_load_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(xsaves_is_xsavec_while_no_supervisor_state_is_enabled, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(xgetbv_shows_enabled_and_used_components, set_up, tear_down),
	};
	int failed;

	if (!usable_components() || !native_init()) {
		print_message("no XSAVE, or no executable mapping at the addresses the test needs: skipped\n");
		return 77;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	native_fini();
	return failed;
}
