/* SPDX-License-Identifier: Apache-2.0 */
/* pvpanic: the guest's kernel tells that it panicked (QEMU docs/specs/pvpanic, I/O port form). Under dev_lock. */
#ifndef VMM_DEVICES_PVPANIC_H
#define VMM_DEVICES_PVPANIC_H

#include <stdint.h>

#include "devices/bus.h"
#include "devices/power.h"

struct pvpanic {
	struct bus_device dev;
	struct power_sink power;
	uint64_t crash_loaded; /* panics that a crash kernel in the guest takes over: the machine goes on */
};

void pvpanic_init(struct pvpanic *pvpanic, uint16_t port, struct power_sink power);

#endif
