/* SPDX-License-Identifier: Apache-2.0 */
/* How a device asks for the end of the machine: power-off, reset, a status, a panic. */
#ifndef VMM_DEVICES_POWER_H
#define VMM_DEVICES_POWER_H

#include <stdint.h>

enum power_event {
	POWER_OFF,	   /* ACPI S5 */
	POWER_RESET,	   /* ACPI reset register, i8042 pulse, port 0xcf9 style resets */
	POWER_EXIT_STATUS, /* exit port; @value is the guest's status */
	POWER_PANIC,	   /* pvpanic; @value is the byte written */
};

/* Called on a vCPU thread with dev_lock held; must not block. The machine ends soon after the current access. */
struct power_sink {
	void (*request)(void *opaque, enum power_event event, uint32_t value);
	void *opaque;
};

static inline void power_request(const struct power_sink *sink, enum power_event event, uint32_t value)
{
	sink->request(sink->opaque, event, value);
}

#endif
