/* SPDX-License-Identifier: Apache-2.0 */
/* The PVH hand-over: hvm_start_info version 1. Private to src/boot. Start-up only. */
#ifndef VMM_BOOT_PVH_H
#define VMM_BOOT_PVH_H

#include "base/compiler.h"
#include "base/error.h"
#include "boot/image_kernel.h"
#include "mm/guest_mem.h"

/* Writes the start info with its module list and memory map at LAYOUT_START_INFO. Linux takes module 0 for the initrd,
 * so with a device tree but without an initrd module 0 is empty (address and size 0); the device tree is module 1,
 * named "fdt". 0, or -EFAULT with a line in @err. */
MUST_CHECK int pvh_write(const struct image_handover *handover, struct guest_mem *mem, struct error *err);

#endif
