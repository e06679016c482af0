/* SPDX-License-Identifier: Apache-2.0 */
/* What the image fuzzers share: patches to a well-formed image, and a load whose result is checked. */
#ifndef VMM_FUZZ_IMAGE_H
#define VMM_FUZZ_IMAGE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "boot/image_kernel.h"
#include "boot/layout.h"
#include "support/image_builder.h"

#define FUZZ_RAM (8ULL << 20)

/* Bytes of the fuzzer's input, taken from the front; zero once it is used up. */
struct fuzz_input {
	const uint8_t *data;
	size_t size;
};

static inline uint64_t fuzz_take(struct fuzz_input *in, size_t len)
{
	uint8_t bytes[8] = {0};
	size_t n = len < in->size ? len : in->size;

	if (n)
		memcpy(bytes, in->data, n);
	in->data += n;
	in->size -= n;
	return load_le64(bytes);
}

/* Overwrites fields of @image: each patch is an offset (scaled to the first @span bytes), a width and a value, which
 * is either raw or near a power of two, where the borders are. The last patch may cut the image off. */
static inline void fuzz_patch(struct built_image *image, struct fuzz_input *in, size_t span)
{
	while (in->size >= 3) {
		uint8_t how = (uint8_t)fuzz_take(in, 1);
		size_t at = (size_t)fuzz_take(in, 2) % (span < image->size ? span : image->size);
		size_t width = (size_t)1 << (how & 3);
		uint8_t bytes[8];

		if (how & 0x80 && how & 0x40 && how & 0x20) {
			image->size = at + 1;
			return;
		}
		store_le64(bytes, how & 0x80 ? (1ULL << (fuzz_take(in, 1) & 63)) + (uint64_t)(int64_t)(int8_t)how
					     : fuzz_take(in, width));
		if (width > image->size - at)
			width = image->size - at;
		memcpy(image->bytes + at, bytes, width);
	}
}

/* Loads @image into a guest of FUZZ_RAM; whatever loads must lie in RAM, clear of the boot structures, and enter the
 * kernel; whatever does not must say why. */
static inline void fuzz_load(const struct built_image *image, enum image_protocol protocol)
{
	/* An exact copy, so that a read behind the end is seen. */
	uint8_t *copy = malloc(image->size);
	struct image_source src = image_source_memory("kernel", "k", copy, image->size);
	const struct machine machine = {.nr_cpus = 1};
	struct image_request req = {.protocol = protocol, .cmdline = "quiet", .machine = &machine, .rsdp = 0xe0000};
	struct image_entry entry;
	struct image_info info;
	struct guest_mem mem;
	struct error err = {.text = ""};
	int code = guest_mem_init(&mem, FUZZ_RAM);

	if (!copy || code)
		abort();
	memcpy(copy, image->bytes, image->size);
	code = image_load_source(&src, &req, &mem, &entry, &info, &err);
	if (code > 0 || (code < 0 && !err.text[0]))
		abort();
	if (!code && (info.kernel_start >= info.kernel_end || info.kernel_end > FUZZ_RAM ||
		      entry.rip < info.kernel_start || entry.rip >= info.kernel_end))
		abort();
	if (memcmp(mem.regions[0].hva + LAYOUT_LOW_RESERVED, (uint8_t[16]){0}, 16))
		abort();
	guest_mem_fini(&mem);
	free(copy);
}

#endif
