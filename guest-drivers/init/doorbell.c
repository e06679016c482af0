/* SPDX-License-Identifier: Apache-2.0 */
#include "doorbell.h"

#include "sys.h"

bool doorbell_open(struct doorbell *doorbell, uint16_t port)
{
	doorbell->port = port;
	doorbell->is_ours = sys_ioperm(port, 1, 1) == 0;
	if (!doorbell->is_ours)
		doorbell->fd = sys_open("/dev/port", O_WRONLY | O_CLOEXEC, 0);
	return doorbell->is_ours || doorbell->fd >= 0;
}

void doorbell_ring(void *doorbell)
{
	const struct doorbell *bell = doorbell;

	if (bell->is_ours)
		sys_outb(bell->port, 1);
	else
		sys_call6(__NR_pwrite64, bell->fd, (long)"\1", 1, bell->port, 0, 0);
}

void doorbell_close(const struct doorbell *doorbell)
{
	if (doorbell->is_ours)
		sys_ioperm(doorbell->port, 1, 0);
	else
		sys_close(doorbell->fd);
}
