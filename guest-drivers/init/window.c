/* SPDX-License-Identifier: Apache-2.0 */
#include "window.h"

#include <string.h>

/* Rings without progress before there is a rest: a doorbell takes microseconds, a rest up to one timer tick. */
#define PATIENCE     100
#define TRY_PATIENCE 500

static uint32_t free_bytes(const struct window *window)
{
	/* Pairs with the host's release: what lies below tail is not read any more. */
	return window->size - (window->head - __atomic_load_n(&window->control->tail, __ATOMIC_ACQUIRE));
}

bool window_is_empty(const struct window *window)
{
	return free_bytes(window) == window->size;
}

void window_wait(struct window *window, uint32_t len)
{
	uint32_t before = free_bytes(window);

	for (unsigned rings = 0; before < len; rings++) {
		uint32_t now;

		window->ring_doorbell(window->opaque);
		now = free_bytes(window);
		if (now != before)
			rings = 0;
		else if (rings >= PATIENCE)
			window->rest(window->opaque);
		before = now;
	}
}

bool window_try_empty(struct window *window)
{
	for (unsigned rings = 0; !window_is_empty(window) && rings < TRY_PATIENCE; rings++)
		window->ring_doorbell(window->opaque);
	return window_is_empty(window);
}

uint8_t *window_reserve(struct window *window, uint32_t skip, uint32_t want, uint32_t *room)
{
	/* Half of the ring is enough to go on with: waiting for a frame's full size would stop one side or the other.
	 */
	uint32_t need = skip + want < window->size / 2 ? skip + want : window->size / 2;
	uint32_t at = (window->head + skip) & (window->size - 1);
	uint32_t len;

	window_wait(window, need);
	len = free_bytes(window) - skip;
	if (len > window->size - at)
		len = window->size - at;
	*room = len < want ? len : want;
	return window->ring + at;
}

void window_put(struct window *window, uint32_t skip, const void *bytes, uint32_t len)
{
	uint32_t at = (window->head + skip) & (window->size - 1);
	uint32_t first = len < window->size - at ? len : window->size - at;

	memcpy(window->ring + at, bytes, first);
	memcpy(window->ring, (const uint8_t *)bytes + first, len - first);
}

void window_publish(struct window *window, uint32_t len)
{
	window->head += len;
	__atomic_store_n(&window->control->head, window->head, __ATOMIC_RELEASE);
	window->ring_doorbell(window->opaque);
}
