/* SPDX-License-Identifier: Apache-2.0 */
/* Ports 0x92 and 0xcf9 (Intel PCH data sheets, "PORT92" and "RST_CNT"). Under dev_lock. */
#include "devices/reset_ports.h"

#define FAST_RESET 0x01
#define FAST_A20   0x02 /* always on in a VM; Linux's set-up code reads it back */

#define CONTROL_RESET_CPU 0x04 /* self-clearing; the bits around it choose the kind of reset */

static void read_fast(struct bus_device *dev, uint64_t offset, uint8_t *data, unsigned len)
{
	const struct reset_ports *ports = container_of(dev, struct reset_ports, fast);

	(void)offset;
	(void)len; /* one port: the bus lets through only bytes */
	data[0] = ports->fast_value;
}

static void write_fast(struct bus_device *dev, uint64_t offset, const uint8_t *data, unsigned len)
{
	struct reset_ports *ports = container_of(dev, struct reset_ports, fast);

	(void)offset;
	(void)len;
	ports->fast_value = (data[0] & (uint8_t)~FAST_RESET) | FAST_A20;
	if (data[0] & FAST_RESET)
		power_request(&ports->power, POWER_RESET, 0);
}

static void read_control(struct bus_device *dev, uint64_t offset, uint8_t *data, unsigned len)
{
	const struct reset_ports *ports = container_of(dev, struct reset_ports, control);

	(void)offset;
	(void)len;
	data[0] = ports->control_value;
}

static void write_control(struct bus_device *dev, uint64_t offset, const uint8_t *data, unsigned len)
{
	struct reset_ports *ports = container_of(dev, struct reset_ports, control);

	(void)offset;
	(void)len;
	ports->control_value = data[0] & (uint8_t)~CONTROL_RESET_CPU;
	if (data[0] & CONTROL_RESET_CPU)
		power_request(&ports->power, POWER_RESET, 0);
}

static const struct bus_ops fast_ops = {.name = "port-92", .read = read_fast, .write = write_fast};
static const struct bus_ops control_ops = {.name = "port-cf9", .read = read_control, .write = write_control};

void reset_ports_init(struct reset_ports *ports, struct power_sink power)
{
	*ports = (struct reset_ports){
		.fast = {.ops = &fast_ops, .space = BUS_PIO, .base = RESET_PORTS_FAST, .size = 1},
		.control = {.ops = &control_ops, .space = BUS_PIO, .base = RESET_PORTS_CONTROL, .size = 1},
		.power = power,
		.fast_value = FAST_A20,
	};
}
