/* SPDX-License-Identifier: Apache-2.0 */
/* Walks an arbitrary byte string as a newc archive and reads all it is told exists. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/checked.h"
#include "base/cpio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cpio_entry entry;
	struct cpio cpio;
	volatile uint32_t sum = 0;
	uint64_t before = 0;
	int answer;

	cpio_init(&cpio, data, size);
	while ((answer = cpio_next(&cpio, &entry)) == 1) {
		ASSERT(cpio.offset > before && cpio.offset <= size);
		ASSERT(strlen(entry.name) < CPIO_MAX_NAME);
		ASSERT(range_within(entry.data_offset, entry.data_size, size));
		for (uint32_t i = 0; i < entry.data_size; i++)
			sum += data[entry.data_offset + i];
		before = cpio.offset;
	}
	(void)sum; /* read only so that the sanitizer sees the data */
	ASSERT(answer == 0 || answer == -EINVAL);
	ASSERT(cpio.offset <= size);
	return 0;
}
