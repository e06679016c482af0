/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's side of the window (command_proto.h): a ring in memory that the host empties while the doorbell rings.
 * The host may stop taking for as long as it likes. No system calls: what it needs is given as functions.
 */
#ifndef VMM_INIT_WINDOW_H
#define VMM_INIT_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "ci/command_proto.h"

#define WINDOW_MIN_SIZE COMMAND_WINDOW_PAGE
#define WINDOW_MAX_SIZE (1u << 30)

struct window {
	struct command_window *control;
	uint8_t *ring;
	uint32_t size; /* of the ring, a power of two */
	uint32_t head;
	void (*ring_doorbell)(void *opaque);
	void (*rest)(void *opaque); /* sleeps a little */
	void *opaque;
};

/* Whether the host has taken all. */
bool window_is_empty(const struct window *window);

/* Rings, and rests in between when that does not help, until @len bytes are free. */
void window_wait(struct window *window, uint32_t len);

/* As window_wait for the whole ring, but gives up after some hundred rings: false. */
bool window_try_empty(struct window *window);

/* Room for up to @want bytes, at least one, @skip bytes behind head. Waits for space. */
uint8_t *window_reserve(struct window *window, uint32_t skip, uint32_t want, uint32_t *room);

/* Copies to @skip bytes behind head, where space must be. */
void window_put(struct window *window, uint32_t skip, const void *bytes, uint32_t len);

/* Hands @len bytes behind head to the host. */
void window_publish(struct window *window, uint32_t len);

#endif
