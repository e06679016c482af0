/* SPDX-License-Identifier: Apache-2.0 */
/* Initrds: files, packed folders and our own bytes, placed one behind the other as high as the kernel allows, read
 * straight into guest memory. Start-up only. */
#ifndef VMM_BOOT_INITRD_H
#define VMM_BOOT_INITRD_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "boot/image_kernel.h"
#include "boot/image_source.h"
#include "boot/tree_pack.h"
#include "mm/guest_mem.h"

#define INITRD_MAX_ITEMS 40

/* Linux's unpacker finds the next archive at a multiple of 4; Multiboot modules start at a page. */
#define INITRD_ALIGN_CPIO   4
#define INITRD_ALIGN_MODULE GUEST_PAGE_SIZE

enum initrd_kind { INITRD_FILE, INITRD_FOLDER, INITRD_BYTES };

struct initrd_item {
	enum initrd_kind kind;
	const char *path; /* of the file or folder; of bytes a name for messages */
	const void *bytes;
	size_t size; /* of bytes */
};

struct initrd_part {
	const char *name; /* borrowed: a path */
	uint64_t offset;  /* from the set's start */
	uint64_t size;
	struct image_source source; /* of a file or bytes */
	struct tree_pack *tree;	    /* of a folder, else NULL */
};

struct initrd_set {
	unsigned count;
	struct initrd_part parts[INITRD_MAX_ITEMS];
	uint64_t start; /* guest-physical, page-aligned; 0 when there is none */
	uint64_t size;	/* from start to the last part's end */
};

/* Opens the items, places them clear of @kernel and below kernel->initrd_end, and reads them to memory that is zero
 * there. 0 or -errno with a line in @err; initrd_close is due in either case. */
MUST_CHECK int initrd_load(struct initrd_set *set, const struct initrd_item *items, unsigned count, uint64_t alignment,
			   const struct image_kernel *kernel, const struct guest_mem *mem, struct error *err);
void initrd_close(struct initrd_set *set);

#endif
