/* SPDX-License-Identifier: Apache-2.0 */
/* What the firmware-like tables describe: plain data, filled by the machine's assembly, read by acpi, mptable and fdt.
 */
#ifndef VMM_BOOT_MACHINE_H
#define VMM_BOOT_MACHINE_H

#include <stdint.h>

#include "boot/layout.h"

struct machine_virtio_slot {
	uint64_t base; /* guest-physical, LAYOUT_VIRTIO_MMIO_SIZE bytes */
	uint32_t gsi;  /* IOAPIC pin, edge-triggered */
};

struct machine {
	unsigned nr_cpus; /* 1..LAYOUT_MAX_CPUS; APIC id n for CPU n */
	unsigned nr_virtio;
	struct machine_virtio_slot virtio[LAYOUT_MAX_VIRTIO_SLOTS];
};

#endif
