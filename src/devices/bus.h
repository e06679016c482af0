/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Port and MMIO dispatch. Devices are registered at assembly, before any vCPU runs, and never removed. bus_read and
 * bus_write run on vCPU threads with dev_lock held by the caller: device code itself never locks.
 */
#ifndef VMM_DEVICES_BUS_H
#define VMM_DEVICES_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum bus_space { BUS_PIO, BUS_MMIO };

struct bus_device;

/* @offset is relative to the device's base; the access lies wholly inside the device. @len is 1, 2, 4 or 8 (PIO: 1, 2,
 * 4). Data is little-endian bytes, as the guest sees them. read: all @len bytes are preset to 0xff. A NULL read or
 * write is a device that has only the other direction: it claims the access, reads give all ones, writes are dropped.
 */
struct bus_ops {
	const char *name;
	void (*read)(struct bus_device *dev, uint64_t offset, uint8_t *data, unsigned len);
	void (*write)(struct bus_device *dev, uint64_t offset, const uint8_t *data, unsigned len);
};

/* Embedded in each device; found back with container_of. */
struct bus_device {
	const struct bus_ops *ops;
	enum bus_space space;
	uint64_t base;
	uint64_t size;
};

#define BUS_MAX_DEVICES 64

struct bus {
	struct bus_device *devices[2][BUS_MAX_DEVICES]; /* per space, ascending by base; borrowed */
	unsigned count[2];
	uint64_t unclaimed; /* accesses that no device answered */
};

/* Registers @dev (borrowed, must outlive the bus). 0, -EEXIST when it overlaps another, -ENOSPC, -EINVAL. */
MUST_CHECK int bus_add(struct bus *bus, struct bus_device *dev);

/* One access. True when a device claimed it. Unclaimed, or straddling a device's end: reads give all ones, writes are
 * dropped, both are counted. A PIO access that straddles two one-byte-wide registers of one device is the device's.
 * Any @len is safe: KVM splits an access at a page border, so 3, 5, 6 and 7 do occur, and no device claims those. */
bool bus_read(struct bus *bus, enum bus_space space, uint64_t addr, uint8_t *data, unsigned len);
bool bus_write(struct bus *bus, enum bus_space space, uint64_t addr, const uint8_t *data, unsigned len);

#endif
