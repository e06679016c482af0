/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel images: recognises the format, loads it with its initrds and command line into guest memory and returns the
 * entry state as plain data. Knows no KVM. Start-up only, before any vCPU runs.
 *
 * Image files are hostile input: every offset, size and sum is checked against the file and against RAM.
 */
#ifndef VMM_BOOT_IMAGE_H
#define VMM_BOOT_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "boot/machine.h"
#include "mm/guest_mem.h"

enum image_format {
	IMAGE_BZIMAGE,	 /* Linux bzImage; payload decompressed here when its format is known */
	IMAGE_ELF_LINUX, /* ELF64 entered at e_entry with boot_params (Linux 64-bit boot protocol) */
	IMAGE_ELF_PVH,	 /* ELF32/64 with XEN_ELFNOTE_PHYS32_ENTRY */
	IMAGE_MULTIBOOT, /* ELF32 with a Multiboot-1 header */
};

/* The user's --boot choice. AUTO: bzImage by its magic; an ELF with a PVH note by PVH; an ELF32 with a Multiboot header
 * by Multiboot; another ELF64 by the Linux 64-bit protocol. */
enum image_protocol { IMAGE_PROTOCOL_AUTO, IMAGE_PROTOCOL_LINUX, IMAGE_PROTOCOL_PVH, IMAGE_PROTOCOL_MULTIBOOT };

enum image_cpu_mode {
	IMAGE_CPU_LONG64, /* paging on with the identity map at LAYOUT_PAGE_TABLES, flat 64-bit code, IF=0 */
	IMAGE_CPU_PROT32, /* paging off, flat 32-bit code and data of 4 GiB, IF=0 */
};

/* Register state at the first instruction of vCPU 0. All other general registers are 0, RFLAGS is 2. */
struct image_entry {
	enum image_cpu_mode mode;
	uint64_t rip;
	uint64_t rsp;
	uint64_t rax; /* Multiboot: magic */
	uint64_t rbx; /* PVH: start info; Multiboot: info */
	uint64_t rsi; /* Linux: boot_params */
};

struct initrd_item;

struct image_request {
	const char *kernel_path;
	const struct initrd_item *initrds; /* boot/initrd.h; one behind the other */
	unsigned nr_initrds;
	const char *cmdline;
	enum image_protocol protocol;
	const struct machine *machine; /* to describe in a device tree that is handed over; NULL: none */
	uint64_t rsdp;		       /* guest-physical address of the ACPI RSDP, 0 when there is none */
};

/* What was loaded, for --dry-run, --events and notices. */
struct image_info {
	enum image_format format;
	const char *payload;   /* bzImage: "gzip", "xz", "zstd", "lz4", "none" or "unknown"; else NULL */
	char version[80];      /* Linux version string of a bzImage, printable ASCII only; else "" */
	bool entered_in_image; /* bzImage with unknown payload: the image's own 64-bit entry decompresses it */
	uint64_t kernel_start; /* guest-physical range the kernel occupies, with its bss */
	uint64_t kernel_end;
	uint64_t initrd_start; /* 0 when there is none */
	uint64_t initrd_size;
	uint64_t fdt_start; /* 0 when there is none */
	uint32_t fdt_size;
	uint64_t file_size;
};

/* Loads everything. 0, or -errno with a user's line in @err; the guest's memory is then undefined. */
MUST_CHECK int image_load(const struct image_request *req, struct guest_mem *mem, struct image_entry *entry,
			  struct image_info *info, struct error *err);

const char *image_format_name(enum image_format format);

#endif
