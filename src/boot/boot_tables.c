/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/boot_tables.h"

#include "base/endian.h"
#include "boot/image_kernel.h"
#include "boot/layout.h"

/* Flat segments of 4 GiB, present, accessed, ring 0 (Intel SDM vol. 3, 3.4.5). */
#define GDT_CODE64 0x00af9b000000ffffULL
#define GDT_CODE32 0x00cf9b000000ffffULL
#define GDT_DATA   0x00cf93000000ffffULL

/* Intel SDM vol. 3, 4.5. */
#define ENTRY_TABLE	 0x3ULL	 /* present, writable */
#define ENTRY_LARGE_PAGE 0x83ULL /* present, writable, 2 MiB */

#define ENTRIES_PER_TABLE  512
#define NR_DIRECTORIES	   4
#define LARGE_PAGE_SIZE	   0x200000ULL
#define LAYOUT_PDPT	   (LAYOUT_PAGE_TABLES + GUEST_PAGE_SIZE)
#define LAYOUT_DIRECTORIES (LAYOUT_PDPT + GUEST_PAGE_SIZE)

_Static_assert((2 + NR_DIRECTORIES) * GUEST_PAGE_SIZE == LAYOUT_PAGE_TABLES_SIZE, "the tables fill their place");

static int write_gdt(struct guest_mem *mem, enum image_cpu_mode mode, struct error *err)
{
	le64 gdt[BOOT_TABLES_GDT_ENTRIES] = {
		[BOOT_TABLES_CODE_SELECTOR / 8] = le64_of(mode == IMAGE_CPU_LONG64 ? GDT_CODE64 : GDT_CODE32),
		[BOOT_TABLES_DATA_SELECTOR / 8] = le64_of(GDT_DATA),
	};

	return image_write(mem, LAYOUT_GDT, gdt, sizeof(gdt), err);
}

static int write_page_tables(struct guest_mem *mem, struct error *err)
{
	le64 table[ENTRIES_PER_TABLE] = {le64_of(LAYOUT_PDPT | ENTRY_TABLE)};
	uint64_t address = 0;
	int code = image_write(mem, LAYOUT_PAGE_TABLES, table, sizeof(table), err);

	for (unsigned i = 0; i < NR_DIRECTORIES; i++)
		table[i] = le64_of((LAYOUT_DIRECTORIES + i * GUEST_PAGE_SIZE) | ENTRY_TABLE);
	if (!code)
		code = image_write(mem, LAYOUT_PDPT, table, sizeof(table), err);
	for (unsigned i = 0; i < NR_DIRECTORIES && !code; i++) {
		for (unsigned j = 0; j < ENTRIES_PER_TABLE; j++, address += LARGE_PAGE_SIZE)
			table[j] = le64_of(address | ENTRY_LARGE_PAGE);
		code = image_write(mem, LAYOUT_DIRECTORIES + i * GUEST_PAGE_SIZE, table, sizeof(table), err);
	}
	return code;
}

int boot_tables_write(struct guest_mem *mem, enum image_cpu_mode mode, struct error *err)
{
	int code = write_gdt(mem, mode, err);

	if (!code && mode == IMAGE_CPU_LONG64)
		code = write_page_tables(mem, err);
	return code;
}
