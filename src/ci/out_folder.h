/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes things below one directory without ever following a symbolic link there: each folder on the way is opened by
 * itself. Names are those that out_names.h accepts. On the extracting thread.
 */
#ifndef VMM_CI_OUT_FOLDER_H
#define VMM_CI_OUT_FOLDER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/error.h"

/* The directory that the user named; it is made when it is missing. Its descriptor, or -errno with a line in @err. */
MUST_CHECK int out_folder_open(const char *dir, struct error *err);

/* Opens the folder that @path, which is not empty, lies in, and stores where in @path its last component is. A
 * descriptor; -ENOENT when there is no such folder, -ENOTDIR when something on the way is none (also a link to one), or
 * another -errno. */
MUST_CHECK int out_folder_open_parent(int root, const char *path, const char **leaf);

/* 0 also when there is such a folder already; -EEXIST when something else is there, or another -errno. */
MUST_CHECK int out_folder_make(int parent, const char *leaf, mode_t mode);

/* Makes a symbolic link, in the place of what out_folder_clear removes. 0 or -errno. */
MUST_CHECK int out_folder_link(int parent, const char *leaf, const char *target);

/* Removes what bears the name, unless it is a folder: -EISDIR. 0 (also when there is nothing) or -errno. */
MUST_CHECK int out_folder_clear(int parent, const char *leaf);

#endif
