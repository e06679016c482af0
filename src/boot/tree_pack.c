/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/tree_pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/cpio.h"
#include "base/cpio_write.h"
#include "base/parse.h"
#include "boot/tree.h"
#include "boot/tree_file.h"
#include "boot/tree_order.h"
#include "boot/tree_scan.h"

#define MAX_HEADER (CPIO_HEADER_SIZE + CPIO_MAX_NAME + CPIO_ALIGNMENT) /* with its name and padding */

struct tree_pack {
	struct tree tree;
};

/* More cannot be loaded below the MMIO hole, whatever the guest's memory. */
static int check_size(const struct tree *tree, struct error *err)
{
	char size[32];

	if (tree->size <= GUEST_MMIO_HOLE_START)
		return 0;
	return tree_fail(tree, err, -EFBIG, NULL, "takes %s as an archive, and 3 GiB is the most; leave something out",
			 format_size(tree->size, size, sizeof(size)));
}

int tree_pack_scan(struct tree_pack **tree, const char *path, struct error *err)
{
	struct tree_pack *pack = calloc(1, sizeof(*pack));
	int code;

	*tree = NULL;
	if (!pack)
		return error_set(err, -ENOMEM, "no memory to list a directory");
	code = tree_init(&pack->tree, path, err);
	if (!code)
		code = tree_scan(&pack->tree, err);
	if (!code)
		code = tree_order(&pack->tree, err);
	if (!code)
		code = check_size(&pack->tree, err);
	if (code)
		tree_pack_free(pack);
	else
		*tree = pack;
	return code;
}

uint64_t tree_pack_size(const struct tree_pack *tree)
{
	return tree->tree.size;
}

/* The format's time is unsigned; Linux takes it so (until 2106). */
static uint32_t clamp_time(time_t seconds)
{
	if (seconds < 0)
		return 0;
	return (uint64_t)seconds < UINT32_MAX ? (uint32_t)seconds : UINT32_MAX;
}

static int put_header(const struct cpio_member *member, const struct guest_mem *mem, uint64_t at)
{
	uint8_t header[MAX_HEADER];

	cpio_put_header(header, member);
	return guest_mem_write(mem, gpa(at), header, cpio_header_size(strlen(member->name)));
}

static int put_entry_header(const struct tree_entry *entry, const struct guest_mem *mem, uint64_t at)
{
	bool is_device = S_ISCHR(entry->mode) || S_ISBLK(entry->mode);
	const struct cpio_member member = {
		.name = entry->path,
		.ino = entry->number,
		.mode = entry->mode,
		.uid = entry->uid,
		.gid = entry->gid,
		.nlink = entry->nlink,
		.mtime = clamp_time(entry->stamp.mtime.tv_sec),
		.size = tree_data_size(entry),
		.rdev_major = is_device ? major(entry->rdev) : 0,
		.rdev_minor = is_device ? minor(entry->rdev) : 0,
	};

	return put_header(&member, mem, at);
}

static int put_entry(const struct tree *tree, const struct tree_entry *entry, const struct guest_mem *mem, uint64_t at,
		     struct error *err)
{
	uint64_t data = at + cpio_header_size(strlen(entry->path));
	int code = put_entry_header(entry, mem, at);

	if (!code && S_ISLNK(entry->mode))
		code = guest_mem_write(mem, gpa(data), entry->target, strlen(entry->target));
	if (code)
		return tree_fail_errno(tree, err, code, entry->path);
	/* An empty file, too, may have got content since. */
	if (S_ISREG(entry->mode) && entry->has_data)
		return tree_file_read(tree, entry, mem, gpa(data), err);
	return 0;
}

int tree_pack_write(const struct tree_pack *pack, const struct guest_mem *mem, gpa_t at, struct error *err)
{
	const struct cpio_member trailer = {.name = CPIO_TRAILER, .nlink = 1};
	const struct tree *tree = &pack->tree;
	struct iovec iov[GUEST_MEM_MAX_IOV];
	int code = guest_mem_slice(mem, at, tree->size, iov);

	if (code < 0)
		return tree_fail(tree, err, code, NULL, "guest-physical 0x%llx is not RAM",
				 (unsigned long long)at.addr);
	code = 0;
	for (uint32_t i = 0; i < tree->count && !code; i++) {
		const struct tree_entry *entry = &tree->entries[tree->order[i]];

		code = put_entry(tree, entry, mem, at.addr + entry->offset, err);
	}
	if (!code && put_header(&trailer, mem, at.addr + tree->trailer_offset))
		code = tree_fail(tree, err, -EFAULT, NULL, "its trailer does not lie in RAM");
	return code;
}

void tree_pack_free(struct tree_pack *tree)
{
	if (!tree)
		return;
	tree_fini(&tree->tree);
	free(tree);
}
