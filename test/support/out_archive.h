/* SPDX-License-Identifier: Apache-2.0 */
/* A newc archive in memory, as a guest would send it: also one that no honest guest sends. */
#ifndef VMM_TEST_OUT_ARCHIVE_H
#define VMM_TEST_OUT_ARCHIVE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"

#define OUT_ARCHIVE_SIZE  (2u << 20)
#define OUT_ARCHIVE_MTIME 0x5f000000u

struct out_archive {
	size_t len;
	uint8_t bytes[OUT_ARCHIVE_SIZE];
};

/* What does not fit is dropped: the archive is cut off there. */
static inline void out_archive_add_bytes(struct out_archive *a, const void *data, size_t len)
{
	if (len > sizeof(a->bytes) - a->len)
		len = sizeof(a->bytes) - a->len;
	if (len)
		memcpy(a->bytes + a->len, data, len);
	a->len += len;
}

static inline void out_archive_pad(struct out_archive *a)
{
	while (a->len % 4 && a->len < sizeof(a->bytes))
		out_archive_add_bytes(a, "", 1);
}

/* The header and a name of any bytes. */
static inline void out_archive_add_header(struct out_archive *a, unsigned mode, const void *name, size_t name_len,
					  unsigned data_size)
{
	char header[128];
	int n = snprintf(header, sizeof(header), "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 7u, mode,
			 4000u, 4000u, 1u, OUT_ARCHIVE_MTIME, data_size, 0u, 0u, 0u, 0u, (unsigned)name_len + 1, 0u);

	out_archive_add_bytes(a, header, (size_t)n);
	out_archive_add_bytes(a, name, name_len);
	out_archive_add_bytes(a, "", 1);
	out_archive_pad(a);
}

static inline void out_archive_add(struct out_archive *a, unsigned mode, const char *name, const void *data, size_t len)
{
	out_archive_add_header(a, mode, name, strlen(name), (unsigned)len);
	out_archive_add_bytes(a, data, len);
	out_archive_pad(a);
}

static inline void out_archive_end(struct out_archive *a)
{
	out_archive_add(a, 0, "TRAILER!!!", NULL, 0);
}

/* The first @len bytes, as a stream: a descriptor that the caller closes, or -1. */
static inline int out_archive_open(const struct out_archive *a, size_t len)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);

	if (fd >= 0 && (write_all(fd, a->bytes, len) || lseek(fd, 0, SEEK_SET) < 0))
		close_fd(&fd);
	return fd;
}

#endif
