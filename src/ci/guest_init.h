/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's init (guest-drivers/init), carried inside of vmm. */
#ifndef VMM_CI_GUEST_INIT_H
#define VMM_CI_GUEST_INIT_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t guest_init[];
extern const uint8_t guest_init_end[];

static inline size_t guest_init_size(void)
{
	return (size_t)(guest_init_end - guest_init);
}

#endif
