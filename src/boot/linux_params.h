/* SPDX-License-Identifier: Apache-2.0 */
/* The Linux hand-over: boot_params (Linux Documentation/arch/x86/zero-page.rst). Private to src/boot. Start-up only. */
#ifndef VMM_BOOT_LINUX_PARAMS_H
#define VMM_BOOT_LINUX_PARAMS_H

#include "base/compiler.h"
#include "base/error.h"
#include "boot/image_kernel.h"
#include "mm/guest_mem.h"

/* Writes boot_params at LAYOUT_BOOT_PARAMS: the bzImage's setup header, or one made up for a vmlinux, with the command
 * line, the initrd, the memory map, the RSDP and the device tree as setup_data. 0, or -EFAULT with a line in @err. */
MUST_CHECK int linux_params_write(const struct image_kernel *kernel, const struct image_handover *handover,
				  struct guest_mem *mem, struct error *err);

#endif
