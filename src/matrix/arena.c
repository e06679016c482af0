/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/arena.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE ((size_t)65536)

struct arena_chunk {
	struct arena_chunk *next;
	size_t size, used;
	_Alignas(max_align_t) unsigned char bytes[];
};

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct arena_chunk *chunk = arena->chunks;
	void *at;

	if (size > SIZE_MAX - sizeof(*chunk) - align)
		return NULL;
	size = (size + align - 1) & ~(align - 1);
	if (!chunk || size > chunk->size - chunk->used) {
		size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;

		chunk = calloc(1, sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		chunk->next = arena->chunks;
		chunk->size = room;
		arena->chunks = chunk;
	}
	at = chunk->bytes + chunk->used;
	chunk->used += size;
	return at;
}

char *arena_format(struct arena *arena, const char *fmt, ...)
{
	va_list ap, again;
	char *text = NULL;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	if (len >= 0)
		text = arena_alloc(arena, (size_t)len + 1);
	if (text)
		vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return text;
}

void arena_fini(struct arena *arena)
{
	struct arena_chunk *next;

	for (struct arena_chunk *chunk = arena->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	arena->chunks = NULL;
}

static int grow(struct arena *arena, struct arena_list *list)
{
	unsigned room = list->room ? list->room * 2 : 8;
	const char **items;

	if (room < list->room)
		return -ENOMEM;
	items = arena_alloc(arena, room * sizeof(*items));
	if (!items)
		return -ENOMEM;
	if (list->count)
		memcpy(items, list->items, list->count * sizeof(*items));
	list->items = items;
	list->room = room;
	return 0;
}

int arena_list_add(struct arena *arena, struct arena_list *list, const char *item)
{
	/* One is kept free for the NULL at the end. */
	if (!item || (list->count + 1 >= list->room && grow(arena, list)))
		return -ENOMEM;
	list->items[list->count++] = item;
	return 0;
}

int arena_list_add_all(struct arena *arena, struct arena_list *list, const struct arena_list *more)
{
	for (unsigned i = 0; i < more->count; i++) {
		int ret = arena_list_add(arena, list, more->items[i]);

		if (ret)
			return ret;
	}
	return 0;
}
