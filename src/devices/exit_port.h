/* SPDX-License-Identifier: Apache-2.0 */
/* A guest ends its machine with a status by one port write, as with the debug-exit devices of other VMMs. Under
 * dev_lock. */
#ifndef VMM_DEVICES_EXIT_PORT_H
#define VMM_DEVICES_EXIT_PORT_H

#include <stdint.h>

#include "devices/bus.h"
#include "devices/power.h"

#define EXIT_PORT_SIZE 4

struct exit_port {
	struct bus_device dev;
	struct power_sink power;
};

/* An 8-, 16- or 32-bit write to @port is the status, passed on as it is; the EXIT_PORT_SIZE - 1 ports above it only
 * make room for the wide writes. */
void exit_port_init(struct exit_port *port, uint16_t base, struct power_sink power);

#endif
