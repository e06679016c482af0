/* SPDX-License-Identifier: Apache-2.0 */
/* Linux bzImage: setup header, payload, version (Linux Documentation/arch/x86/boot.rst). Private to src/boot. */
#ifndef VMM_BOOT_BZIMAGE_H
#define VMM_BOOT_BZIMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "boot/image.h"
#include "boot/image_kernel.h"
#include "boot/image_source.h"
#include "mm/guest_mem.h"

bool bzimage_recognise(const uint8_t *head, size_t len);

/* Loads the vmlinux inside, or, when its compression is unknown, the image's own decompressor; fills *kernel and the
 * bzImage part of *info. Both are entered in 64-bit mode. 0, or -errno with a line in @err. */
MUST_CHECK int bzimage_load(const struct image_source *src, const struct guest_mem *mem, struct image_kernel *kernel,
			    struct image_info *info, struct error *err);

#endif
