/* SPDX-License-Identifier: Apache-2.0 */
/* Where each entry of a tree lies in the archive. Private to src/boot. Touches no file. */
#ifndef VMM_BOOT_TREE_ORDER_H
#define VMM_BOOT_TREE_ORDER_H

#include "base/compiler.h"
#include "base/error.h"
#include "boot/tree.h"

/*
 * Sorts the entries by their paths' bytes, numbers their inodes in that order, and fills tree->order, the offsets and
 * tree->size, as `cpio -o -H newc --reproducible` does with the sorted names: a file with several names waits for its
 * last one, then come the others, the latest first, without data, then the last one with the data. Where names lie
 * outside the tree, its names come at the archive's end. 0, or -errno with a line in @err.
 */
MUST_CHECK int tree_order(struct tree *tree, struct error *err);

#endif
