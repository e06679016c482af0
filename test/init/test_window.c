/* SPDX-License-Identifier: Apache-2.0 */
/* Frames through the window, to a host in the same process that takes them as slowly as it likes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "frames.h"
#include "sender.h"
#include "window.h"

#define RING_SIZE    8192u
#define STREAM_BYTES 300000u
#define START	     0xffffff00u /* the counters wrap soon */

static const uint8_t token[COMMAND_TOKEN_SIZE] = "a token, 16 byte";

struct host {
	struct sender sender;
	struct {
		struct command_window control;
		uint8_t ring[RING_SIZE];
	} memory;
	struct frames frames;
	uint8_t taken[RING_SIZE + COMMAND_FRAME_MAX_PAYLOAD]; /* from the ring, but no whole frame yet */
	size_t nr_taken;
	uint32_t tail;
	uint32_t most;	 /* bytes a doorbell; 0: chosen at random */
	unsigned paused; /* the host takes nothing before so many rests */
	unsigned rings, rests;
	unsigned seed;
};

static uint32_t bytes_to_take(struct host *host)
{
	uint32_t waiting = host->memory.control.head - host->tail;
	uint32_t most = host->most ? host->most : (uint32_t)rand_r(&host->seed) % 3000;

	assert_true(waiting <= RING_SIZE);
	return waiting < most ? waiting : most;
}

static void on_doorbell(void *opaque)
{
	struct host *host = opaque;
	size_t used;

	host->rings++;
	if (host->paused)
		return;
	for (uint32_t left = bytes_to_take(host); left; left--) {
		assert_true(host->nr_taken < sizeof(host->taken));
		/* What was taken is overwritten: nothing may be read, or counted, twice. */
		host->taken[host->nr_taken++] = host->memory.ring[host->tail % RING_SIZE];
		host->memory.ring[host->tail++ % RING_SIZE] = 0xee;
	}
	host->memory.control.tail = host->tail;
	used = frames_take(&host->frames, token, host->taken, host->nr_taken);
	host->nr_taken -= used;
	memmove(host->taken, host->taken + used, host->nr_taken);
}

static void on_rest(void *opaque)
{
	struct host *host = opaque;

	host->rests++;
	if (host->paused)
		host->paused--;
}

static struct host *make_host(uint32_t start)
{
	struct host *host = calloc(1, sizeof(*host));

	assert_non_null(host);
	frames_init(&host->frames);
	host->tail = start;
	host->memory.control.head = start;
	host->memory.control.tail = start;
	host->seed = 1;
	sender_init(&host->sender, token);
	host->sender.transport = COMMAND_BY_WINDOW;
	host->sender.window = (struct window){
		.control = &host->memory.control,
		.ring = host->memory.ring,
		.size = RING_SIZE,
		.head = start,
		.ring_doorbell = on_doorbell,
		.rest = on_rest,
		.opaque = host,
	};
	return host;
}

static void free_host(struct host *host)
{
	assert_int_equal(host->nr_taken, 0);
	frames_fini(&host->frames);
	free(host);
}

static uint8_t pattern(size_t at)
{
	return (uint8_t)(at * 7 + (at >> 8) + (at >> 16));
}

/* Sends STREAM_BYTES as the relay and the packer do, into the ring itself. */
static void send_stream(struct host *host, size_t want)
{
	size_t sent = 0;

	while (sent < STREAM_BYTES) {
		size_t room, left = STREAM_BYTES - sent;
		uint8_t *payload = sender_reserve(&host->sender, left < want ? left : want, &room);

		assert_true(room > 0 && room <= left && room <= want);
		for (size_t i = 0; i < room; i++)
			payload[i] = pattern(sent + i);
		sender_commit(&host->sender, COMMAND_FRAME_OUTPUT, payload, room);
		sent += room;
	}
	sender_flush(&host->sender);
	assert_false(sender_is_pending(&host->sender));
}

static void assert_stream(const struct host *host)
{
	assert_int_equal(host->frames.output_len, STREAM_BYTES);
	for (size_t i = 0; i < STREAM_BYTES; i++) {
		if (host->frames.output[i] != pattern(i))
			fail_msg("byte %zu is wrong", i);
	}
}

static void stream_arrives_at_any_pace(void **state)
{
	static const uint32_t paces[] = {0, 1, 31, 4096, RING_SIZE};

	(void)state;
	for (size_t i = 0; i < sizeof(paces) / sizeof(paces[0]); i++) {
		struct host *host = make_host(i % 2 ? 0 : START);

		host->most = paces[i];
		send_stream(host, COMMAND_FRAME_MAX_PAYLOAD);
		assert_stream(host);
		free_host(host);
	}
}

static void stream_of_small_pieces_arrives(void **state)
{
	struct host *host = make_host(START);

	(void)state;
	send_stream(host, 97);
	assert_stream(host);
	assert_true(host->frames.count >= STREAM_BYTES / 97);
	free_host(host);
}

static void waiting_rests_while_the_host_is_paused(void **state)
{
	struct host *host = make_host(0);

	(void)state;
	host->most = RING_SIZE;
	host->paused = 50;
	send_stream(host, COMMAND_FRAME_MAX_PAYLOAD);
	assert_stream(host);
	assert_int_equal(host->paused, 0);
	assert_int_equal(host->rests, 50);
	free_host(host);
}

static void prompt_host_costs_one_ring_a_frame_and_no_rest(void **state)
{
	struct host *host = make_host(0);

	(void)state;
	host->most = RING_SIZE;
	send_stream(host, COMMAND_FRAME_MAX_PAYLOAD);
	assert_int_equal(host->rings, host->frames.count);
	assert_int_equal(host->rests, 0);
	free_host(host);
}

static void messages_wrap_around_the_end(void **state)
{
	const struct command_done done = {.lost = 3};
	struct host *host = make_host(START);
	struct text text;

	(void)state;
	for (unsigned i = 0; i < 400; i++) {
		text_begin(&text, "a note of some length, number ");
		text_add_number(&text, i);
		sender_note(&host->sender, &text);
		sender_flush(&host->sender);
		assert_non_null(strstr(host->frames.notes, "number"));
		host->frames.notes_len = 0;
	}
	sender_exit(&host->sender, COMMAND_EXITED, 42, COMMAND_STEP_NONE);
	sender_send(&host->sender, COMMAND_FRAME_DONE, &done, sizeof(done));
	sender_flush(&host->sender);
	assert_int_equal(host->frames.count, 402);
	assert_int_equal(host->frames.exit.value, 42);
	assert_int_equal(host->frames.done.lost, 3);
	assert_string_equal(host->frames.order, "DEG");
	free_host(host);
}

static void host_that_never_takes_is_noticed(void **state)
{
	struct host *host = make_host(0);

	(void)state;
	host->paused = 1;
	sender_send(&host->sender, COMMAND_FRAME_STARTED, "", 0);
	assert_true(sender_is_pending(&host->sender));
	assert_false(window_try_empty(&host->sender.window));
	assert_int_equal(host->rests, 0);
	assert_true(host->rings > 100 && host->rings < 10000);
	host->paused = 0;
	assert_true(window_try_empty(&host->sender.window));
	free_host(host);
}

static void crc_is_that_of_zlib(void **state)
{
	static struct crc32 crc;
	uint8_t bytes[64];

	(void)state;
	crc32_init(&crc);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = pattern(i * 31);
	/* Every length and start, so that whole steps and odd bytes meet in all ways. */
	for (size_t start = 0; start < 9; start++) {
		for (size_t len = 0; len <= sizeof(bytes) - start; len++) {
			uint32_t half = crc32_update(&crc, 0, bytes + start, len / 2);

			assert_int_equal(crc32_update(&crc, half, bytes + start + len / 2, len - len / 2),
					 crc32(0, bytes + start, (uInt)len));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stream_arrives_at_any_pace),
		cmocka_unit_test(stream_of_small_pieces_arrives),
		cmocka_unit_test(waiting_rests_while_the_host_is_paused),
		cmocka_unit_test(prompt_host_costs_one_ring_a_frame_and_no_rest),
		cmocka_unit_test(messages_wrap_around_the_end),
		cmocka_unit_test(host_that_never_takes_is_noticed),
		cmocka_unit_test(crc_is_that_of_zlib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
