/* SPDX-License-Identifier: Apache-2.0 */
#include "mm/guest_mem.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/checked.h"

static int add_region(struct guest_mem *mem, uint64_t base, uint64_t size)
{
	void *hva;

	ASSERT(mem->nr_regions < GUEST_MEM_MAX_REGIONS);
	/* NORESERVE: overcommit is the purpose; the page cost is paid at the first touch. */
	hva = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (hva == MAP_FAILED)
		return -errno;
	/* A core dump of the monitor must neither take gigabytes nor carry the guest's secrets. Advice only. */
	(void)madvise(hva, size, MADV_DONTDUMP);
	mem->regions[mem->nr_regions++] = (struct guest_region){.base = gpa(base), .size = size, .hva = hva};
	mem->ram_size += size;
	return 0;
}

int guest_mem_init(struct guest_mem *mem, uint64_t ram_size)
{
	uint64_t low = ram_size < GUEST_MMIO_HOLE_START ? ram_size : GUEST_MMIO_HOLE_START;
	uint64_t end;
	int err;

	*mem = (struct guest_mem){0};
	if (ram_size == 0 || ram_size % GUEST_PAGE_SIZE || !checked_add(GUEST_MMIO_HOLE_END, ram_size, &end))
		return -EINVAL;
	err = add_region(mem, 0, low);
	if (!err && ram_size > low)
		err = add_region(mem, GUEST_MMIO_HOLE_END, ram_size - low);
	if (err)
		guest_mem_fini(mem);
	return err;
}

void guest_mem_fini(struct guest_mem *mem)
{
	for (unsigned i = 0; i < mem->nr_regions; i++)
		munmap(mem->regions[i].hva, mem->regions[i].size);
	*mem = (struct guest_mem){0};
}

static const struct guest_region *find_region(const struct guest_mem *mem, uint64_t addr)
{
	for (unsigned i = 0; i < mem->nr_regions; i++) {
		const struct guest_region *r = &mem->regions[i];

		if (addr >= r->base.addr && addr - r->base.addr < r->size)
			return r;
	}
	return NULL;
}

uint8_t *guest_mem_ptr(const struct guest_mem *mem, gpa_t at, uint64_t len)
{
	const struct guest_region *r = find_region(mem, at.addr);

	if (!r || len == 0 || !range_within(at.addr - r->base.addr, len, r->size))
		return NULL;
	return r->hva + (at.addr - r->base.addr);
}

int guest_mem_slice(const struct guest_mem *mem, gpa_t at, uint64_t len, struct iovec iov[GUEST_MEM_MAX_IOV])
{
	int n = 0;

	while (len) {
		const struct guest_region *r = find_region(mem, at.addr);
		uint64_t offset, piece;

		if (!r || n == GUEST_MEM_MAX_IOV)
			return -EFAULT;
		offset = at.addr - r->base.addr;
		piece = len < r->size - offset ? len : r->size - offset;
		iov[n++] = (struct iovec){.iov_base = r->hva + offset, .iov_len = piece};
		len -= piece;
		if (len && !checked_add(at.addr, piece, &at.addr))
			return -EFAULT;
	}
	return n;
}

int guest_mem_read(const struct guest_mem *mem, gpa_t at, void *buf, size_t len)
{
	struct iovec iov[GUEST_MEM_MAX_IOV];
	int n = guest_mem_slice(mem, at, len, iov);
	uint8_t *to = buf;

	for (int i = 0; i < n; i++) {
		memcpy(to, iov[i].iov_base, iov[i].iov_len);
		to += iov[i].iov_len;
	}
	return n < 0 ? n : 0;
}

int guest_mem_write(const struct guest_mem *mem, gpa_t at, const void *buf, size_t len)
{
	struct iovec iov[GUEST_MEM_MAX_IOV];
	int n = guest_mem_slice(mem, at, len, iov);
	const uint8_t *from = buf;

	for (int i = 0; i < n; i++) {
		memcpy(iov[i].iov_base, from, iov[i].iov_len);
		from += iov[i].iov_len;
	}
	return n < 0 ? n : 0;
}

int guest_mem_zero(const struct guest_mem *mem, gpa_t at, uint64_t len)
{
	struct iovec iov[GUEST_MEM_MAX_IOV];
	int n = guest_mem_slice(mem, at, len, iov);

	for (int i = 0; i < n; i++)
		memset(iov[i].iov_base, 0, iov[i].iov_len);
	return n < 0 ? n : 0;
}
