/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that the kit's assembly and its C agree on. */
#ifndef VMM_GUEST_BARE_ASM_H
#define VMM_GUEST_BARE_ASM_H

/* Selectors of the kit's GDT (tables.S). */
#define SELECTOR_CODE32	   0x08
#define SELECTOR_CODE64	   0x10
#define SELECTOR_DATA	   0x18
#define SELECTOR_USER_DATA 0x23 /* RPL 3 */
#define SELECTOR_USER_CODE 0x2b
#define SELECTOR_TSS	   0x30
#define GDT_SIZE	   0x40 /* the TSS takes two entries */

/* How the image was entered; start_*.S passes it on. */
#define BOOT_BY_PVH	  1
#define BOOT_BY_MULTIBOOT 2
#define BOOT_BY_LINUX	  3

#define EXIT_PORT 0xf4

/* Where application processors begin: a page below 640 KiB that the VMM leaves free. */
#define AP_PAGE	      0x10000
#define AP_STACK_SIZE 2048
#define MAX_CPUS      64

/* Vectors with a stub: exceptions and a few interrupts. */
#define NR_VECTORS 64

#endif
