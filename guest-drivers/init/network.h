/* SPDX-License-Identifier: Apache-2.0 */
/* The loopback interface. */
#ifndef VMM_INIT_NETWORK_H
#define VMM_INIT_NETWORK_H

/* Without a word when the kernel has no network. */
void network_up(void);

#endif
