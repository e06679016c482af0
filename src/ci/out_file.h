/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One new file that is written from its beginning to its end; runs of zero bytes become holes, so that a stream of them
 * costs no disk space. On the extracting thread.
 */
#ifndef VMM_CI_OUT_FILE_H
#define VMM_CI_OUT_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

#define OUT_FILE_BLOCK 4096

struct out_file {
	int folder;	  /* borrowed, as is the name */
	const char *name; /* one component */
	int fd;
	uint64_t size;
};

/* Makes the file, which must not be there. 0, after which out_file_finish or out_file_abandon is due, or -errno. */
MUST_CHECK int out_file_create(struct out_file *file, int folder, const char *name, mode_t mode);

/* 0 or -errno. */
MUST_CHECK int out_file_append(struct out_file *file, const uint8_t *data, size_t len);

/* Closes the file; its time becomes @mtime unless that is 0 or in the future, which `make` would stumble over. 0, or
 * -errno after it was removed. */
MUST_CHECK int out_file_finish(struct out_file *file, uint32_t mtime);

/* Closes and removes the file. */
void out_file_abandon(struct out_file *file);

#endif
