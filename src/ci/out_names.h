/* SPDX-License-Identifier: Apache-2.0 */
/* Which names and link targets of a hostile stream may be used below a directory, and how they are shown. Pure. */
#ifndef VMM_CI_OUT_NAMES_H
#define VMM_CI_OUT_NAMES_H

#include <stddef.h>

#include "base/compiler.h"

#define OUT_NAMES_MAX_DEPTH 128 /* components: each costs a system call for each file below it */

/* The path below the directory that the @len bytes at @name (with a NUL behind them) mean: a part of @name, "" for the
 * directory itself. NULL when it is not safe, with *reason. */
MUST_CHECK const char *out_names_path(const char *name, size_t len, const char **reason);

/* How many folders of the directory a path of out_names_path's leads through. */
unsigned out_names_depth(const char *path);

/* NULL when a link in a folder that is @depth folders below the directory may point to @target (@len bytes and a NUL),
 * else the reason. The folder must be a real one: then leading ".." lead to real folders. Behind a name they might lead
 * up from wherever another link goes. */
MUST_CHECK const char *out_names_refuse_target(const char *target, size_t len, unsigned depth);

/* Writes @name as printable ASCII (other bytes as \xNN), cut off with "..." where @buf ends; returns @buf. */
const char *out_names_show(const char *name, size_t len, char *buf, size_t size);

#endif
