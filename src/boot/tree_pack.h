/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host directory as a newc cpio archive, written straight into guest memory: first a scan, which tells the size, then
 * the files are read to where they belong. What changes in between is an error, never a torn archive. Start-up only.
 */
#ifndef VMM_BOOT_TREE_PACK_H
#define VMM_BOOT_TREE_PACK_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "mm/guest_mem.h"

struct tree_pack;

/* Lists everything below @path (borrowed until tree_pack_free), which must be a directory; an archive of more than 3
 * GiB is refused. 0 with *tree, or -errno with a line in @err. */
MUST_CHECK int tree_pack_scan(struct tree_pack **tree, const char *path, struct error *err);

/* Bytes of the archive, trailer included. */
uint64_t tree_pack_size(const struct tree_pack *tree);

/* Writes the archive to guest memory at @at, which is zero there. 0, or -errno with a line in @err. */
MUST_CHECK int tree_pack_write(const struct tree_pack *tree, const struct guest_mem *mem, gpa_t at, struct error *err);

void tree_pack_free(struct tree_pack *tree);

#endif
