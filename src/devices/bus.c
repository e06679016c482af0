/* SPDX-License-Identifier: Apache-2.0 */
/* Port and MMIO dispatch: one sorted array per address space. Assembly, then vCPU threads under dev_lock. */
#include "devices/bus.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"

#define PIO_SPACE_SIZE 0x10000ULL

/* How many devices start at or below @addr: the last of them is the only one that can contain @addr. */
static unsigned count_starting_below(const struct bus *bus, enum bus_space space, uint64_t addr)
{
	unsigned low = 0, high = bus->count[space];

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (bus->devices[space][mid]->base <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_valid_range(const struct bus_device *dev)
{
	/* The last byte must exist; in MMIO space it may be the very last of the 64-bit space. */
	if (dev->size == 0 || dev->size - 1 > UINT64_MAX - dev->base)
		return false;
	return dev->space == BUS_MMIO || range_within(dev->base, dev->size, PIO_SPACE_SIZE);
}

int bus_add(struct bus *bus, struct bus_device *dev)
{
	struct bus_device **devices = bus->devices[dev->space];
	unsigned *count = &bus->count[dev->space];

	if (!dev->ops || !is_valid_range(dev))
		return -EINVAL;
	if (*count == BUS_MAX_DEVICES)
		return -ENOSPC;

	unsigned at = count_starting_below(bus, dev->space, dev->base);
	if (at > 0 && dev->base - devices[at - 1]->base < devices[at - 1]->size)
		return -EEXIST;
	if (at < *count && devices[at]->base - dev->base < dev->size)
		return -EEXIST;

	for (unsigned i = *count; i > at; i--)
		devices[i] = devices[i - 1];
	devices[at] = dev;
	++*count;
	return 0;
}

static bool is_device_width(enum bus_space space, unsigned len)
{
	return len == 1 || len == 2 || len == 4 || (len == 8 && space == BUS_MMIO);
}

/* The device that the whole access lies in; NULL, counted, when there is none. */
static struct bus_device *find_device(struct bus *bus, enum bus_space space, uint64_t addr, unsigned len)
{
	unsigned below = count_starting_below(bus, space, addr);

	if (below > 0 && is_device_width(space, len)) {
		struct bus_device *dev = bus->devices[space][below - 1];

		if (range_within(addr - dev->base, len, dev->size))
			return dev;
	}
	bus->unclaimed++;
	return NULL;
}

bool bus_read(struct bus *bus, enum bus_space space, uint64_t addr, uint8_t *data, unsigned len)
{
	struct bus_device *dev = find_device(bus, space, addr, len);

	memset(data, 0xff, len);
	if (!dev)
		return false;
	if (dev->ops->read)
		dev->ops->read(dev, addr - dev->base, data, len);
	return true;
}

bool bus_write(struct bus *bus, enum bus_space space, uint64_t addr, const uint8_t *data, unsigned len)
{
	struct bus_device *dev = find_device(bus, space, addr, len);

	if (!dev)
		return false;
	if (dev->ops->write)
		dev->ops->write(dev, addr - dev->base, data, len);
	return true;
}
