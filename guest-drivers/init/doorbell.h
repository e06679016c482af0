/* SPDX-License-Identifier: Apache-2.0 */
/* The port that a byte is written to, so that the host looks at the window. */
#ifndef VMM_INIT_DOORBELL_H
#define VMM_INIT_DOORBELL_H

#include <stdbool.h>
#include <stdint.h>

struct doorbell {
	uint16_t port;
	bool is_ours; /* by ioperm; else through fd */
	int fd;	      /* of /dev/port */
};

/* False when the kernel lets nobody at ports. */
bool doorbell_open(struct doorbell *doorbell, uint16_t port);

void doorbell_ring(void *doorbell);

/* Also for a child: it inherits the port, and every switch to a process that has one costs the kernel a copy. */
void doorbell_close(const struct doorbell *doorbell);

#endif
