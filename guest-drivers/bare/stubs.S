/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupt stubs, 16 bytes apart: all end in trap_dispatch(struct trap_frame *). */
#include "bare_asm.h"

	.section .text
	.code64
	.balign 16
	.globl trap_stubs
trap_stubs:
	.set vector, 0
	.rept NR_VECTORS
	.balign 16
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
	pushq $0
	.endif
	pushq $vector
	jmp trap_common
	.set vector, vector + 1
	.endr

trap_common:
	push %r15
	push %r14
	push %r13
	push %r12
	push %r11
	push %r10
	push %r9
	push %r8
	push %rdi
	push %rsi
	push %rbp
	push %rbx
	push %rdx
	push %rcx
	push %rax
	mov %rsp, %rdi
	cld
	call trap_dispatch
	pop %rax
	pop %rcx
	pop %rdx
	pop %rbx
	pop %rbp
	pop %rsi
	pop %rdi
	pop %r8
	pop %r9
	pop %r10
	pop %r11
	pop %r12
	pop %r13
	pop %r14
	pop %r15
	add $16, %rsp
	iretq

/* void user_jump(uint64_t entry, uint64_t stack, uint64_t flags): to CPL 3, for good. */
	.globl user_jump
user_jump:
	pushq $SELECTOR_USER_DATA
	push %rsi
	push %rdx
	pushq $SELECTOR_USER_CODE
	push %rdi
	mov $SELECTOR_USER_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	iretq
