/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the loaders of the formats and the writers of the hand-over structures share, and the check that decides where
 * in guest memory a kernel may lie. Private to src/boot. Start-up only.
 */
#ifndef VMM_BOOT_IMAGE_KERNEL_H
#define VMM_BOOT_IMAGE_KERNEL_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "boot/e820.h"
#include "boot/image.h"
#include "boot/image_source.h"
#include "mm/guest_mem.h"

/* Bytes 0x1f1-0x28f of a bzImage and of boot_params: the setup header with its room to grow. */
#define IMAGE_SETUP_HEADER_START 0x1f1
#define IMAGE_SETUP_HEADER_END	 0x290
#define IMAGE_SETUP_HEADER_SIZE	 (IMAGE_SETUP_HEADER_END - IMAGE_SETUP_HEADER_START)

/* A setup_data header (Linux x86 boot protocol 2.09) precedes the device tree at LAYOUT_FDT. */
#define IMAGE_SETUP_DATA_SIZE 16
#define IMAGE_FDT_ADDRESS     (LAYOUT_FDT + IMAGE_SETUP_DATA_SIZE)
#define IMAGE_FDT_MAX_SIZE    (LAYOUT_FDT_SIZE - IMAGE_SETUP_DATA_SIZE)

/* A kernel in guest memory. */
struct image_kernel {
	uint64_t entry; /* guest-physical */
	uint64_t start; /* guest-physical range with its bss */
	uint64_t end;
	uint64_t working_end; /* >= end: what the kernel uses from start before it reads the memory map */
	uint64_t initrd_end;  /* the initrd ends at or below this */
	bool is_linux;
	uint64_t cmdline_max; /* bytes without the NUL */
	bool has_setup_header;
	uint8_t setup_header[IMAGE_SETUP_HEADER_SIZE]; /* of a bzImage; zero behind its own length */
};

/* What every protocol tells the kernel; the command line and the device tree are already in place. */
struct image_handover {
	struct e820_map map;
	uint64_t initrd_start; /* size 0: none */
	uint64_t initrd_size;
	uint64_t rsdp;	   /* 0: none */
	uint32_t fdt_size; /* 0: none; at IMAGE_FDT_ADDRESS */
};

/* The body of image_load behind the opening of the kernel, for any source. */
MUST_CHECK int image_load_source(const struct image_source *src, const struct image_request *req, struct guest_mem *mem,
				 struct image_entry *entry, struct image_info *info, struct error *err);

/* The end of the RAM that starts at 0. */
uint64_t image_low_ram_end(const struct guest_mem *mem);

/* May the image occupy [start, start + len)? It must be RAM below the MMIO hole and clear of the structures of
 * layout.h. 0, -EINVAL, or -ENOMEM with the -m that would do; with a line in @err. */
MUST_CHECK int image_check_range(const struct image_source *src, const struct guest_mem *mem, uint64_t start,
				 uint64_t len, struct error *err);

/* The least power of two that is at least @bytes, as a value for -m. @bytes is at most 2^63. */
uint64_t image_suggest_memory(uint64_t bytes);

/* guest_mem_write for a boot structure, with a line in @err when it is not RAM. */
MUST_CHECK int image_write(struct guest_mem *mem, uint64_t at, const void *buf, size_t len, struct error *err);

#endif
