/* SPDX-License-Identifier: Apache-2.0 */
/* Frames as the guest's init sends them, written byte by byte from the ABI's text (ci/command_proto.h). */
#ifndef VMM_TEST_COMMAND_FRAMES_H
#define VMM_TEST_COMMAND_FRAMES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include "base/endian.h"
#include "ci/command_proto.h"

/* Returns the frame's size: 32 bytes more than @len. */
static inline size_t command_frame_put(uint8_t *to, const uint8_t *token, uint32_t sequence,
				       enum command_frame_type type, const void *payload, size_t len)
{
	memcpy(to, token, COMMAND_TOKEN_SIZE);
	store_le32(to + 16, sequence);
	store_le32(to + 20, type);
	store_le32(to + 24, (uint32_t)len);
	if (len)
		memcpy(to + 32, payload, len);
	store_le32(to + 28, (uint32_t)crc32(crc32(0, to + 16, 12), to + 32, (uInt)len));
	return 32 + len;
}

#endif
