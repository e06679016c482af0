/* SPDX-License-Identifier: Apache-2.0 */
/* pvpanic on an I/O port: reading tells the supported events, writing reports one. Under dev_lock. */
#include "devices/pvpanic.h"

#include <misc/pvpanic.h>

static void read_events(struct bus_device *dev, uint64_t offset, uint8_t *data, unsigned len)
{
	(void)dev;
	(void)offset;
	(void)len; /* one port: the bus lets through only bytes */
	data[0] = PVPANIC_PANICKED | PVPANIC_CRASH_LOADED;
}

static void write_event(struct bus_device *dev, uint64_t offset, const uint8_t *data, unsigned len)
{
	struct pvpanic *pvpanic = container_of(dev, struct pvpanic, dev);

	(void)offset;
	(void)len;
	if (data[0] & PVPANIC_CRASH_LOADED)
		pvpanic->crash_loaded++;
	if (data[0] & PVPANIC_PANICKED)
		power_request(&pvpanic->power, POWER_PANIC, data[0]);
}

static const struct bus_ops pvpanic_ops = {.name = "pvpanic", .read = read_events, .write = write_event};

void pvpanic_init(struct pvpanic *pvpanic, uint16_t port, struct power_sink power)
{
	*pvpanic = (struct pvpanic){
		.dev = {.ops = &pvpanic_ops, .space = BUS_PIO, .base = port, .size = 1},
		.power = power,
	};
}
