/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest physical memory: RAM regions and the only door from a guest address to a host pointer.
 *
 * Regions are added before any other thread exists and never change afterwards, so look-ups need no lock. Contents are
 * shared with running vCPUs: copy in once, validate the copy, use the copy.
 */
#ifndef VMM_MM_GUEST_MEM_H
#define VMM_MM_GUEST_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/compiler.h"

/* A guest-physical address. A struct, so that it is never mixed up with lengths or host addresses. */
typedef struct {
	uint64_t addr;
} gpa_t;

static inline gpa_t gpa(uint64_t addr)
{
	return (gpa_t){addr};
}

#define GUEST_PAGE_SIZE	      4096ULL
#define GUEST_MEM_MAX_REGIONS 4
#define GUEST_MEM_MAX_IOV     2 /* a slice crosses at most one region border */

/* The MMIO hole below 4 GiB (design: physical map). RAM continues above it. */
#define GUEST_MMIO_HOLE_START 0xc0000000ULL
#define GUEST_MMIO_HOLE_END   0x100000000ULL

struct guest_region {
	gpa_t base;
	uint64_t size;
	uint8_t *hva;
};

struct guest_mem {
	struct guest_region regions[GUEST_MEM_MAX_REGIONS]; /* ascending, disjoint */
	unsigned nr_regions;
	uint64_t ram_size; /* bytes, all regions together */
};

/* Maps @ram_size bytes (page multiple) of private anonymous memory as RAM from 0, around the MMIO hole. The pages are
 * not touched. 0, -EINVAL or -ENOMEM; after a failure guest_mem_fini is harmless. */
MUST_CHECK int guest_mem_init(struct guest_mem *mem, uint64_t ram_size);
void guest_mem_fini(struct guest_mem *mem);

/* Copy between host and guest. 0, or -EFAULT (nothing copied) when [at, at + len) is not all RAM. */
MUST_CHECK int guest_mem_read(const struct guest_mem *mem, gpa_t at, void *buf, size_t len);
MUST_CHECK int guest_mem_write(const struct guest_mem *mem, gpa_t at, const void *buf, size_t len);
MUST_CHECK int guest_mem_zero(const struct guest_mem *mem, gpa_t at, uint64_t len);

/* Host view of [at, at + len) in *iov, one or two pieces; returns their number, 0 for a zero length, or -EFAULT. */
MUST_CHECK int guest_mem_slice(const struct guest_mem *mem, gpa_t at, uint64_t len,
			       struct iovec iov[GUEST_MEM_MAX_IOV]);

/* Host pointer to [at, at + len) when it lies in one region, else NULL (also for a zero length). For loading images
 * and for atomic accesses; never kept while the guest runs. */
uint8_t *guest_mem_ptr(const struct guest_mem *mem, gpa_t at, uint64_t len);

#endif
