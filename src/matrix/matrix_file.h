/* SPDX-License-Identifier: Apache-2.0 */
/* The matrix file as data: kernels x commands x sizes, and what is left out. One thread. */
#ifndef VMM_MATRIX_MATRIX_FILE_H
#define VMM_MATRIX_MATRIX_FILE_H

#include "base/error.h"
#include "matrix/arena.h"
#include "matrix/settings.h"

#define MATRIX_FILE_MAX_JOBS 256

enum matrix_axis { MATRIX_KERNELS, MATRIX_COMMANDS, MATRIX_SIZES, MATRIX_AXES };

struct matrix_entry {
	const char *name;
	const char *path;	 /* a kernel's image */
	struct arena_list words; /* a command; none: the kernel boots and ends by itself */
	struct settings settings;
};

/* Strings live in the arena. An axis that the file does not have is one entry without a name. */
struct matrix_file {
	const char *path; /* borrowed */
	struct matrix_entry *entries[MATRIX_AXES];
	unsigned counts[MATRIX_AXES];
	struct settings settings; /* for all runs */
	unsigned jobs;		  /* 0: not said */
	const char *logs;	  /* NULL: not said */
	struct matrix_skip *skips;
	unsigned nr_skips;
};

/* A combination with these is not run; -1: whichever. */
struct matrix_skip {
	int index[MATRIX_AXES];
};

/* 0, or -errno with a line in @err. */
MUST_CHECK int matrix_file_load(struct matrix_file *file, const char *path, struct arena *arena, struct error *err);
/* The same from memory. */
MUST_CHECK int matrix_file_parse(struct matrix_file *file, const char *path, const char *text, size_t len,
				 struct arena *arena, struct error *err);

#endif
