/* SPDX-License-Identifier: Apache-2.0 */
#include "ci/command_port.h"

#include <string.h>

#define PIECE_SIZE 4096u

/* Copies once what the guest could change at any time, and offers the copy. False when not all of it was taken. */
static bool take_piece(struct command_port *port, uint32_t waiting)
{
	uint8_t piece[PIECE_SIZE];
	uint32_t at = port->tail & (port->ring_size - 1), len = port->ring_size - at, taken;

	if (len > waiting)
		len = waiting;
	if (len > PIECE_SIZE)
		len = PIECE_SIZE;
	memcpy(piece, port->window + COMMAND_WINDOW_PAGE + at, len);
	taken = (uint32_t)port->take(port->opaque, piece, len);
	port->tail += taken;
	return taken == len;
}

static void ring_doorbell(struct bus_device *dev, uint64_t offset, const uint8_t *data, unsigned len)
{
	struct command_port *port = container_of(dev, struct command_port, dev);
	struct command_window *shared = (struct command_window *)(void *)port->window;
	uint32_t head = __atomic_load_n(&shared->head, __ATOMIC_ACQUIRE);

	(void)offset;
	(void)data;
	(void)len;
	port->rings++;
	if (head - port->tail > port->ring_size) {
		port->faults++;
		port->tail = head;
	}
	while (head != port->tail && take_piece(port, head - port->tail))
		;
	__atomic_store_n(&shared->tail, port->tail, __ATOMIC_RELEASE);
}

static const struct bus_ops port_ops = {.name = "command-port", .write = ring_doorbell};

void command_port_init(struct command_port *port, uint16_t base, uint8_t *window, uint32_t ring_size,
		       size_t (*take)(void *opaque, const uint8_t *data, size_t len), void *opaque)
{
	*port = (struct command_port){
		.dev = {.ops = &port_ops, .space = BUS_PIO, .base = base, .size = 1},
		.window = window,
		.ring_size = ring_size,
		.take = take,
		.opaque = opaque,
	};
}
