/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings the content of the guest's /out to a host directory: a newc cpio stream from a hostile guest, read from a
 * descriptor. Nothing outside the directory is ever written, followed or named by a link, and no more than the limit
 * is stored. Blocks: runs on a thread of its own.
 */
#ifndef VMM_CI_OUT_EXTRACT_H
#define VMM_CI_OUT_EXTRACT_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

#define OUT_DEFAULT_LIMIT (1ULL << 30)
#define OUT_ENTRY_COST	  4096 /* what each entry counts towards the limit besides its data */

struct out_request {
	int stream_fd;	 /* borrowed; read to the trailer, the end of file, or an error */
	const char *dir; /* made when it is missing (its parent must exist) */
	uint64_t limit;	 /* bytes */
};

struct out_result {
	uint64_t files, folders, links;
	uint64_t bytes;	  /* of data stored */
	uint64_t skipped; /* special files, links that lead outside, names that are not safe: each a note on stderr, the
			     first few with their names; the lost ones are among them */
	uint64_t lost;	  /* the host's folder had no place for them: something else of that name, no parent */
};

/* 0 when the whole stream was stored (or skipped with a note); -errno with a line in @err when it broke off, was no
 * archive, went over the limit, or the host could not store it. What was complete by then stays; a file that was not
 * is removed. */
MUST_CHECK int out_extract(const struct out_request *request, struct out_result *result, struct error *err);

#endif
