/* SPDX-License-Identifier: Apache-2.0 */
/* The root file system of a command for which the user gave none: the host's static BusyBox under all its names.
 * Start-up only. */
#ifndef VMM_CI_DEFAULT_ROOT_H
#define VMM_CI_DEFAULT_ROOT_H

#include "base/compiler.h"
#include "base/error.h"
#include "ci/archive.h"

/* Looks for "busybox" in @path (as $PATH; NULL: the usual folders), which must be linked statically, and asks it for
 * its names. 0, or -errno with how to get one in @err; archive_fini is due either way. */
MUST_CHECK int default_root_make(struct archive *archive, const char *path, struct error *err);

#endif
