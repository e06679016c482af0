/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Executes one instruction, given as bytes, on this machine's CPU with chosen registers, flags, extended state and
 * memory. Its memory lies at the address of the fixture's data window, so that registers are the same on both sides.
 */
#ifndef VMM_TEST_ASSIST_NATIVE_H
#define VMM_TEST_ASSIST_NATIVE_H

#include <cpuid.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unit/x86/assist_fixture.h"

#define NATIVE_CODE	 0x30000000UL
#define NATIVE_BLOCK	 0x30100000UL
#define NATIVE_CODE_SIZE 0x1000UL

/* At a fixed address, which the stub names in absolute form: it needs no register for itself. */
struct native_block {
	uint64_t gpr[16]; /* in encoding order; RSP is not loaded */
	uint64_t rflags;
	uint64_t xmask;	 /* components loaded and stored around the instruction; 0: none */
	uint64_t xinuse; /* out: XGETBV with ECX=1 before the instruction */
	uint64_t pad[5 + 40];
	_Alignas(64) uint8_t host[ASSIST_XSAVE_MAX]; /* this process's own state meanwhile */
	_Alignas(64) uint8_t before[ASSIST_XSAVE_MAX];
	_Alignas(64) uint8_t after[ASSIST_XSAVE_MAX];
};

_Static_assert(offsetof(struct native_block, host) == 0x200, "the stub's numbers");

/* clang-format off */
__asm__(
	".pushsection .rodata\n"
	".macro native_mask\n"
	"	mov 0x30100088, %eax\n"
	"	mov 0x3010008c, %edx\n"
	".endm\n"
	".globl native_stub, native_slot, native_stub_end\n"
	"native_stub:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	cmpq $0, 0x30100088\n"
	"	je 1f\n"
	"	native_mask\n"
	"	mov $0x30100200, %edi\n"
	"	xsave64 (%rdi)\n"
	"	mov $0x30104200, %edi\n"
	"	xrstor64 (%rdi)\n"
	"	mov $1, %ecx\n"
	"	xgetbv\n"
	"	mov %eax, 0x30100090\n"
	"	mov %edx, 0x30100094\n"
	"1:	pushq 0x30100080\n"
	"	popfq\n"
	"	mov 0x30100000, %rax; mov 0x30100008, %rcx; mov 0x30100010, %rdx; mov 0x30100018, %rbx\n"
	"	mov 0x30100028, %rbp; mov 0x30100030, %rsi; mov 0x30100038, %rdi; mov 0x30100040, %r8\n"
	"	mov 0x30100048, %r9; mov 0x30100050, %r10; mov 0x30100058, %r11; mov 0x30100060, %r12\n"
	"	mov 0x30100068, %r13; mov 0x30100070, %r14; mov 0x30100078, %r15\n"
	"native_slot:\n"
	"	.fill 15, 1, 0x90\n"
	"	mov %rax, 0x30100000; mov %rcx, 0x30100008; mov %rdx, 0x30100010; mov %rbx, 0x30100018\n"
	"	mov %rbp, 0x30100028; mov %rsi, 0x30100030; mov %rdi, 0x30100038; mov %r8, 0x30100040\n"
	"	mov %r9, 0x30100048; mov %r10, 0x30100050; mov %r11, 0x30100058; mov %r12, 0x30100060\n"
	"	mov %r13, 0x30100068; mov %r14, 0x30100070; mov %r15, 0x30100078\n"
	"	pushfq\n"
	"	popq 0x30100080\n"
	"	cmpq $0, 0x30100088\n"
	"	je 2f\n"
	"	native_mask\n"
	"	mov $0x30108200, %edi\n"
	"	xsave64 (%rdi)\n"
	"	mov $0x30100200, %edi\n"
	"	xrstor64 (%rdi)\n"
	"2:	cld\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n"
	"native_stub_end:\n"
	".popsection\n");
/* clang-format on */
extern const uint8_t native_stub[], native_slot[], native_stub_end[];

static inline struct native_block *native_block(void)
{
	return (struct native_block *)NATIVE_BLOCK;
}

static inline uint8_t *native_data(void)
{
	return (uint8_t *)DATA_GVA;
}

static inline bool native_map(uint64_t at, size_t len, int prot)
{
	void *p = mmap((void *)at, len, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	return p == (void *)at;
}

/* False when this machine does not let us. */
static inline bool native_init(void)
{
	return native_map(NATIVE_CODE, NATIVE_CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC) &&
	       native_map(NATIVE_BLOCK, (sizeof(struct native_block) + 4095) & ~4095UL, PROT_READ | PROT_WRITE) &&
	       native_map(DATA_GVA, DATA_PAGES * GUEST_PAGE_SIZE, PROT_READ | PROT_WRITE);
}

static inline void native_fini(void)
{
	munmap((void *)NATIVE_CODE, NATIVE_CODE_SIZE);
	munmap((void *)NATIVE_BLOCK, (sizeof(struct native_block) + 4095) & ~4095UL);
	munmap((void *)DATA_GVA, DATA_PAGES * GUEST_PAGE_SIZE);
}

static inline void native_run(const uint8_t *code, size_t len)
{
	uint8_t *to = (uint8_t *)NATIVE_CODE;
	size_t slot = (size_t)(native_slot - native_stub);
	void (*function)(void);

	memcpy(to, native_stub, (size_t)(native_stub_end - native_stub));
	memcpy(to + slot, code, len);
	function = (void (*)(void))NATIVE_CODE;
	function();
}

static inline uint64_t *native_gpr_of(struct kvm_regs *r, unsigned i)
{
	__u64 *const order[16] = {&r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp, &r->rsi, &r->rdi,
				  &r->r8,  &r->r9,  &r->r10, &r->r11, &r->r12, &r->r13, &r->r14, &r->r15};

	return (uint64_t *)(void *)order[i];
}

static inline void native_load_regs(struct kvm_regs *regs)
{
	for (unsigned i = 0; i < 16; i++)
		native_block()->gpr[i] = *native_gpr_of(regs, i);
	native_block()->rflags = regs->rflags;
}

#endif
