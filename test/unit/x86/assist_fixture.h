/* SPDX-License-Identifier: Apache-2.0 */
/* A vCPU in 64-bit mode over real guest memory and page tables, with its extended state in a buffer. */
#ifndef VMM_TEST_ASSIST_FIXTURE_H
#define VMM_TEST_ASSIST_FIXTURE_H

#include <cpuid.h>
#include <string.h>

#include "base/endian.h"
#include "x86/arch.h"
#include "x86/assist_insn.h"
#include "x86/paging.h"

/* 512 pages of guest-virtual space; neighbours there are not neighbours in guest-physical space. */
#define WINDOW_GVA 0x20000000ULL
#define WINDOW_GPA 0x200000ULL
#define CODE_PAGE  0
#define DATA_PAGE  8
#define CODE_GVA   (WINDOW_GVA + CODE_PAGE * GUEST_PAGE_SIZE)
#define DATA_GVA   (WINDOW_GVA + DATA_PAGE * GUEST_PAGE_SIZE)
#define DATA_PAGES 16

#define TABLE_GPA 0x1000ULL /* PML4, PDPT, PD, PT, a page each */

#define PTE_P		  1ULL
#define PTE_W		  2ULL
#define PTE_U		  4ULL
#define PTE_A		  0x20ULL
#define PTE_D		  0x40ULL
#define PTE_PS		  0x80ULL
#define PTE_NX		  (1ULL << 63)
#define PTE_ADDRESS	  0x000ffffffffff000ULL
#define FAULT_P		  1u
#define FAULT_W		  2u
#define FAULT_U		  4u
#define FAULT_RSVD	  8u
#define FAULT_I		  16u
#define TEST_CR4_OSFXSR	  (1ULL << 9)
#define TEST_CR4_FSGSBASE (1ULL << 16)

struct fixture {
	struct guest_mem mem;
	struct assist_xstate_layout layout;
	struct assist_cpu cpu;
	struct assist_result result;
	uint64_t xcr0, xss;
	int xsave_error;
	unsigned nr_set;
	_Alignas(64) uint8_t xsave[ASSIST_XSAVE_MAX];
};

static inline int fixture_get_xsave(void *opaque, void *area)
{
	struct fixture *f = opaque;

	memcpy(area, f->xsave, sizeof(f->xsave));
	return f->xsave_error;
}

static inline int fixture_set_xsave(void *opaque, const void *area)
{
	struct fixture *f = opaque;

	memcpy(f->xsave, area, sizeof(f->xsave));
	f->nr_set++;
	return f->xsave_error;
}

static inline int fixture_get_xcr0(void *opaque, uint64_t *xcr0)
{
	*xcr0 = ((struct fixture *)opaque)->xcr0;
	return 0;
}

static inline int fixture_get_xss(void *opaque, uint64_t *xss)
{
	*xss = ((struct fixture *)opaque)->xss;
	return 0;
}

static const struct assist_state_ops fixture_ops = {
	.get_xsave = fixture_get_xsave,
	.set_xsave = fixture_set_xsave,
	.get_xcr0 = fixture_get_xcr0,
	.get_xss = fixture_get_xss,
};

static inline uint64_t *fixture_entry(struct fixture *f, unsigned level, unsigned index)
{
	return (uint64_t *)(void *)guest_mem_ptr(&f->mem, gpa(TABLE_GPA + (4 - level) * 0x1000 + index * 8ULL), 8);
}

/* The PTE of @page of the window. Swapping pairs makes straddling operands discontiguous. */
static inline void fixture_map(struct fixture *f, unsigned page, uint64_t bits)
{
	*fixture_entry(f, 1, page) = (WINDOW_GPA + (page ^ 1) * GUEST_PAGE_SIZE) | bits;
}

static inline uint64_t fixture_pte(struct fixture *f, unsigned page)
{
	return *fixture_entry(f, 1, page);
}

/* By hand, not through the walker under test. */
static inline void fixture_copy(struct fixture *f, uint64_t gva, void *buf, size_t len, bool to_guest)
{
	uint8_t *host = buf;

	for (size_t i = 0; i < len; i++) {
		uint64_t page = (gva + i - WINDOW_GVA) / GUEST_PAGE_SIZE;
		uint8_t *byte = guest_mem_ptr(
			&f->mem, gpa(WINDOW_GPA + (page ^ 1) * GUEST_PAGE_SIZE + (gva + i) % GUEST_PAGE_SIZE), 1);

		if (to_guest)
			*byte = host[i];
		else
			host[i] = *byte;
	}
}

static inline void fixture_put(struct fixture *f, uint64_t gva, const void *buf, size_t len)
{
	uint8_t copy[DATA_PAGES * 4096];

	memcpy(copy, buf, len);
	fixture_copy(f, gva, copy, len, true);
}

static inline void fixture_get(struct fixture *f, uint64_t gva, void *buf, size_t len)
{
	fixture_copy(f, gva, buf, len, false);
}

/* The components this machine has; legacy only where it lacks XSAVE. */
static inline void fixture_native_layout(struct assist_xstate_layout *layout)
{
	unsigned a, b, c, d;

	*layout = (struct assist_xstate_layout){.supported = 3, .size = 576};
	if (!__get_cpuid_count(0xd, 0, &a, &b, &c, &d))
		return;
	layout->supported = (uint64_t)d << 32 | a;
	layout->size = c;
	for (unsigned i = 2; i < 63; i++) {
		if (!(layout->supported >> i & 1))
			continue;
		__cpuid_count(0xd, i, a, b, c, d);
		layout->component[i].offset = b;
		layout->component[i].size = a;
		layout->component[i].align64 = c & 2;
	}
}

static inline void fixture_reset_cpu(struct fixture *f)
{
	struct kvm_sregs *s = &f->cpu.sregs;
	const struct kvm_segment data = {
		.limit = ~0u, .type = 3, .present = 1, .db = 1, .s = 1, .g = 1, .selector = 0x18};

	memset(&f->cpu, 0, sizeof(f->cpu));
	s->cr0 = CR0_PE | CR0_MP | CR0_NE | CR0_WP | CR0_PG;
	s->cr3 = TABLE_GPA;
	s->cr4 = CR4_PAE | TEST_CR4_OSFXSR | CR4_OSXSAVE | TEST_CR4_FSGSBASE;
	s->efer = EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE;
	s->cs = (struct kvm_segment){.limit = ~0u, .type = 11, .present = 1, .l = 1, .s = 1, .g = 1, .selector = 0x10};
	s->ds = s->es = s->ss = s->fs = s->gs = data;
	f->cpu.regs.rflags = RFLAGS_FIXED;
	f->cpu.regs.rip = CODE_GVA;
	f->cpu.mem = &f->mem;
	f->cpu.xlayout = &f->layout;
	f->cpu.ops = &fixture_ops;
	f->cpu.opaque = f;
}

static inline void fixture_set_user(struct fixture *f)
{
	f->cpu.sregs.cs.selector = 0x33;
	f->cpu.sregs.cs.dpl = f->cpu.sregs.ss.dpl = 3;
}

static inline void fixture_set_32bit(struct fixture *f)
{
	f->cpu.sregs.cs.l = 0;
	f->cpu.sregs.cs.db = 1;
}

static inline int fixture_init(struct fixture *f)
{
	static const uint8_t init_state[2] = {0x7f, 0x03};
	int err;

	memset(f, 0, sizeof(*f));
	err = guest_mem_init(&f->mem, 8 << 20);
	if (err)
		return err;
	fixture_native_layout(&f->layout);
	f->xcr0 = f->layout.supported;
	memcpy(f->xsave, init_state, 2);
	store_le32(f->xsave + 24, 0x1f80);
	store_le32(f->xsave + 28, 0xffff);
	*fixture_entry(f, 4, 0) = (TABLE_GPA + 0x1000) | PTE_P | PTE_W | PTE_U;
	*fixture_entry(f, 3, 0) = (TABLE_GPA + 0x2000) | PTE_P | PTE_W | PTE_U;
	*fixture_entry(f, 2, WINDOW_GVA >> 21) = (TABLE_GPA + 0x3000) | PTE_P | PTE_W | PTE_U;
	fixture_map(f, CODE_PAGE, PTE_P);
	for (unsigned i = 0; i < DATA_PAGES; i++)
		fixture_map(f, DATA_PAGE + i, PTE_P | PTE_W);
	fixture_reset_cpu(f);
	return 0;
}

static inline void fixture_fini(struct fixture *f)
{
	guest_mem_fini(&f->mem);
}

/* Executes @len bytes of code placed at RIP, which lies in the window. */
static inline enum assist_outcome fixture_run(struct fixture *f, const void *code, size_t len)
{
	fixture_put(f, f->cpu.regs.rip, code, len);
	assist_insn_complete(&f->cpu, &f->result);
	return f->result.outcome;
}

#define RUN(f, ...) fixture_run(f, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* A small generator with a fixed seed: the same operands on every run. */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* Random, but often one of the values at which instructions change their minds. */
static inline uint64_t random_operand(uint64_t *state)
{
	static const uint64_t special[] = {0,	       1,	   0x80, 0x8000, 0x80000000, 1ULL << 63,
					   UINT64_MAX, 0xffffffff, 31,	 32,	 63,	     64};
	uint64_t r = random_next(state);

	if (r % 4 == 0)
		return special[r / 4 % (sizeof(special) / sizeof(special[0]))];
	return random_next(state) >> (r % 3 == 0 ? r / 8 % 64 : 0);
}

#endif
