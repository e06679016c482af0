/* SPDX-License-Identifier: Apache-2.0 */
/* The two chipset ports that reset a PC: 0x92 (system control port A) and 0xcf9 (reset control). Under dev_lock. */
#ifndef VMM_DEVICES_RESET_PORTS_H
#define VMM_DEVICES_RESET_PORTS_H

#include <stdint.h>

#include "devices/bus.h"
#include "devices/power.h"

#define RESET_PORTS_FAST    0x92
#define RESET_PORTS_CONTROL 0xcf9

struct reset_ports {
	struct bus_device fast; /* add both to the bus */
	struct bus_device control;
	struct power_sink power;
	uint8_t fast_value;
	uint8_t control_value;
};

void reset_ports_init(struct reset_ports *ports, struct power_sink power);

#endif
