/* SPDX-License-Identifier: Apache-2.0 */
/* Reads one file of a scanned tree straight into guest memory. Private to src/boot. */
#ifndef VMM_BOOT_TREE_FILE_H
#define VMM_BOOT_TREE_FILE_H

#include "base/compiler.h"
#include "base/error.h"
#include "boot/tree.h"
#include "mm/guest_mem.h"

/* Reads the regular file @entry to @at, where memory is zero: holes are passed over. 0, or -errno with a line in @err,
 * also when it is not the file that was scanned, or changes meanwhile. */
MUST_CHECK int tree_file_read(const struct tree *tree, const struct tree_entry *entry, const struct guest_mem *mem,
			      gpa_t at, struct error *err);

#endif
