/* SPDX-License-Identifier: Apache-2.0 */
#include "sender.h"

#include <string.h>

#define HEADER_SIZE ((uint32_t)sizeof(struct command_frame))

void sender_init(struct sender *sender, const uint8_t token[COMMAND_TOKEN_SIZE])
{
	memcpy(sender->token, token, COMMAND_TOKEN_SIZE);
	crc32_init(&sender->crc32);
}

static void fill_header(struct sender *sender, struct command_frame *header, enum command_frame_type type,
			const void *payload, size_t len)
{
	uint32_t crc;

	memcpy(header->token, sender->token, COMMAND_TOKEN_SIZE);
	header->sequence = sender->sequence++;
	header->type = type;
	header->length = (uint32_t)len;
	crc = crc32_update(&sender->crc32, 0, &header->sequence,
			   offsetof(struct command_frame, crc) - offsetof(struct command_frame, sequence));
	header->crc = crc32_update(&sender->crc32, crc, payload, len);
}

bool sender_send(struct sender *sender, enum command_frame_type type, const void *payload, size_t len)
{
	struct command_frame header;

	fill_header(sender, &header, type, payload, len);
	if (sender->transport == COMMAND_BY_SERIAL) {
		memcpy(sender->frame, &header, HEADER_SIZE);
		memcpy(sender->frame + HEADER_SIZE, payload, len);
		return serial_write(&sender->serial, sender->frame, HEADER_SIZE + len);
	}
	window_wait(&sender->window, HEADER_SIZE + (uint32_t)len);
	window_put(&sender->window, 0, &header, HEADER_SIZE);
	window_put(&sender->window, HEADER_SIZE, payload, (uint32_t)len);
	window_publish(&sender->window, HEADER_SIZE + (uint32_t)len);
	return true;
}

void sender_note(struct sender *sender, const struct text *text)
{
	sender_send(sender, COMMAND_FRAME_NOTE, text->bytes, text->used);
}

void sender_exit(struct sender *sender, enum command_end end, uint32_t value, enum command_step step)
{
	const struct command_exit payload = {.end = end, .value = value, .step = step};

	sender_send(sender, COMMAND_FRAME_EXIT, &payload, sizeof(payload));
}

uint8_t *sender_reserve(struct sender *sender, size_t want, size_t *room)
{
	uint32_t wanted = want < COMMAND_FRAME_MAX_PAYLOAD ? (uint32_t)want : COMMAND_FRAME_MAX_PAYLOAD;
	uint32_t len;
	uint8_t *payload;

	if (sender->transport == COMMAND_BY_SERIAL) {
		*room = want < SENDER_SERIAL_PAYLOAD ? want : SENDER_SERIAL_PAYLOAD;
		return sender->frame + HEADER_SIZE;
	}
	payload = window_reserve(&sender->window, HEADER_SIZE, wanted, &len);
	*room = len;
	return payload;
}

void sender_commit(struct sender *sender, enum command_frame_type type, const uint8_t *payload, size_t len)
{
	struct command_frame header;

	fill_header(sender, &header, type, payload, len);
	if (sender->transport == COMMAND_BY_SERIAL) {
		memcpy(sender->frame, &header, HEADER_SIZE);
		serial_write(&sender->serial, sender->frame, HEADER_SIZE + len);
		return;
	}
	window_put(&sender->window, 0, &header, HEADER_SIZE);
	window_publish(&sender->window, HEADER_SIZE + (uint32_t)len);
}

bool sender_is_pending(const struct sender *sender)
{
	return sender->transport == COMMAND_BY_WINDOW && !window_is_empty(&sender->window);
}

void sender_remind(struct sender *sender)
{
	sender->window.ring_doorbell(sender->window.opaque);
}

void sender_flush(struct sender *sender)
{
	if (sender->transport == COMMAND_BY_SERIAL)
		serial_drain(&sender->serial);
	else
		window_wait(&sender->window, sender->window.size);
}
