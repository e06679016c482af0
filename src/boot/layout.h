/* SPDX-License-Identifier: Apache-2.0 */
/* The physical map that the boot code, the tables, the devices and the machine agree on (ARCHITECTURE.md, "Physical
 * map"). */
#ifndef VMM_BOOT_LAYOUT_H
#define VMM_BOOT_LAYOUT_H

/* --- below 640 KiB: boot structures, dead once the guest has read them, except where marked reserved in the e820 */
#define LAYOUT_GDT		0x500ULL /* 4 entries: null, unused, code, data */
#define LAYOUT_GDT_SIZE		32
#define LAYOUT_GDT_CODE		0x10	  /* __BOOT_CS of the Linux boot protocol */
#define LAYOUT_GDT_DATA		0x18	  /* __BOOT_DS */
#define LAYOUT_START_INFO	0x6000ULL /* PVH start info, module list, memory map; or Multiboot info: one page */
#define LAYOUT_BOOT_PARAMS	0x7000ULL /* Linux boot_params: one page */
#define LAYOUT_BOOT_STACK	0x8ff0ULL /* initial stack pointer, grows down */
#define LAYOUT_PAGE_TABLES	0x9000ULL /* PML4, PDPT, 4 page directories: 6 pages, identity map of 4 GiB */
#define LAYOUT_PAGE_TABLES_SIZE 0x6000ULL
#define LAYOUT_CMDLINE		0x20000ULL /* NUL-terminated, at most LAYOUT_CMDLINE_SIZE with the NUL */
#define LAYOUT_CMDLINE_SIZE	0x1000ULL
#define LAYOUT_FDT		0x30000ULL /* setup_data header and flattened device tree */
#define LAYOUT_FDT_SIZE		0x10000ULL

/* From here to 1 MiB nothing is usable RAM: e820 says reserved. */
#define LAYOUT_LOW_RESERVED  0x9c000ULL
#define LAYOUT_ASSIST_CODE   0x9c000ULL /* system-call trampoline (src/x86/assist_syscall.c) */
#define LAYOUT_MPTABLE	     0x9e000ULL /* MP configuration table */
#define LAYOUT_MPTABLE_SIZE  0x1c00ULL
#define LAYOUT_MPTABLE_FLOAT 0x9fc00ULL /* MP floating pointer: the last KiB of base memory */
#define LAYOUT_EBDA	     0x9fc00ULL
#define LAYOUT_VGA_HOLE	     0xa0000ULL /* e820 hole to 0xe0000 */
#define LAYOUT_ACPI	     0xe0000ULL /* RSDP first, then the tables; to 1 MiB */
#define LAYOUT_ACPI_SIZE     0x20000ULL
#define LAYOUT_HIGH_MEM	     0x100000ULL

/* --- MMIO hole, 0xc0000000-0xffffffff (mm/guest_mem.h) */
#define LAYOUT_VIRTIO_MMIO	0xd0000000ULL
#define LAYOUT_VIRTIO_MMIO_SIZE 0x1000ULL
#define LAYOUT_ASSIST_MMIO	0xdf000000ULL /* the trampoline's doorbell page; no device answers there */
#define LAYOUT_COMMAND_WINDOW	0xcf000000ULL /* with a command: a page and a ring (ci/command_proto.h) */
#define LAYOUT_IOAPIC		0xfec00000ULL
#define LAYOUT_LAPIC		0xfee00000ULL
#define LAYOUT_KVM_TSS		0xfffbd000ULL /* KVM_SET_TSS_ADDR: three pages, for VT-x real mode */
#define LAYOUT_KVM_IDENTITY_MAP 0xfffbc000ULL /* KVM_SET_IDENTITY_MAP_ADDR: one page */

/* --- I/O ports */
#define LAYOUT_COM1_PORT	0x3f8
#define LAYOUT_COM1_GSI		4
#define LAYOUT_COM2_PORT	0x2f8
#define LAYOUT_COM2_GSI		3
#define LAYOUT_RTC_PORT		0x70
#define LAYOUT_I8042_PORT	0x60 /* data; command and status at 0x64 */
#define LAYOUT_EXIT_PORT	0xf4
#define LAYOUT_PVPANIC_PORT	0x505
#define LAYOUT_ACPI_SLEEP_PORT	0x600 /* sleep control; sleep status at +1; reset register at +2 */
#define LAYOUT_ACPI_STATUS_PORT 0x601
#define LAYOUT_ACPI_RESET_PORT	0x602
#define LAYOUT_ACPI_RESET_VALUE 0x01
#define LAYOUT_COMMAND_PORT	0x620 /* with a command: the window's doorbell */
#define LAYOUT_ACPI_S5_TYPE	5     /* SLP_TYP of \_S5 */

#define LAYOUT_MAX_CPUS		64
#define LAYOUT_MAX_VIRTIO_SLOTS 32
#define LAYOUT_IOAPIC_PINS	24

#endif
