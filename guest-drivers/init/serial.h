/* SPDX-License-Identifier: Apache-2.0 */
/* COM2, through its terminal device or, where the kernel drives no second UART, through its ports. */
#ifndef VMM_INIT_SERIAL_H
#define VMM_INIT_SERIAL_H

#include <stdbool.h>
#include <stddef.h>

#define SERIAL_COM2_PORT  0x2f8
#define SERIAL_COM2_PORTS 8

struct serial {
	int fd;	      /* -1: by port */
	bool by_port; /* and the ports are ours */
};

/* False when there is none. Writes nothing. */
bool serial_open_terminal(struct serial *serial);
bool serial_open_ports(struct serial *serial);

/* Waits while the other side does not take the bytes. False when the device refuses them. */
bool serial_write(const struct serial *serial, const void *bytes, size_t len);

/* Waits until the last byte has left. */
void serial_drain(const struct serial *serial);

#endif
