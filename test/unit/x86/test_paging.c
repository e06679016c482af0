/* SPDX-License-Identifier: Apache-2.0 */
/* The page-table walk: every mode, permissions, reserved bits, error codes, accessed and dirty bits. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>

#include "unit/x86/assist_fixture.h"

#define PAGE(n)	    (WINDOW_GVA + (n)*GUEST_PAGE_SIZE)
#define PAGE_GPA(n) (WINDOW_GPA + ((n) ^ 1) * GUEST_PAGE_SIZE)
#define OK	    (~0u)

static int translate(struct fixture *f, uint64_t gva, uint32_t access, gpa_t *out, struct paging_fault *fault)
{
	return paging_translate(&f->mem, &f->cpu.sregs, f->cpu.regs.rflags, gva, access, out, fault);
}

static void assert_maps(struct fixture *f, uint64_t gva, uint32_t access, uint64_t expected)
{
	struct paging_fault fault;
	gpa_t out;

	assert_int_equal(translate(f, gva, access, &out, &fault), 0);
	assert_int_equal(out.addr, expected);
}

static void assert_faults(struct fixture *f, uint64_t gva, uint32_t access, uint32_t code)
{
	struct paging_fault fault = {0};
	gpa_t out;

	assert_int_equal(translate(f, gva, access, &out, &fault), -EFAULT);
	assert_int_equal(fault.error_code, code);
	assert_int_equal(fault.address, gva);
}

struct permission_case {
	uint64_t bits; /* of the PTE */
	uint64_t cr0_off, cr4_on, efer_off, rflags_on;
	uint32_t access;
	uint32_t code; /* expected, or OK */
};

static const struct permission_case permissions[] = {
	{0, 0, 0, 0, 0, PAGING_READ, 0},
	{0, 0, 0, 0, 0, PAGING_WRITE, FAULT_W},
	{0, 0, 0, 0, 0, PAGING_WRITE | PAGING_USER, FAULT_W | FAULT_U},
	{0, 0, 0, 0, 0, PAGING_FETCH, FAULT_I},
	{0, 0, 0, EFER_NXE, 0, PAGING_FETCH, 0},
	{0, 0, CR4_SMEP, EFER_NXE, 0, PAGING_FETCH, FAULT_I},
	{PTE_P, 0, 0, 0, 0, PAGING_READ, OK},
	{PTE_P, 0, 0, 0, 0, PAGING_WRITE, FAULT_P | FAULT_W},
	{PTE_P, CR0_WP, 0, 0, 0, PAGING_WRITE, OK},
	{PTE_P | PTE_U, CR0_WP, 0, 0, 0, PAGING_WRITE, OK},
	{PTE_P | PTE_U, CR0_WP, 0, 0, 0, PAGING_WRITE | PAGING_USER, FAULT_P | FAULT_W | FAULT_U},
	{PTE_P | PTE_W, 0, 0, 0, 0, PAGING_WRITE, OK},
	{PTE_P | PTE_W, 0, 0, 0, 0, PAGING_USER, FAULT_P | FAULT_U},
	{PTE_P | PTE_W, 0, 0, 0, 0, PAGING_WRITE | PAGING_USER, FAULT_P | FAULT_W | FAULT_U},
	{PTE_P | PTE_U, 0, 0, 0, 0, PAGING_USER, OK},
	{PTE_P | PTE_W | PTE_U, 0, 0, 0, 0, PAGING_WRITE | PAGING_USER, OK},
	{PTE_P | PTE_NX, 0, 0, 0, 0, PAGING_READ, OK},
	{PTE_P | PTE_NX, 0, 0, 0, 0, PAGING_FETCH, FAULT_P | FAULT_I},
	{PTE_P | PTE_NX | PTE_U, 0, 0, 0, 0, PAGING_FETCH | PAGING_USER, FAULT_P | FAULT_I | FAULT_U},
	{PTE_P | PTE_NX, 0, 0, EFER_NXE, 0, PAGING_READ, FAULT_P | FAULT_RSVD},
	{PTE_P | PTE_U, 0, 0, 0, 0, PAGING_FETCH, OK},
	{PTE_P | PTE_U, 0, CR4_SMEP, 0, 0, PAGING_FETCH, FAULT_P | FAULT_I},
	{PTE_P | PTE_U, 0, CR4_SMEP, 0, 0, PAGING_FETCH | PAGING_USER, OK},
	{PTE_P, 0, CR4_SMEP, 0, 0, PAGING_FETCH, OK},
	{PTE_P | PTE_U, 0, CR4_SMAP, 0, 0, PAGING_READ, FAULT_P},
	{PTE_P | PTE_U | PTE_W, 0, CR4_SMAP, 0, 0, PAGING_WRITE, FAULT_P | FAULT_W},
	{PTE_P | PTE_U | PTE_W, 0, CR4_SMAP, 0, RFLAGS_AC, PAGING_WRITE, OK},
	{PTE_P | PTE_U, CR0_WP, CR4_SMAP, 0, 0, PAGING_WRITE, FAULT_P | FAULT_W},
	{PTE_P | PTE_U, 0, CR4_SMAP, 0, 0, PAGING_USER, OK},
	{PTE_P | PTE_U, 0, CR4_SMAP, 0, 0, PAGING_FETCH, OK},
	{PTE_P, 0, CR4_SMAP, 0, 0, PAGING_READ, OK},
	/* Ignored bits and the protection key. */
	{PTE_P | 0x7ff0000000000e00ULL, 0, 0, 0, 0, PAGING_READ, OK},
};

static void permissions_are_those_of_the_manual(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(permissions); i++) {
		const struct permission_case *c = &permissions[i];

		fixture_reset_cpu(f);
		f->cpu.sregs.cr0 &= ~c->cr0_off;
		f->cpu.sregs.cr4 |= c->cr4_on;
		f->cpu.sregs.efer &= ~c->efer_off;
		f->cpu.regs.rflags |= c->rflags_on;
		fixture_map(f, 20, c->bits);
		if (c->code == OK)
			assert_maps(f, PAGE(20) + 5, c->access, PAGE_GPA(20) + 5);
		else
			assert_faults(f, PAGE(20) + 5, c->access, c->code);
	}
}

static void permissions_of_upper_levels_count(void **state)
{
	struct fixture *f = *state;

	fixture_map(f, 20, PTE_P | PTE_W | PTE_U);
	for (unsigned level = 2; level <= 4; level++) {
		uint64_t *entry = fixture_entry(f, level, level == 2 ? WINDOW_GVA >> 21 : 0);
		uint64_t before = *entry;

		*entry = before & ~PTE_W;
		assert_faults(f, PAGE(20), PAGING_WRITE, FAULT_P | FAULT_W);
		*entry = before & ~PTE_U;
		assert_faults(f, PAGE(20), PAGING_USER, FAULT_P | FAULT_U);
		*entry = before | PTE_NX;
		assert_faults(f, PAGE(20), PAGING_FETCH, FAULT_P | FAULT_I);
		*entry = before & ~PTE_P;
		assert_faults(f, PAGE(20), PAGING_READ, 0);
		*entry = before;
		if (level == 4) {
			*entry = before | PTE_PS;
			assert_faults(f, PAGE(20), PAGING_READ, FAULT_P | FAULT_RSVD);
			*entry = before;
		}
		assert_maps(f, PAGE(20), PAGING_WRITE | PAGING_USER, PAGE_GPA(20));
	}
}

static void use_sets_accessed_and_writing_sets_dirty(void **state)
{
	struct fixture *f = *state;

	fixture_map(f, 20, PTE_P | PTE_W);
	assert_maps(f, PAGE(20), PAGING_READ, PAGE_GPA(20));
	assert_int_equal(fixture_pte(f, 20) & (PTE_A | PTE_D), PTE_A);
	assert_maps(f, PAGE(20), PAGING_WRITE, PAGE_GPA(20));
	assert_int_equal(fixture_pte(f, 20) & (PTE_A | PTE_D), PTE_A | PTE_D);
	for (unsigned level = 2; level <= 4; level++)
		assert_int_equal(*fixture_entry(f, level, level == 2 ? WINDOW_GVA >> 21 : 0) & (PTE_A | PTE_D), PTE_A);
}

static void a_fault_sets_neither(void **state)
{
	struct fixture *f = *state;

	fixture_map(f, 20, PTE_P);
	assert_faults(f, PAGE(20), PAGING_WRITE, FAULT_P | FAULT_W);
	assert_int_equal(fixture_pte(f, 20) & (PTE_A | PTE_D), 0);
}

static void large_pages_are_leaves(void **state)
{
	struct fixture *f = *state;
	uint64_t *pde = fixture_entry(f, 2, 3), *pdpte = fixture_entry(f, 3, 2);

	*pde = 0x400000 | PTE_P | PTE_W | PTE_PS | 1 << 12; /* with the PAT bit */
	assert_maps(f, 3 * 0x200000 + 0x12345, PAGING_WRITE, 0x400000 + 0x12345);
	assert_int_equal(*pde & (PTE_A | PTE_D), PTE_A | PTE_D);
	*pde |= 1 << 13;
	assert_faults(f, 3 * 0x200000, PAGING_READ, FAULT_P | FAULT_RSVD);
	*pdpte = PTE_P | PTE_W | PTE_PS;
	assert_maps(f, 0x80012345, PAGING_WRITE, 0x12345);
	*pdpte |= 1 << 29;
	assert_faults(f, 0x80012345, PAGING_READ, FAULT_P | FAULT_RSVD);
}

static void five_levels_start_one_higher(void **state)
{
	struct fixture *f = *state;
	uint64_t *root = (uint64_t *)(void *)guest_mem_ptr(&f->mem, gpa(0x8000), 4096);

	root[3] = TABLE_GPA | PTE_P | PTE_W | PTE_U;
	f->cpu.sregs.cr3 = 0x8000 | 0xfff; /* PCID or flags below */
	f->cpu.sregs.cr4 |= CR4_LA57;
	assert_maps(f, (3ULL << 48) + PAGE(DATA_PAGE), PAGING_WRITE, PAGE_GPA(DATA_PAGE));
	assert_faults(f, (2ULL << 48) + PAGE(DATA_PAGE), PAGING_WRITE, FAULT_W);
	root[3] |= PTE_PS;
	assert_faults(f, (3ULL << 48) + PAGE(DATA_PAGE), PAGING_READ, FAULT_P | FAULT_RSVD);
}

static void use_pae(struct fixture *f)
{
	uint64_t *pdpt = (uint64_t *)(void *)guest_mem_ptr(&f->mem, gpa(0x8020), 32);

	pdpt[0] = (TABLE_GPA + 0x2000) | PTE_P;
	pdpt[3] = 0x9000 | PTE_P;
	f->cpu.sregs.cr3 = 0x8020;
	f->cpu.sregs.efer &= ~(EFER_LMA | EFER_LME);
}

static void pae_has_four_bare_pointers_on_top(void **state)
{
	struct fixture *f = *state;
	uint64_t *pdpt = (uint64_t *)(void *)guest_mem_ptr(&f->mem, gpa(0x8020), 32);
	uint64_t *pd = (uint64_t *)(void *)guest_mem_ptr(&f->mem, gpa(0x9000), 4096);

	use_pae(f);
	assert_maps(f, PAGE(DATA_PAGE) + 7, PAGING_WRITE, PAGE_GPA(DATA_PAGE) + 7);
	assert_int_equal(pdpt[0], (TABLE_GPA + 0x2000) | PTE_P); /* no accessed bit there */
	/* Only 32 bits of the address count. */
	assert_maps(f, (5ULL << 32) + PAGE(DATA_PAGE), PAGING_READ, PAGE_GPA(DATA_PAGE));
	pd[511] = 0x200000 | PTE_P | PTE_W | PTE_PS;
	assert_maps(f, 0xffe12345, PAGING_WRITE, 0x212345);
	assert_faults(f, 0x80000000, PAGING_WRITE, FAULT_W);
	fixture_map(f, DATA_PAGE, PTE_P | 1ULL << 59);
	assert_faults(f, PAGE(DATA_PAGE), PAGING_READ, FAULT_P | FAULT_RSVD);
	fixture_map(f, DATA_PAGE, PTE_P | PTE_NX);
	assert_faults(f, PAGE(DATA_PAGE), PAGING_FETCH, FAULT_P | FAULT_I);
	pdpt[0] |= PTE_W;
	assert_faults(f, PAGE(DATA_PAGE), PAGING_READ, FAULT_P | FAULT_RSVD);
}

static void two_level_paging_has_four_byte_entries(void **state)
{
	struct fixture *f = *state;
	uint32_t *pd = (uint32_t *)(void *)guest_mem_ptr(&f->mem, gpa(0x8000), 4096);
	uint32_t *pt = (uint32_t *)(void *)guest_mem_ptr(&f->mem, gpa(0x9000), 4096);

	f->cpu.sregs.cr3 = 0x8000;
	f->cpu.sregs.cr4 &= ~CR4_PAE;
	f->cpu.sregs.efer = EFER_NXE; /* without meaning here */
	pd[1023] = 0x9000 | PTE_P | PTE_W;
	pt[1023] = 0x300000 | PTE_P | PTE_W;
	assert_maps(f, 0xfffff123, PAGING_WRITE, 0x300123);
	assert_int_equal(pt[1023] & 0xfff, PTE_P | PTE_W | PTE_A | PTE_D);
	assert_int_equal(pt[1022], 0);
	assert_faults(f, 0xffffe000, PAGING_FETCH, 0);
	pd[2] = 0x400000 | PTE_P | PTE_PS | PTE_W;
	f->cpu.sregs.cr4 |= CR4_PSE;
	assert_maps(f, 0x812345, PAGING_WRITE, 0x412345);
	pd[2] |= 1 << 21;
	assert_faults(f, 0x812345, PAGING_WRITE, FAULT_P | FAULT_W | FAULT_RSVD);
}

static void pse36_extends_the_address(void **state)
{
	uint32_t *pd;
	struct fixture *f = *state;
	struct paging_fault fault;
	gpa_t out;

	pd = (uint32_t *)(void *)guest_mem_ptr(&f->mem, gpa(0x8000), 4096);
	f->cpu.sregs.cr3 = 0x8000;
	f->cpu.sregs.cr4 = CR4_PSE;
	f->cpu.sregs.efer = 0;
	pd[2] = 0x400000 | 1 << 13 | PTE_P | PTE_PS;
	assert_int_equal(translate(f, 0x812345, PAGING_READ, &out, &fault), -ENXIO);
	assert_int_equal(out.addr, 0x100412345);
}

static void without_paging_addresses_are_physical(void **state)
{
	struct fixture *f = *state;
	struct paging_fault fault;
	gpa_t out;

	f->cpu.sregs.cr0 &= ~CR0_PG;
	f->cpu.sregs.efer = 0;
	assert_maps(f, 0x1234, PAGING_WRITE, 0x1234);
	assert_int_equal(translate(f, 0xfee00000, PAGING_WRITE, &out, &fault), -ENXIO);
	assert_int_equal(out.addr, 0xfee00000);
}

static void what_lies_outside_ram_is_no_fault_of_the_guest(void **state)
{
	struct fixture *f = *state;
	struct paging_fault fault;
	gpa_t out;

	*fixture_entry(f, 1, 20) = 0xfee00000 | PTE_P | PTE_W;
	assert_int_equal(translate(f, PAGE(20) + 0x30, PAGING_WRITE, &out, &fault), -ENXIO);
	assert_int_equal(out.addr, 0xfee00030);
	assert_int_equal(fixture_pte(f, 20) & (PTE_A | PTE_D), PTE_A | PTE_D);
	*fixture_entry(f, 3, 2) = 0xfffffffff000 | PTE_P;
	assert_int_equal(translate(f, 0x80000000, PAGING_READ, &out, &fault), -ENXIO);
	f->cpu.sregs.cr3 = 0xfffffffff000;
	assert_int_equal(translate(f, PAGE(20), PAGING_READ, &out, &fault), -ENXIO);
}

static void copies_cross_page_borders(void **state)
{
	uint8_t data[3 * 4096], back[sizeof(data)];
	struct fixture *f = *state;
	struct paging_fault fault;
	uint64_t gva = PAGE(DATA_PAGE) + 4000;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	assert_int_equal(paging_write(&f->mem, &f->cpu.sregs, 0, gva, PAGING_WRITE, data, sizeof(data), &fault), 0);
	fixture_get(f, gva, back, sizeof(back));
	assert_memory_equal(data, back, sizeof(back));
	memset(back, 0, sizeof(back));
	assert_int_equal(paging_read(&f->mem, &f->cpu.sregs, 0, gva, PAGING_READ, back, sizeof(back), &fault), 0);
	assert_memory_equal(data, back, sizeof(back));
	assert_int_equal(paging_read(&f->mem, &f->cpu.sregs, 0, gva, PAGING_READ, back, 0, &fault), 0);
}

static void a_copy_that_faults_half_way_writes_nothing(void **state)
{
	uint8_t data[64], back[64], zero[64] = {0};
	struct fixture *f = *state;
	struct paging_fault fault;
	uint64_t gva = PAGE(DATA_PAGE + 1) - 32;

	memset(data, 0xee, sizeof(data));
	fixture_put(f, gva, zero, sizeof(zero));
	fixture_map(f, DATA_PAGE + 1, PTE_P);
	assert_int_equal(paging_write(&f->mem, &f->cpu.sregs, 0, gva, 0, data, sizeof(data), &fault), -EFAULT);
	assert_int_equal(fault.address, PAGE(DATA_PAGE + 1));
	assert_int_equal(fault.error_code, FAULT_P | FAULT_W);
	*fixture_entry(f, 1, DATA_PAGE + 1) = 0xfee00000 | PTE_P | PTE_W;
	assert_int_equal(paging_write(&f->mem, &f->cpu.sregs, 0, gva, 0, data, sizeof(data), &fault), -ENXIO);
	fixture_get(f, gva, back, sizeof(back));
	assert_memory_equal(back, zero, sizeof(zero));
	assert_int_equal(paging_read(&f->mem, &f->cpu.sregs, 0, PAGE(DATA_PAGE + 2), 0, NULL, 6 * 4096, &fault),
			 -EINVAL);
}

static void the_entry_of_a_page_is_found_whatever_it_permits(void **state)
{
	struct fixture *f = *state;
	gpa_t pte;

	assert_int_equal(paging_find_pte(&f->mem, &f->cpu.sregs, PAGE(300), &pte), 0);
	assert_int_equal(pte.addr, TABLE_GPA + 0x3000 + 300 * 8);
	assert_int_equal(paging_find_pte(&f->mem, &f->cpu.sregs, 0x40000000, &pte), -ENOENT);
	*fixture_entry(f, 2, 3) = PTE_P | PTE_PS;
	assert_int_equal(paging_find_pte(&f->mem, &f->cpu.sregs, 3 * 0x200000, &pte), -ENOENT);
	use_pae(f);
	assert_int_equal(paging_find_pte(&f->mem, &f->cpu.sregs, PAGE(7), &pte), 0);
	assert_int_equal(pte.addr, TABLE_GPA + 0x3000 + 7 * 8);
	f->cpu.sregs.cr0 &= ~CR0_PG;
	assert_int_equal(paging_find_pte(&f->mem, &f->cpu.sregs, PAGE(7), &pte), -ENOENT);
}

/* Another vCPU that remaps between two pages and clears the bits. It numbers its entries in bits the CPU ignores, and
 * looks whether one of them is overwritten by an older one. */
struct rival {
	uint64_t *pte;
	bool done;
	unsigned lost;
};

static void *change_the_entry(void *opaque)
{
	struct rival *rival = opaque;

	for (uint64_t n = 0; n < 300000; n++) {
		uint64_t entry = (n & 1 ? PAGE_GPA(20) : PAGE_GPA(22)) | PTE_P | PTE_W | (n & 0x7f) << 52;

		__atomic_store_n(rival->pte, entry, __ATOMIC_SEQ_CST);
		for (unsigned i = 0; i < n % 16 + 1; i++) {
			uint64_t seen = __atomic_load_n(rival->pte, __ATOMIC_SEQ_CST);

			rival->lost += (seen & ~(PTE_A | PTE_D)) != entry;
		}
	}
	__atomic_store_n(&rival->done, true, __ATOMIC_RELAXED);
	return NULL;
}

static void an_entry_changed_meanwhile_is_never_overwritten(void **state)
{
	struct fixture *f = *state;
	struct rival rival = {.pte = fixture_entry(f, 1, 20)};
	struct paging_fault fault;
	pthread_t thread;

	fixture_map(f, 20, PTE_P | PTE_W);
	assert_int_equal(pthread_create(&thread, NULL, change_the_entry, &rival), 0);
	while (!__atomic_load_n(&rival.done, __ATOMIC_RELAXED)) {
		gpa_t out;
		int err = translate(f, PAGE(20), PAGING_WRITE, &out, &fault);

		/* A lost race is at worst a fault the guest finds spurious. */
		if (err)
			assert_int_equal(err, -EFAULT);
		else
			assert_true(out.addr == PAGE_GPA(20) || out.addr == PAGE_GPA(22));
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(rival.lost, 0);
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
		TEST(permissions_are_those_of_the_manual),
		TEST(permissions_of_upper_levels_count),
		TEST(use_sets_accessed_and_writing_sets_dirty),
		TEST(a_fault_sets_neither),
		TEST(large_pages_are_leaves),
		TEST(five_levels_start_one_higher),
		TEST(pae_has_four_bare_pointers_on_top),
		TEST(two_level_paging_has_four_byte_entries),
		TEST(pse36_extends_the_address),
		TEST(without_paging_addresses_are_physical),
		TEST(what_lies_outside_ram_is_no_fault_of_the_guest),
		TEST(copies_cross_page_borders),
		TEST(a_copy_that_faults_half_way_writes_nothing),
		TEST(the_entry_of_a_page_is_found_whatever_it_permits),
		TEST(an_entry_changed_meanwhile_is_never_overwritten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
