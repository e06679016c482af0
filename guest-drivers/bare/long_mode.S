/* SPDX-License-Identifier: Apache-2.0 */
/* From any entry to kit_start(protocol, info) in 64-bit mode on the kit's own tables and stack. */
#include "bare_asm.h"

#define CR0_PG	       0x80000000
#define CR0_MP	       0x2
#define CR0_EM	       0x4
#define CR4_PAE	       0x20
#define CR4_OSFXSR     0x200
#define CR4_OSXMMEXCPT 0x400
#define MSR_EFER       0xc0000080
#define EFER_LME       0x100

	.section .text
	.code32
	.macro turn_paging_on
	mov $page_map, %eax
	mov %eax, %cr3
	mov %cr4, %eax
	or $CR4_PAE, %eax
	mov %eax, %cr4
	mov $MSR_EFER, %ecx
	rdmsr
	or $EFER_LME, %eax
	wrmsr
	mov %cr0, %eax
	or $CR0_PG, %eax
	mov %eax, %cr0
	.endm

/* EDI = protocol, ESI = what it hands over. */
	.globl enter_long_mode
enter_long_mode:
	lgdt gdt_pointer
	turn_paging_on
	mov $stack_top, %esp
	ljmp $SELECTOR_CODE64, $enter_kit

	.code64
	.macro load_segments
	mov $SELECTOR_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	mov %cr0, %rax
	or $CR0_MP, %eax
	and $~CR0_EM, %eax
	mov %rax, %cr0
	mov %cr4, %rax
	or $(CR4_OSFXSR | CR4_OSXMMEXCPT), %eax
	mov %rax, %cr4
	.endm

	.globl enter_kit
enter_kit:
	load_segments
	mov %edi, %edi
	mov %esi, %esi
	xor %ebp, %ebp
	call kit_start
1:	hlt
	jmp 1b

/*
 * Application processors: ap_page is copied to AP_PAGE, where a start-up IPI enters it in real mode with CS:IP =
 * AP_PAGE >> 4 : 0. Each takes a number from ap_next, a stack from ap_stacks, and calls ap_start(number).
 */
	.section .rodata
	.code16
	.globl ap_page, ap_page_end
ap_page:
	cli
	mov %cs, %ax
	mov %ax, %ds
	lgdtl ap_gdt_pointer - ap_page
	mov %cr0, %eax
	or $1, %eax
	mov %eax, %cr0
	ljmpl $SELECTOR_CODE32, $ap_protected
	.balign 4
ap_gdt_pointer:
	.word GDT_SIZE - 1
	.long gdt
ap_page_end:

	.section .text
	.code32
ap_protected:
	mov $SELECTOR_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	turn_paging_on
	ljmp $SELECTOR_CODE64, $ap_long

	.code64
ap_long:
	load_segments
	mov $1, %edi
	lock xadd %edi, ap_next(%rip)
	lea 1(%rdi), %eax
	imul $AP_STACK_SIZE, %eax, %eax
	lea ap_stacks(%rip), %rsp
	add %rax, %rsp
	xor %ebp, %ebp
	call ap_start
1:	cli
	hlt
	jmp 1b

	.section .bss
	.balign 16
	.space 16384
	.globl stack_top
stack_top:
	.globl ap_next
ap_next:
	.long 0
	.balign 16
ap_stacks:
	.space AP_STACK_SIZE * MAX_CPUS
