/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/tree_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"

#define STAT_BLOCK 512 /* the unit of st_blocks, stat(3type) */

static bool is_unchanged(const struct tree_entry *entry, const struct stat *st)
{
	struct tree_stamp stamp = tree_stamp_of(st);

	return S_ISREG(st->st_mode) && tree_stamp_equal(&entry->stamp, &stamp);
}

static int read_range(int fd, uint64_t start, uint64_t end, const struct guest_mem *mem, gpa_t at)
{
	struct iovec iov[GUEST_MEM_MAX_IOV];
	int n = guest_mem_slice(mem, gpa(at.addr + start), end - start, iov), code = n < 0 ? n : 0;

	for (int i = 0; i < n && !code; i++) {
		code = read_exact_at(fd, iov[i].iov_base, iov[i].iov_len, start);
		start += iov[i].iov_len;
	}
	return code;
}

/* The data from *start on as [*start, *end), which is empty when there is none any more. A file system that cannot tell
 * has data everywhere. */
static int find_data(int fd, uint64_t size, uint64_t *start, uint64_t *end)
{
	off_t data = lseek(fd, (off_t)*start, SEEK_DATA), hole;

	*end = size;
	if (data < 0 && errno == ENXIO)
		*start = size;
	if (data < 0)
		return 0;
	hole = lseek(fd, data, SEEK_HOLE);
	if (hole >= 0 && hole <= data)
		return -ESTALE; /* punched just now */
	*start = (uint64_t)data < size ? (uint64_t)data : size;
	*end = hole >= 0 && (uint64_t)hole < size ? (uint64_t)hole : size;
	return 0;
}

static int read_data(int fd, uint64_t size, const struct guest_mem *mem, gpa_t at)
{
	uint64_t start = 0, end = 0;
	int code = 0;

	while (!code && start < size) {
		code = find_data(fd, size, &start, &end);
		if (!code)
			code = read_range(fd, start, end, mem, at);
		start = end;
	}
	return code;
}

static int read_open_file(const struct tree *tree, const struct tree_entry *entry, int fd, const struct guest_mem *mem,
			  gpa_t at, struct error *err)
{
	uint64_t size = entry->stamp.size;
	struct stat st;
	int code;

	if (fstat(fd, &st))
		return tree_fail_errno(tree, err, -errno, entry->path);
	if (!is_unchanged(entry, &st))
		return tree_fail_changed(tree, err, entry->path);
	if ((uint64_t)st.st_blocks < size / STAT_BLOCK)
		code = read_data(fd, size, mem, at);
	else
		code = read_range(fd, 0, size, mem, at);
	/* A shorter file shows itself as -EIO. */
	if (fstat(fd, &st) || !is_unchanged(entry, &st) || code == -ESTALE)
		return tree_fail_changed(tree, err, entry->path);
	return code ? tree_fail_errno(tree, err, code, entry->path) : 0;
}

int tree_file_read(const struct tree *tree, const struct tree_entry *entry, const struct guest_mem *mem, gpa_t at,
		   struct error *err)
{
	/* What took the file's place must neither block, as a FIFO would, nor become our terminal. */
	int fd = openat(tree->fd, entry->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int code;

	if (fd < 0)
		return tree_fail_errno(tree, err, -errno, entry->path);
	code = read_open_file(tree, entry, fd, mem, at, err);
	close(fd);
	return code;
}
