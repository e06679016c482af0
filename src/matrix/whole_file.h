/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is there completely or as it was: written beside its place, then renamed. One thread. */
#ifndef VMM_MATRIX_WHOLE_FILE_H
#define VMM_MATRIX_WHOLE_FILE_H

#include <limits.h>
#include <stdio.h>

#include "base/error.h"

struct whole_file {
	const char *path; /* borrowed */
	FILE *to;	  /* write here; its errors are kept for the end */
	char temporary[PATH_MAX];
};

/* 0, or -errno with a line. whole_file_finish is due after success. */
MUST_CHECK int whole_file_begin(struct whole_file *file, const char *path, struct error *err);
/* 0, or -errno with a line; nothing is left behind then. */
MUST_CHECK int whole_file_finish(struct whole_file *file, struct error *err);

#endif
