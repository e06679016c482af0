/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32 of IEEE 802.3, eight bytes a step: what leaves /out may be gigabytes. */
#ifndef VMM_INIT_CRC32_H
#define VMM_INIT_CRC32_H

#include <stddef.h>
#include <stdint.h>

#define CRC32_STEP 8

struct crc32 {
	uint32_t tables[CRC32_STEP][256];
};

void crc32_init(struct crc32 *crc32);

/* @crc: of what came before, 0 at first. */
uint32_t crc32_update(const struct crc32 *crc32, uint32_t crc, const void *bytes, size_t len);

#endif
