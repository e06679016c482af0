/* SPDX-License-Identifier: Apache-2.0 */
/* The exit port. Under dev_lock. */
#include "devices/exit_port.h"

static void write_status(struct bus_device *dev, uint64_t offset, const uint8_t *data, unsigned len)
{
	const struct exit_port *port = container_of(dev, struct exit_port, dev);
	uint32_t status = 0;

	if (offset != 0)
		return;
	for (unsigned i = 0; i < len; i++)
		status |= (uint32_t)data[i] << 8 * i;
	power_request(&port->power, POWER_EXIT_STATUS, status);
}

static const struct bus_ops exit_ops = {.name = "exit-port", .write = write_status};

void exit_port_init(struct exit_port *port, uint16_t base, struct power_sink power)
{
	*port = (struct exit_port){
		.dev = {.ops = &exit_ops, .space = BUS_PIO, .base = base, .size = EXIT_PORT_SIZE},
		.power = power,
	};
}
