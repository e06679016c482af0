/* SPDX-License-Identifier: Apache-2.0 */
#include "x86/paging.h"

#include <errno.h>
#include <string.h>

#include "x86/arch.h"

/* Entry bits common to all formats (SDM vol. 3, 4.3-4.5). */
#define ENTRY_PRESENT  (1ULL << 0)
#define ENTRY_WRITE    (1ULL << 1)
#define ENTRY_USER     (1ULL << 2)
#define ENTRY_ACCESSED (1ULL << 5)
#define ENTRY_DIRTY    (1ULL << 6)
#define ENTRY_LARGE    (1ULL << 7)
#define ENTRY_NX       (1ULL << 63)

#define FAULT_PRESENT  (1u << 0)
#define FAULT_RESERVED (1u << 3)

#define MAX_LEVELS 5

/* Other vCPUs may change an entry between its reading and the setting of its A/D bits: the walk starts anew, and after
 * this many times gives the guest a page fault it will find spurious, rather than loop at a guest's pleasure. */
#define MAX_RACES 64

/* The paging mode, from the control registers. */
struct mode {
	unsigned levels;
	unsigned entry_size;
	unsigned index_bits;
	bool long_mode;
	bool nx;
	bool pse; /* 4 MiB pages in 32-bit paging */
	uint64_t root;
};

/* The entries one walk went through, from the root. */
struct trail {
	struct {
		void *host;
		uint64_t entry;
	} step[MAX_LEVELS];
	unsigned nr;
	unsigned leaf_level; /* 1: 4 KiB, 2: 2 or 4 MiB, 3: 1 GiB */
	uint32_t fault;	     /* error-code bits found by the walk itself */
};

static struct mode find_mode(const struct kvm_sregs *sregs)
{
	struct mode m = {0};

	if (sregs->efer & EFER_LMA) {
		m.levels = sregs->cr4 & CR4_LA57 ? 5 : 4;
		m.entry_size = 8;
		m.index_bits = 9;
		m.long_mode = true;
		m.root = sregs->cr3 & 0x000ffffffffff000ULL;
	} else if (sregs->cr4 & CR4_PAE) {
		m.levels = 3;
		m.entry_size = 8;
		m.index_bits = 9;
		m.root = sregs->cr3 & 0xffffffe0ULL;
	} else {
		m.levels = 2;
		m.entry_size = 4;
		m.index_bits = 10;
		m.pse = sregs->cr4 & CR4_PSE;
		m.root = sregs->cr3 & 0xfffff000ULL;
	}
	m.nx = m.entry_size == 8 && sregs->efer & EFER_NXE;
	return m;
}

static unsigned level_shift(const struct mode *m, unsigned level)
{
	return 12 + m->index_bits * (level - 1);
}

static bool is_leaf(const struct mode *m, unsigned level, uint64_t entry)
{
	if (level == 1)
		return true;
	if (!(entry & ENTRY_LARGE))
		return false;
	if (m->entry_size == 4)
		return m->pse;
	return level == 2 || (level == 3 && m->long_mode);
}

/* Bits that must be zero in a present entry. The width of physical addresses is not known here: an address too wide is
 * found to lie outside RAM instead. Bits 52-62 are ignored (and protection keys) in long mode only. */
static uint64_t reserved_bits(const struct mode *m, unsigned level, bool leaf)
{
	uint64_t bits = 0;

	if (m->entry_size == 4)
		return leaf && level == 2 ? 1ULL << 21 : 0;
	if (!m->nx)
		bits |= ENTRY_NX;
	if (!m->long_mode) {
		bits |= 0x7ff0000000000000ULL;
		if (level == 3)
			return bits | ENTRY_NX | 0x1e6;
	}
	if (level > 3)
		return bits | ENTRY_LARGE;
	if (leaf && level > 1)
		bits |= (1ULL << level_shift(m, level)) - (1ULL << 13);
	return bits;
}

/* PAE page-directory-pointer entries carry neither permissions nor an accessed bit. */
static bool is_bare_pointer(const struct mode *m, unsigned level)
{
	return level == 3 && !m->long_mode;
}

static void *entry_host(const struct guest_mem *mem, const struct mode *m, uint64_t table, unsigned level, uint64_t gva,
			gpa_t *at)
{
	uint64_t mask = (1ULL << (is_bare_pointer(m, level) ? 2 : m->index_bits)) - 1;

	*at = gpa(table + (gva >> level_shift(m, level) & mask) * m->entry_size);
	return guest_mem_ptr(mem, *at, m->entry_size);
}

static uint64_t load_entry(const struct mode *m, const void *host)
{
	if (m->entry_size == 4)
		return __atomic_load_n((const uint32_t *)host, __ATOMIC_ACQUIRE);
	return __atomic_load_n((const uint64_t *)host, __ATOMIC_ACQUIRE);
}

static uint64_t table_address(const struct mode *m, uint64_t entry)
{
	return entry & (m->entry_size == 4 ? 0xfffff000ULL : 0x000ffffffffff000ULL);
}

/* From the root to the leaf, permissions not judged. 0; -EFAULT with trail->fault; -ENXIO. */
static int walk_tables(const struct guest_mem *mem, const struct mode *m, uint64_t gva, struct trail *trail)
{
	uint64_t table = m->root;

	trail->nr = 0;
	trail->fault = 0;
	for (unsigned level = m->levels; level; level--) {
		gpa_t at;
		void *host = entry_host(mem, m, table, level, gva, &at);
		uint64_t entry;
		bool leaf;

		if (!host)
			return -ENXIO;
		entry = load_entry(m, host);
		if (!(entry & ENTRY_PRESENT))
			return -EFAULT;
		leaf = is_leaf(m, level, entry);
		if (entry & reserved_bits(m, level, leaf)) {
			trail->fault = FAULT_PRESENT | FAULT_RESERVED;
			return -EFAULT;
		}
		if (is_bare_pointer(m, level)) {
			table = table_address(m, entry);
			continue;
		}
		trail->step[trail->nr].host = host;
		trail->step[trail->nr++].entry = entry;
		trail->leaf_level = level;
		if (leaf)
			return 0;
		table = table_address(m, entry);
	}
	return -EFAULT;
}

/* SDM vol. 3, 4.6.1. */
static bool is_allowed(const struct kvm_sregs *sregs, const struct mode *m, uint64_t rflags, uint32_t access,
		       const struct trail *trail)
{
	uint64_t all = ENTRY_WRITE | ENTRY_USER, any = 0;
	bool user_page;

	for (unsigned i = 0; i < trail->nr; i++) {
		all &= trail->step[i].entry;
		any |= trail->step[i].entry;
	}
	user_page = all & ENTRY_USER;
	if (access & PAGING_FETCH && m->nx && any & ENTRY_NX)
		return false;
	if (access & PAGING_USER)
		return user_page && (!(access & PAGING_WRITE) || all & ENTRY_WRITE);
	if (access & PAGING_FETCH)
		return !(user_page && sregs->cr4 & CR4_SMEP);
	if (user_page && sregs->cr4 & CR4_SMAP && !(rflags & RFLAGS_AC))
		return false;
	return !(access & PAGING_WRITE) || all & ENTRY_WRITE || !(sregs->cr0 & CR0_WP);
}

static bool swap_entry(const struct mode *m, void *host, uint64_t old, uint64_t new)
{
	if (m->entry_size == 4) {
		uint32_t expected = (uint32_t)old;

		return __atomic_compare_exchange_n((uint32_t *)host, &expected, (uint32_t) new, false, __ATOMIC_SEQ_CST,
						   __ATOMIC_RELAXED);
	}
	return __atomic_compare_exchange_n((uint64_t *)host, &old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/* False when an entry is no longer what the walk saw. */
static bool mark_used(const struct mode *m, const struct trail *trail, bool write)
{
	for (unsigned i = 0; i < trail->nr; i++) {
		uint64_t old = trail->step[i].entry;
		uint64_t new = old | ENTRY_ACCESSED | (write && i == trail->nr - 1 ? ENTRY_DIRTY : 0);

		if (new != old && !swap_entry(m, trail->step[i].host, old, new))
			return false;
	}
	return true;
}

static uint64_t leaf_address(const struct mode *m, const struct trail *trail, uint64_t gva)
{
	uint64_t entry = trail->step[trail->nr - 1].entry;
	uint64_t offset_mask = (1ULL << level_shift(m, trail->leaf_level)) - 1;
	uint64_t base = table_address(m, entry) & ~offset_mask;

	/* PSE-36: bits 13-20 of a 4 MiB entry are bits 32-39 of the address. */
	if (m->entry_size == 4 && trail->leaf_level == 2)
		base |= (entry >> 13 & 0xff) << 32;
	return base | (gva & offset_mask);
}

static int fill_fault(struct paging_fault *fault, const struct kvm_sregs *sregs, const struct mode *m, uint64_t gva,
		      uint32_t access, uint32_t cause)
{
	uint32_t code = cause | (access & (PAGING_WRITE | PAGING_USER));

	/* The fetch bit is reported only where a fetch can be forbidden. */
	if (access & PAGING_FETCH && (m->nx || sregs->cr4 & CR4_SMEP))
		code |= PAGING_FETCH;
	*fault = (struct paging_fault){.address = gva, .error_code = code};
	return -EFAULT;
}

int paging_translate(const struct guest_mem *mem, const struct kvm_sregs *sregs, uint64_t rflags, uint64_t gva,
		     uint32_t access, gpa_t *out, struct paging_fault *fault)
{
	struct mode m = find_mode(sregs);
	struct trail trail;
	int err;

	if (!m.long_mode)
		gva &= 0xffffffff;
	if (!(sregs->cr0 & CR0_PG)) {
		*out = gpa(gva);
		return guest_mem_ptr(mem, *out, 1) ? 0 : -ENXIO;
	}
	for (unsigned race = 0; race < MAX_RACES; race++) {
		err = walk_tables(mem, &m, gva, &trail);
		if (err == -ENXIO)
			return err;
		if (err)
			return fill_fault(fault, sregs, &m, gva, access, trail.fault);
		if (!is_allowed(sregs, &m, rflags, access, &trail))
			return fill_fault(fault, sregs, &m, gva, access, FAULT_PRESENT);
		if (mark_used(&m, &trail, access & PAGING_WRITE)) {
			*out = gpa(leaf_address(&m, &trail, gva));
			return guest_mem_ptr(mem, *out, 1) ? 0 : -ENXIO;
		}
	}
	return fill_fault(fault, sregs, &m, gva, access, 0);
}

/* Host views of [gva, gva + len), a page each; their number or a negative errno. */
static int map_range(const struct guest_mem *mem, const struct kvm_sregs *sregs, uint64_t rflags, uint64_t gva,
		     uint32_t access, size_t len, struct iovec iov[PAGING_MAX_PAGES], struct paging_fault *fault)
{
	int n = 0;

	while (len) {
		size_t piece = (size_t)(GUEST_PAGE_SIZE - (gva & (GUEST_PAGE_SIZE - 1)));
		gpa_t at;
		int err;

		if (n == PAGING_MAX_PAGES)
			return -EINVAL;
		if (piece > len)
			piece = len;
		err = paging_translate(mem, sregs, rflags, gva, access, &at, fault);
		if (err)
			return err;
		iov[n] = (struct iovec){.iov_base = guest_mem_ptr(mem, at, piece), .iov_len = piece};
		if (!iov[n++].iov_base)
			return -ENXIO;
		gva += piece;
		len -= piece;
	}
	return n;
}

int paging_read(const struct guest_mem *mem, const struct kvm_sregs *sregs, uint64_t rflags, uint64_t gva,
		uint32_t access, void *buf, size_t len, struct paging_fault *fault)
{
	struct iovec iov[PAGING_MAX_PAGES];
	int n = map_range(mem, sregs, rflags, gva, access, len, iov, fault);
	uint8_t *to = buf;

	for (int i = 0; i < n; i++) {
		memcpy(to, iov[i].iov_base, iov[i].iov_len);
		to += iov[i].iov_len;
	}
	return n < 0 ? n : 0;
}

int paging_write(const struct guest_mem *mem, const struct kvm_sregs *sregs, uint64_t rflags, uint64_t gva,
		 uint32_t access, const void *buf, size_t len, struct paging_fault *fault)
{
	struct iovec iov[PAGING_MAX_PAGES];
	int n = map_range(mem, sregs, rflags, gva, access | PAGING_WRITE, len, iov, fault);
	const uint8_t *from = buf;

	for (int i = 0; i < n; i++) {
		memcpy(iov[i].iov_base, from, iov[i].iov_len);
		from += iov[i].iov_len;
	}
	return n < 0 ? n : 0;
}

int paging_find_pte(const struct guest_mem *mem, const struct kvm_sregs *sregs, uint64_t gva, gpa_t *pte)
{
	struct mode m = find_mode(sregs);
	uint64_t table = m.root;

	if (!(sregs->cr0 & CR0_PG))
		return -ENOENT;
	for (unsigned level = m.levels; level; level--) {
		gpa_t at;
		const void *host = entry_host(mem, &m, table, level, gva, &at);
		uint64_t entry;

		if (!host)
			return -ENOENT;
		if (level == 1) {
			*pte = at;
			return 0;
		}
		entry = load_entry(&m, host);
		if (!(entry & ENTRY_PRESENT) || is_leaf(&m, level, entry))
			return -ENOENT;
		table = table_address(&m, entry);
	}
	return -ENOENT;
}
