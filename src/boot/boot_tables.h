/* SPDX-License-Identifier: Apache-2.0 */
/* The page tables and the GDT that vCPU 0 starts with. Start-up only. */
#ifndef VMM_BOOT_BOOT_TABLES_H
#define VMM_BOOT_BOOT_TABLES_H

#include "base/compiler.h"
#include "base/error.h"
#include "boot/image.h"
#include "mm/guest_mem.h"

#define BOOT_TABLES_CODE_SELECTOR 0x10
#define BOOT_TABLES_DATA_SELECTOR 0x18
#define BOOT_TABLES_GDT_ENTRIES	  4

/* Writes the GDT at LAYOUT_GDT, with a code segment of 64 or 32 bits by @mode; for IMAGE_CPU_LONG64 also the identity
 * map of 4 GiB in 2 MiB pages at LAYOUT_PAGE_TABLES. 0, or -EFAULT with a line in @err. */
MUST_CHECK int boot_tables_write(struct guest_mem *mem, enum image_cpu_mode mode, struct error *err);

#endif
