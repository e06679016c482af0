/* SPDX-License-Identifier: Apache-2.0 */
/* The root file system of a command for which the user gave none: the host's static BusyBox under all its names.
 * Start-up only. */
#ifndef VMM_CI_DEFAULT_ROOT_H
#define VMM_CI_DEFAULT_ROOT_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"
#include "ci/archive.h"

/* Where to look for one: the user's $PATH, then the usual folders. */
void default_root_path(char *path, size_t size);

/* Looks for "busybox" in @path (as $PATH), which must be linked statically, and asks it for its names. 0, or -errno
 * with how to get one in @err; archive_fini is due either way. */
MUST_CHECK int default_root_make(struct archive *archive, const char *path, struct error *err);

/* Whether there is one: 0 with its path in @found, or -errno with a line in @err. */
MUST_CHECK int default_root_find(const char *path, char *found, size_t size, struct error *err);

#endif
