/* SPDX-License-Identifier: Apache-2.0 */
/* The way to the host: the window if the kernel gives access to it and the host answers there, else COM2. */
#ifndef VMM_INIT_TRANSPORT_H
#define VMM_INIT_TRANSPORT_H

#include <stdbool.h>

#include "doorbell.h"
#include "sender.h"

struct transport {
	struct sender sender;
	struct doorbell doorbell;
};

/* Opens the way and sends HELLO. False when there is none. */
bool transport_open(struct transport *transport, const struct command_file *head);

/* In a child: gives back what it inherited. */
void transport_drop_ports(const struct transport *transport);

#endif
