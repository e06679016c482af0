/* SPDX-License-Identifier: Apache-2.0 */
#include "crc32.h"

#include <string.h>

/* The generator polynomial with its bits in the order in which they are sent (IEEE 802.3, 3.2.9). */
#define POLYNOMIAL 0xedb88320u

void crc32_init(struct crc32 *crc32)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t value = byte;

		for (unsigned bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? POLYNOMIAL : 0);
		crc32->tables[0][byte] = value;
	}
	/* tables[n][b]: byte b with n zero bytes after it. */
	for (unsigned n = 1; n < CRC32_STEP; n++) {
		for (uint32_t byte = 0; byte < 256; byte++) {
			uint32_t value = crc32->tables[n - 1][byte];

			crc32->tables[n][byte] = value >> 8 ^ crc32->tables[0][value & 0xff];
		}
	}
}

uint32_t crc32_update(const struct crc32 *crc32, uint32_t crc, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	crc = ~crc;
	for (; len >= CRC32_STEP; len -= CRC32_STEP, at += CRC32_STEP) {
		uint64_t word;

		memcpy(&word, at, sizeof(word));
		word ^= crc;
		crc = 0;
		for (unsigned i = 0; i < CRC32_STEP; i++)
			crc ^= crc32->tables[CRC32_STEP - 1 - i][word >> 8 * i & 0xff];
	}
	for (; len; len--, at++)
		crc = crc >> 8 ^ crc32->tables[0][(crc ^ *at) & 0xff];
	return ~crc;
}
