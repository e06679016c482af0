/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a JSON file that a person wrote (RFC 8259, by libjansson): every refusal is one line with the file, the place,
 * and what to write instead. One thread.
 */
#ifndef VMM_MATRIX_READER_H
#define VMM_MATRIX_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "matrix/arena.h"

#define READER_MAX_SIZE	 (1u << 20)
#define READER_MAX_DEPTH 6
#define READER_MAX_ITEMS 1024 /* of a list */

/* Strings that are read live in the arena. */
struct reader {
	const char *file;    /* its path, borrowed */
	const char *folder;  /* of the file, with a slash at its end; "" is the working directory */
	struct arena *arena; /* borrowed */
	struct error *err;   /* borrowed; the functions below leave their line there */
	char *text;
	size_t len;
	json_t *root;			  /* an object */
	unsigned steps[READER_MAX_DEPTH]; /* to the value that is read now */
	const char *names[READER_MAX_DEPTH];
	unsigned depth;
};

/* 0 or -errno. reader_fini is due either way. */
MUST_CHECK int reader_open(struct reader *reader, const char *path, struct arena *arena, struct error *err);
/* The same from memory; @text is copied. */
MUST_CHECK int reader_parse(struct reader *reader, const char *path, const char *text, size_t len, struct arena *arena,
			    struct error *err);
void reader_fini(struct reader *reader);

/* What is read from now on is member (or element) @index of what was read so far; @name: its key, NULL in a list. */
void reader_enter(struct reader *reader, unsigned index, const char *name);
void reader_leave(struct reader *reader);

/* Refuses the value that is read now; returns -EINVAL. */
int reader_fail(struct reader *reader, const char *fmt, ...) PRINTF_LIKE(2, 3);
int reader_fail_memory(struct reader *reader);
/* Refuses the key of what is read now: @known are those that may stand here, NULL at the end. */
int reader_fail_key(struct reader *reader, const char *const *known);

/* Each 0, or a line in reader->err and -errno. @example: what to write, as it stands in the file. */
MUST_CHECK int reader_string(struct reader *reader, const json_t *value, const char *example, const char **text);
MUST_CHECK int reader_integer(struct reader *reader, const json_t *value, unsigned min, unsigned max, unsigned *number);
MUST_CHECK int reader_bool(struct reader *reader, const json_t *value, bool *flag);
MUST_CHECK int reader_object(struct reader *reader, const json_t *value, const char *example);
/* A list of strings, or a single one. */
MUST_CHECK int reader_strings(struct reader *reader, const json_t *value, const char *example, struct arena_list *list);
/* A host path (or several): relative ones count from the file's folder. */
MUST_CHECK int reader_path(struct reader *reader, const json_t *value, const char *example, const char **path);
MUST_CHECK int reader_paths(struct reader *reader, const json_t *value, const char *example, struct arena_list *list);

#endif
