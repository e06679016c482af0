/* SPDX-License-Identifier: Apache-2.0 */
/* Files and descriptors: opening what a user named, complete reads and writes, the clock. Any thread. */
#ifndef VMM_BASE_FILE_H
#define VMM_BASE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/* Opens the regular file @path read-only, close-on-exec. Returns the fd (the caller closes it) with its size in *size,
 * or -errno with a user's line in @err that starts with @what ("kernel bzImage: no such file; ..."). */
MUST_CHECK int file_open_regular(const char *what, const char *path, uint64_t *size, struct error *err);

/* Reads exactly @len bytes at @offset, resuming short reads. 0, -EIO at end of file, or -errno. */
MUST_CHECK int read_exact_at(int fd, void *buf, size_t len, uint64_t offset);

/* Writes all of @len, resuming short writes and EINTR. 0 or -errno. */
MUST_CHECK int write_all(int fd, const void *buf, size_t len);

/* Closes *fd if it is open, sets it to -1, keeps errno. */
void close_fd(int *fd);

/* Makes the eventfd @fd readable: wakes whoever reads it. An eventfd refuses only at 2^64 - 1 unread wake-ups; its
 * reader is then awake already. */
void wake_eventfd(int fd);

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t monotonic_ns(void);

#endif
