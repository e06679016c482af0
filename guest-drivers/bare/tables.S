/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors and page tables as data: where supervisor code is emulated, building them at run time costs milliseconds. */
#include "bare_asm.h"

/* Present, writable, user: CPL 3 code may touch everything, ports and devices included. */
#define TABLE 0x7
#define LARGE 0x87

	.section .data
	.balign 4096
	.globl page_map
page_map:
	.quad page_directory_pointers + TABLE
	.fill 511, 8, 0
page_directory_pointers:
	.quad page_directories + TABLE
	.quad page_directories + 0x1000 + TABLE
	.quad page_directories + 0x2000 + TABLE
	.quad page_directories + 0x3000 + TABLE
	.fill 508, 8, 0
page_directories:		/* 4 GiB, 2 MiB a page */
	.set address, 0
	.rept 2048
	.quad address + LARGE
	.set address, address + 0x200000
	.endr

	.balign 16
	.globl gdt, gdt_pointer, gdt_tss
gdt:
	.quad 0
	.quad 0x00cf9b000000ffff	/* 32-bit code */
	.quad 0x00af9b000000ffff	/* 64-bit code */
	.quad 0x00cf93000000ffff	/* data */
	.quad 0x00cff3000000ffff	/* user data */
	.quad 0x00affb000000ffff	/* user 64-bit code */
gdt_tss:
	.quad 0, 0			/* filled by user_enter */
	.balign 16
gdt_pointer:
	.word GDT_SIZE - 1
	.quad gdt
