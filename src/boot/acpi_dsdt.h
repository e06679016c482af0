/* SPDX-License-Identifier: Apache-2.0 */
/* The DSDT's definition block: processors, ISA devices, virtio-mmio slots and \_S5. Start-up only. */
#ifndef VMM_BOOT_ACPI_DSDT_H
#define VMM_BOOT_ACPI_DSDT_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "boot/machine.h"

/* Encodes everything behind the table header into @buf of @size bytes. 0 with the length in *len, or -ENOSPC. */
MUST_CHECK int acpi_dsdt_encode(const struct machine *machine, uint8_t *buf, size_t size, size_t *len);

#endif
