/* SPDX-License-Identifier: Apache-2.0 */
/* The file systems that programs expect. What the kernel lacks is told to the user by the option's name. */
#ifndef VMM_INIT_MOUNTS_H
#define VMM_INIT_MOUNTS_H

#include "sender.h"

/* /dev: all that the way to the host needs. */
void mounts_dev(void);

/* /proc, /sys, /tmp, and below /dev. */
void mounts_others(struct sender *sender);

/* An empty COMMAND_OUT. */
void mounts_out(void);

#endif
