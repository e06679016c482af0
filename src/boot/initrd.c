/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/initrd.h"

#include <errno.h>

#include "base/checked.h"
#include "base/parse.h"
#include "boot/layout.h"

static int open_part(struct initrd_part *part, const struct initrd_item *item, struct error *err)
{
	int code;

	*part = (struct initrd_part){.name = item->path, .source.fd = -1};
	if (item->kind == INITRD_FOLDER) {
		code = tree_pack_scan(&part->tree, item->path, err);
		part->size = code ? 0 : tree_pack_size(part->tree);
		return code;
	}
	if (item->kind == INITRD_BYTES) {
		part->source = image_source_memory("initrd", item->path, item->bytes, item->size);
	} else {
		code = image_source_open(&part->source, "initrd", item->path, err);
		if (code)
			return code;
	}
	part->size = part->source.size;
	/* Far above any guest, and the sums of sizes here and below cannot wrap; tree_pack has the same limit. */
	if (part->size > GUEST_MMIO_HOLE_START)
		return image_source_fail(&part->source, err, -EFBIG, "is larger than 3 GiB; give a smaller one");
	return 0;
}

static int open_parts(struct initrd_set *set, const struct initrd_item *items, unsigned count, uint64_t alignment,
		      struct error *err)
{
	if (count > INITRD_MAX_ITEMS)
		return error_set(err, -EINVAL, "%u initrds given; at most %d are supported", count, INITRD_MAX_ITEMS);
	for (unsigned i = 0; i < count; i++) {
		struct initrd_part *part = &set->parts[set->count++];
		int code = open_part(part, &items[i], err);

		if (code)
			return code;
		part->offset = align_up(set->size, alignment);
		set->size = part->offset + part->size;
	}
	return 0;
}

/* @initrd_end is the kernel's limit when that, not the guest's memory, is what is too small. */
static int fail_no_room(const struct initrd_set *set, const struct image_kernel *kernel, const struct guest_mem *mem,
			struct error *err)
{
	char size[32], have[32], better[32];
	uint64_t floor = kernel->working_end > LAYOUT_HIGH_MEM ? kernel->working_end : LAYOUT_HIGH_MEM;
	uint64_t need = align_up(floor, GUEST_PAGE_SIZE) + align_up(set->size, GUEST_PAGE_SIZE);

	format_size(set->size, size, sizeof(size));
	if (need > kernel->initrd_end || need > GUEST_MMIO_HOLE_START)
		return error_set(err, -EFBIG, "initrd %s is too large: with the kernel it must end below %s", size,
				 format_size(kernel->initrd_end < GUEST_MMIO_HOLE_START ? kernel->initrd_end
											: GUEST_MMIO_HOLE_START,
					     have, sizeof(have)));
	return error_set(err, -ENOMEM, "initrd %s does not fit in %s guest memory; use -m %s", size,
			 format_size(mem->ram_size, have, sizeof(have)),
			 format_size(image_suggest_memory(need), better, sizeof(better)));
}

/* The highest page-aligned place whose end is at most @ceiling, or 0 when there is none above @floor. */
static uint64_t place_below(uint64_t ceiling, uint64_t floor, uint64_t size)
{
	uint64_t start;

	if (ceiling < size)
		return 0;
	start = align_down(ceiling - size, GUEST_PAGE_SIZE);
	return start >= floor ? start : 0;
}

static int place(struct initrd_set *set, const struct image_kernel *kernel, const struct guest_mem *mem,
		 struct error *err)
{
	uint64_t ceiling = image_low_ram_end(mem);
	uint64_t floor = kernel->working_end > LAYOUT_HIGH_MEM ? kernel->working_end : LAYOUT_HIGH_MEM;

	if (kernel->initrd_end < ceiling)
		ceiling = kernel->initrd_end;
	set->start = place_below(ceiling, floor, set->size);
	/* A kernel linked high leaves more room below itself than above. */
	if (!set->start)
		set->start = place_below(kernel->start < ceiling ? kernel->start : ceiling, LAYOUT_HIGH_MEM, set->size);
	return set->start ? 0 : fail_no_room(set, kernel, mem, err);
}

static int load_part(const struct initrd_set *set, const struct initrd_part *part, const struct guest_mem *mem,
		     struct error *err)
{
	gpa_t at = gpa(set->start + part->offset);

	if (part->tree)
		return tree_pack_write(part->tree, mem, at, err);
	return image_source_load(&part->source, 0, part->size, mem, at, err);
}

int initrd_load(struct initrd_set *set, const struct initrd_item *items, unsigned count, uint64_t alignment,
		const struct image_kernel *kernel, const struct guest_mem *mem, struct error *err)
{
	int code;

	*set = (struct initrd_set){0};
	if (count == 0)
		return 0;
	code = open_parts(set, items, count, alignment, err);
	if (!code)
		code = place(set, kernel, mem, err);
	for (unsigned i = 0; i < set->count && !code; i++)
		code = load_part(set, &set->parts[i], mem, err);
	return code;
}

void initrd_close(struct initrd_set *set)
{
	for (unsigned i = 0; i < set->count; i++) {
		image_source_close(&set->parts[i].source);
		tree_pack_free(set->parts[i].tree);
	}
	set->count = 0;
}
