/* SPDX-License-Identifier: Apache-2.0 */
/* Multiboot 1 (specification 0.6.96, 3.1 and 3.2): EAX = magic, EBX = information. */
#include "bare_asm.h"

#define HEADER_MAGIC 0x1badb002
#define HEADER_FLAGS 0x3 /* page-aligned modules, memory map */
#define BOOT_MAGIC   0x2badb002

	.section .start, "ax"
	.balign 4
	.long HEADER_MAGIC, HEADER_FLAGS, -(HEADER_MAGIC + HEADER_FLAGS)

	.code32
	.globl _start
_start:
	cmp $BOOT_MAGIC, %eax
	jne 1f
	mov $BOOT_BY_MULTIBOOT, %edi
	mov %ebx, %esi
	jmp enter_long_mode
1:	mov $90, %eax
	out %eax, $EXIT_PORT
2:	hlt
	jmp 2b
