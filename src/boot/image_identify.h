/* SPDX-License-Identifier: Apache-2.0 */
/* Names what a user gave instead of a kernel. Private to src/boot. Start-up only. */
#ifndef VMM_BOOT_IMAGE_IDENTIFY_H
#define VMM_BOOT_IMAGE_IDENTIFY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "boot/image_source.h"

/* Sets the line for a file that begins with @head and is neither bzImage nor ELF; returns -ENOEXEC. */
int image_identify_failure(const struct image_source *src, const uint8_t *head, size_t len, struct error *err);

#endif
