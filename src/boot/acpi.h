/* SPDX-License-Identifier: Apache-2.0 */
/* ACPI 6.x tables: RSDP, XSDT, FADT (hardware-reduced, sleep and reset registers), MADT, DSDT. Start-up only. */
#ifndef VMM_BOOT_ACPI_H
#define VMM_BOOT_ACPI_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "boot/machine.h"
#include "mm/guest_mem.h"

/* Writes the tables into [LAYOUT_ACPI, +LAYOUT_ACPI_SIZE) and the RSDP's address into *rsdp.
 * 0, -ENOSPC or -EFAULT with a line in @err. */
MUST_CHECK int acpi_write(const struct machine *machine, struct guest_mem *mem, uint64_t *rsdp, struct error *err);

#endif
