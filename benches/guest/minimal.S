/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smallest guest: a PVH ELF whose first instructions end the machine with status 42. The same port and width end
 * vmm and QEMU's isa-debug-exit, so both run this very file.
 */
#define PHYS32_ENTRY 18 /* the note of PVH: physical address of the 32-bit entry */
#define EXIT_PORT    0xf4
#define EXIT_STATUS  42

	.section .note.pvh, "a", @note
	.balign 4
	.long 2f - 1f, 4f - 3f, PHYS32_ENTRY
1:	.asciz "Xen"
2:	.balign 4
3:	.long _start
4:

	.text
	.code32
	.globl _start
_start:
	movl $EXIT_STATUS, %eax
	outl %eax, $EXIT_PORT
halt:
	hlt
	jmp halt

	.section .note.GNU-stack, "", @progbits
