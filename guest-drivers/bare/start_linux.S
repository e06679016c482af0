/* SPDX-License-Identifier: Apache-2.0 */
/* The Linux 64-bit boot protocol (Documentation/arch/x86/boot.rst): long mode, RSI = boot_params. */
#include "bare_asm.h"

	.section .start, "ax"
	.code64
	.globl _start
_start:
	lgdt gdt_pointer(%rip)
	mov $page_map, %eax
	mov %rax, %cr3
	mov $stack_top, %esp
	mov $BOOT_BY_LINUX, %edi
	pushq $SELECTOR_CODE64
	pushq $enter_kit
	lretq
