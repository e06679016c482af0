/* SPDX-License-Identifier: Apache-2.0 */
/* The least guest there is: entered by PVH, ends at once with status 7. For start-up tests and benches. */
#include "bare_asm.h"

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, 18
	.asciz "Xen"
	.long _start

	.section .start, "ax"
	.code32
	.globl _start
_start:
	mov $7, %al
	out %al, $EXIT_PORT
1:	hlt
	jmp 1b
