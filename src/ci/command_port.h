/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The window between the guest's init and vmm: a ring in memory that both see, and a doorbell port (command_proto.h).
 * Needs no driver in the guest, and carries kilobytes an exit where a UART carries one byte. Under dev_lock.
 */
#ifndef VMM_CI_COMMAND_PORT_H
#define VMM_CI_COMMAND_PORT_H

#include <stdint.h>

#include "ci/command_proto.h"
#include "devices/bus.h"

struct command_port {
	struct bus_device dev;
	/* COMMAND_WINDOW_PAGE + ring_size bytes that the guest writes at any time; borrowed. */
	uint8_t *window;
	uint32_t ring_size; /* a power of two */
	uint32_t tail;	    /* ours; what the window says is only for the guest */
	/* Takes bytes, as channel_feed. */
	size_t (*take)(void *opaque, const uint8_t *data, size_t len);
	void *opaque;
	uint64_t rings, faults; /* doorbells; those with a head that no ring of this size can have */
};

void command_port_init(struct command_port *port, uint16_t base, uint8_t *window, uint32_t ring_size,
		       size_t (*take)(void *opaque, const uint8_t *data, size_t len), void *opaque);

#endif
