/* SPDX-License-Identifier: Apache-2.0 */
/* Flattened device tree of the machine, built with libfdt: for bare guests and --dump-fdt. Start-up only. */
#ifndef VMM_BOOT_FDT_H
#define VMM_BOOT_FDT_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "boot/machine.h"
#include "mm/guest_mem.h"

/* Builds the tree (memory, cpus, chosen/bootargs and initrd range when its size is not 0, uarts, rtc, ioapic, virtio
 * slots, exit and pvpanic ports) in @buf of @size bytes, packed. Returns the packed size, or -errno with a line. */
MUST_CHECK int fdt_build(const struct machine *machine, const struct guest_mem *mem, const char *cmdline,
			 uint64_t initrd_start, uint64_t initrd_size, void *buf, uint32_t size, struct error *err);

#endif
