/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest-virtual to guest-physical, as the CPU's own walk would do it (Intel SDM vol. 3, 4.5-4.7): 32-bit, PAE, 4- and
 * 5-level paging, with permissions, accessed/dirty bits and the page-fault error code. Any thread; page-table entries
 * are read once and A/D bits set atomically, as other vCPUs run.
 */
#ifndef VMM_X86_PAGING_H
#define VMM_X86_PAGING_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/kvm.h>

#include "base/compiler.h"
#include "mm/guest_mem.h"

#define PAGING_READ  0
#define PAGING_WRITE (1u << 1) /* the bits of the page-fault error code */
#define PAGING_USER  (1u << 2)
#define PAGING_FETCH (1u << 4)

/* The most pages one paging_read or paging_write may touch: the largest XSAVE area and one. */
#define PAGING_MAX_PAGES 5

struct paging_fault {
	uint64_t address;
	uint32_t error_code;
};

/* Translates @gva for @access (PAGING_* bits; PAGING_USER when CPL is 3). @rflags matters for SMAP's AC override.
 * 0 with *out; -EFAULT with *fault filled (deliver #PF); -ENXIO when a table or the page lies outside guest RAM and the
 * entry is otherwise good (*out then holds the address for the page itself). */
MUST_CHECK int paging_translate(const struct guest_mem *mem, const struct kvm_sregs *sregs, uint64_t rflags,
				uint64_t gva, uint32_t access, gpa_t *out, struct paging_fault *fault);

/* Copies across page borders. 0, -EFAULT with *fault (nothing written: all pages are translated first), -ENXIO;
 * -EINVAL for more than PAGING_MAX_PAGES. paging_write implies PAGING_WRITE. */
MUST_CHECK int paging_read(const struct guest_mem *mem, const struct kvm_sregs *sregs, uint64_t rflags, uint64_t gva,
			   uint32_t access, void *buf, size_t len, struct paging_fault *fault);
MUST_CHECK int paging_write(const struct guest_mem *mem, const struct kvm_sregs *sregs, uint64_t rflags, uint64_t gva,
			    uint32_t access, const void *buf, size_t len, struct paging_fault *fault);

/* The guest-physical address of the page-table entry of the last level that maps @gva (4 KiB leaf only), reached
 * without regard to permissions; used to place the trampoline's mapping. 0, -ENOENT when a level above is absent or a
 * large page. */
MUST_CHECK int paging_find_pte(const struct guest_mem *mem, const struct kvm_sregs *sregs, uint64_t gva, gpa_t *pte);

#endif
