/* SPDX-License-Identifier: Apache-2.0 */
/* The way to CPL 3. The kit's page tables let it touch all memory and devices. Ports are opened twice: by IOPL 3 and by
 * the TSS's permission bitmap, because a KVM without hardware virtualization runs CPL 3 with IOPL 0 and asks the
 * bitmap. */
#include "kit.h"

#define FLAGS_FIXED 0x2u
#define FLAGS_IOPL3 0x3000u
#define BITMAP_SIZE 8192u	    /* all ports open: zero */
#define TSS_TYPE    (0x89ULL << 40) /* present, available 64-bit TSS */

extern uint64_t gdt_tss[2];
_Noreturn void user_jump(uint64_t entry, uint64_t stack, uint64_t flags);

/* 64-bit TSS (Intel SDM vol. 3, 8.7). */
static struct {
	uint32_t reserved0;
	uint32_t rsp[6]; /* RSP0 to RSP2, low half first */
	uint32_t reserved1[18];
	uint16_t reserved2;
	uint16_t bitmap_offset;
	uint8_t bitmap[BITMAP_SIZE];
	uint8_t bitmap_end;
} __attribute__((packed)) tss;

static uint8_t trap_stack[4096] __attribute__((aligned(16)));
static uint8_t user_stack[8192] __attribute__((aligned(16)));

static void load_tss(void)
{
	const uint64_t base = (uint64_t)(uintptr_t)&tss, stack = (uint64_t)(uintptr_t)(trap_stack + sizeof(trap_stack));
	const uint64_t limit = sizeof(tss) - 1;

	tss.rsp[0] = (uint32_t)stack;
	tss.rsp[1] = (uint32_t)(stack >> 32);
	tss.bitmap_offset = offsetof(__typeof__(tss), bitmap);
	tss.bitmap_end = 0xff;
	gdt_tss[0] = limit | (base & 0xffffff) << 16 | TSS_TYPE | (base >> 24 & 0xff) << 56;
	gdt_tss[1] = base >> 32;
	__asm__ volatile("ltr %w0" : : "r"(SELECTOR_TSS));
}

_Noreturn void user_enter(void (*entry)(void))
{
	load_tss();
	user_jump((uint64_t)(uintptr_t)entry, (uint64_t)(uintptr_t)(user_stack + sizeof(user_stack) - 8),
		  FLAGS_FIXED | FLAGS_IOPL3);
}
