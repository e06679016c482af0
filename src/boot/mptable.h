/* SPDX-License-Identifier: Apache-2.0 */
/* Intel MultiProcessor Specification 1.4 tables, for kernels without ACPI. Start-up only. */
#ifndef VMM_BOOT_MPTABLE_H
#define VMM_BOOT_MPTABLE_H

#include "base/compiler.h"
#include "base/error.h"
#include "boot/machine.h"
#include "mm/guest_mem.h"

/* Writes the floating pointer at LAYOUT_MPTABLE_FLOAT and the configuration table at LAYOUT_MPTABLE.
 * 0, -ENOSPC or -EFAULT with a line in @err. */
MUST_CHECK int mptable_write(const struct machine *machine, struct guest_mem *mem, struct error *err);

#endif
