/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is given back all at once, and lists of strings in it. One thread. */
#ifndef VMM_MATRIX_ARENA_H
#define VMM_MATRIX_ARENA_H

#include <stddef.h>

#include "base/compiler.h"

struct arena_chunk;

/* Starts as zeroes. */
struct arena {
	struct arena_chunk *chunks;
};

/* Zeroed memory for any type, or NULL when there is none. */
void *arena_alloc(struct arena *arena, size_t size);
char *arena_format(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);
void arena_fini(struct arena *arena);

/* Starts as zeroes; items[count] is NULL once something was added. */
struct arena_list {
	const char **items;
	unsigned count, room;
};

/* @item is borrowed; NULL (an allocation that failed) is answered with -ENOMEM. */
MUST_CHECK int arena_list_add(struct arena *arena, struct arena_list *list, const char *item);
MUST_CHECK int arena_list_add_all(struct arena *arena, struct arena_list *list, const struct arena_list *more);

#endif
