/* SPDX-License-Identifier: Apache-2.0 */
/* The checksum of ACPI and MP tables: all bytes of a table add up to zero modulo 256. */
#ifndef VMM_BOOT_CHECKSUM_H
#define VMM_BOOT_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The byte that makes the @len bytes of @table, its checksum field still zero, add up to zero. */
static inline uint8_t checksum_complement(const void *table, size_t len)
{
	const uint8_t *bytes = table;
	uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return (uint8_t)-sum;
}

#endif
