/* SPDX-License-Identifier: Apache-2.0 */
/* The built init, whole; VMM_GUEST_INIT is its path. */
	.section .rodata
	.balign 16
	.globl guest_init, guest_init_end
	.type guest_init, @object
guest_init:
	.incbin VMM_GUEST_INIT
guest_init_end:
	.size guest_init, . - guest_init

	.section .note.GNU-stack, "", @progbits
