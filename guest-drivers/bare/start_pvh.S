/* SPDX-License-Identifier: Apache-2.0 */
/* PVH entry (Xen docs/misc/pvh): 32-bit protected mode, paging off, EBX = start info. */
#include "bare_asm.h"

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, 18		/* name size, descriptor size, XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long _start

	.section .start, "ax"
	.code32
	.globl _start
_start:
	mov $BOOT_BY_PVH, %edi
	mov %ebx, %esi
	jmp enter_long_mode
