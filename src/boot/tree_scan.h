/* SPDX-License-Identifier: Apache-2.0 */
/* Walks a host directory, without following symbolic links and without reading files. Private to src/boot. */
#ifndef VMM_BOOT_TREE_SCAN_H
#define VMM_BOOT_TREE_SCAN_H

#include "base/compiler.h"
#include "base/error.h"
#include "boot/tree.h"

/* Adds everything below the directory to @tree, in no order. Sockets are left out, and what lies in a pseudo file
 * system mounted there, with a notice. 0, or -errno with a line in @err. */
MUST_CHECK int tree_scan(struct tree *tree, struct error *err);

#endif
