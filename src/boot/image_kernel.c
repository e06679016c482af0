/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/image_kernel.h"

#include <errno.h>

#include "base/checked.h"
#include "base/parse.h"
#include "boot/layout.h"

/* The structures of layout.h that exist while the kernel is loaded or entered. */
static const struct {
	uint64_t start;
	uint64_t end;
	const char *holds;
} kept_ranges[] = {
	{0, LAYOUT_PAGE_TABLES + LAYOUT_PAGE_TABLES_SIZE, "boot parameters and page tables"},
	{LAYOUT_CMDLINE, LAYOUT_CMDLINE + LAYOUT_CMDLINE_SIZE, "the command line"},
	{LAYOUT_FDT, LAYOUT_FDT + LAYOUT_FDT_SIZE, "the device tree"},
	{LAYOUT_LOW_RESERVED, LAYOUT_HIGH_MEM, "firmware tables and no usable RAM"},
};

uint64_t image_low_ram_end(const struct guest_mem *mem)
{
	return mem->nr_regions && mem->regions[0].base.addr == 0 ? mem->regions[0].size : 0;
}

uint64_t image_suggest_memory(uint64_t bytes)
{
	uint64_t size = 1;

	while (size < bytes)
		size <<= 1;
	return size;
}

int image_check_range(const struct image_source *src, const struct guest_mem *mem, uint64_t start, uint64_t len,
		      struct error *err)
{
	char need[32], have[32], better[32];
	uint64_t end;

	if (!checked_add(start, len, &end) || end > GUEST_MMIO_HOLE_START)
		return image_source_fail(
			src, err, -EINVAL,
			"wants %llu bytes at guest-physical 0x%llx; only the first 3 GiB can be loaded",
			(unsigned long long)len, (unsigned long long)start);
	for (size_t i = 0; i < ARRAY_SIZE(kept_ranges); i++) {
		uint64_t kept = kept_ranges[i].start;

		if (ranges_overlap(start, len, kept, kept_ranges[i].end - kept))
			return image_source_fail(src, err, -EINVAL,
						 "wants guest-physical 0x%llx-0x%llx, but 0x%llx-0x%llx holds %s; "
						 "link it at 1 MiB or above",
						 (unsigned long long)start, (unsigned long long)(end - 1),
						 (unsigned long long)kept, (unsigned long long)(kept_ranges[i].end - 1),
						 kept_ranges[i].holds);
	}
	if (end > image_low_ram_end(mem))
		return image_source_fail(src, err, -ENOMEM, "needs memory up to %s, but the guest has %s; use -m %s",
					 format_size(end, need, sizeof(need)),
					 format_size(mem->ram_size, have, sizeof(have)),
					 format_size(image_suggest_memory(end), better, sizeof(better)));
	return 0;
}

int image_write(struct guest_mem *mem, uint64_t at, const void *buf, size_t len, struct error *err)
{
	int code = guest_mem_write(mem, gpa(at), buf, len);

	return code ? error_set(err, code, "no guest memory at 0x%llx for boot structures; use a larger -m",
				(unsigned long long)at)
		    : 0;
}
