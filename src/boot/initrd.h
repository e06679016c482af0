/* SPDX-License-Identifier: Apache-2.0 */
/* Initrds: placed one behind the other as high as the kernel allows, read straight into guest memory. Start-up only. */
#ifndef VMM_BOOT_INITRD_H
#define VMM_BOOT_INITRD_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "boot/image_kernel.h"
#include "boot/image_source.h"
#include "mm/guest_mem.h"

#define INITRD_MAX_FILES 16

/* Linux's unpacker finds the next archive at a multiple of 4; Multiboot modules start at a page. */
#define INITRD_ALIGN_CPIO   4
#define INITRD_ALIGN_MODULE GUEST_PAGE_SIZE

struct initrd_set {
	unsigned count;
	struct image_source files[INITRD_MAX_FILES];
	uint64_t offsets[INITRD_MAX_FILES]; /* of each file from start */
	uint64_t start;			    /* guest-physical, page-aligned; 0 when there is none */
	uint64_t size;			    /* from start to the last file's end */
};

/* Opens the files, places them clear of @kernel and below kernel->initrd_end, and reads them. 0 or -errno with a line
 * in @err; initrd_close is due in either case. */
MUST_CHECK int initrd_load(struct initrd_set *set, const char *const *paths, unsigned count, uint64_t alignment,
			   const struct image_kernel *kernel, const struct guest_mem *mem, struct error *err);
void initrd_close(struct initrd_set *set);

#endif
