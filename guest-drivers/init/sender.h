/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames to the host (command_proto.h) over the window or COM2. Everything waits while the host does not take: whoever
 * reads there may be paused for ever.
 */
#ifndef VMM_INIT_SENDER_H
#define VMM_INIT_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ci/command_proto.h"
#include "crc32.h"
#include "serial.h"
#include "text.h"
#include "window.h"

#define SENDER_SERIAL_PAYLOAD 1024u

struct sender {
	uint8_t token[COMMAND_TOKEN_SIZE];
	uint32_t sequence;
	enum command_transport transport; /* which of the two below is ready; set by whoever made it so */
	struct window window;
	struct serial serial;
	struct crc32 crc32;
	uint8_t frame[sizeof(struct command_frame) + SENDER_SERIAL_PAYLOAD]; /* for COM2 */
};

void sender_init(struct sender *sender, const uint8_t token[COMMAND_TOKEN_SIZE]);

/* A frame with a payload (not NULL) of at most SENDER_SERIAL_PAYLOAD bytes. False when COM2 refused it. */
bool sender_send(struct sender *sender, enum command_frame_type type, const void *payload, size_t len);
void sender_note(struct sender *sender, const struct text *text);
void sender_exit(struct sender *sender, enum command_end end, uint32_t value, enum command_step step);

/* Room for the payload of the next frame, *room bytes of the at most @want wished for and at least one; what is put
 * there goes out with sender_commit, without a copy in between. No other frame may be sent before that. */
uint8_t *sender_reserve(struct sender *sender, size_t want, size_t *room);
void sender_commit(struct sender *sender, enum command_frame_type type, const uint8_t *payload, size_t len);

/* Whether the host has to be reminded of frames that it has not taken. */
bool sender_is_pending(const struct sender *sender);
void sender_remind(struct sender *sender);

/* Waits until the host has everything. */
void sender_flush(struct sender *sender);

#endif
