/* SPDX-License-Identifier: Apache-2.0 */
/* A guest that writes to the window as the ABI says, and one that does not. */
#include "unit/devices/port_machine.h"

#include <stdlib.h>
#include <string.h>

#include "ci/command_port.h"

#define PORT	  0x620
#define RING_SIZE 8192u
#define FENCE	  64 /* bytes behind the ring that nobody may touch */

struct fixture {
	struct bus bus;
	struct command_port port;
	uint8_t window[COMMAND_WINDOW_PAGE + RING_SIZE + FENCE];
	uint32_t head; /* the guest's own */
	size_t room;   /* what the sink takes still */
	size_t taken;
	unsigned calls;
	void (*meddle)(struct fixture *f); /* what the guest does while the host reads */
	uint8_t received[16 * RING_SIZE];
};

static uint8_t pattern(size_t at)
{
	return (uint8_t)(at * 31 ^ at >> 8);
}

static size_t take(void *opaque, const uint8_t *data, size_t len)
{
	struct fixture *f = opaque;

	assert_true(len > 0);
	f->calls++;
	if (f->meddle)
		f->meddle(f);
	if (len > f->room)
		len = f->room;
	assert_true(len <= sizeof(f->received) - f->taken);
	memcpy(f->received + f->taken, data, len);
	f->room -= len;
	f->taken += len;
	return len;
}

static void start(struct fixture *f, uint32_t tail)
{
	memset(f, 0, sizeof(*f));
	f->room = SIZE_MAX;
	memset(f->window + sizeof(f->window) - FENCE, 0xee, FENCE);
	command_port_init(&f->port, PORT, f->window, RING_SIZE, take, f);
	assert_int_equal(bus_add(&f->bus, &f->port.dev), 0);
	f->head = f->port.tail = tail;
	store_le32(f->window + 64, tail);
}

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	if (!*state)
		return -1;
	start(*state, 0);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	bool fence_stands = true;

	for (unsigned i = 0; i < FENCE; i++)
		fence_stands &= f->window[sizeof(f->window) - 1 - i] == 0xee;
	free(f);
	return fence_stands ? 0 : -1;
}

static uint32_t tail_in_window(const struct fixture *f)
{
	return load_le32(f->window + 64);
}

/* Writes @len bytes behind the guest's head, which moves on. */
static void put(struct fixture *f, size_t first, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		f->window[COMMAND_WINDOW_PAGE + (f->head + i) % RING_SIZE] = pattern(first + i);
	f->head += len;
	store_le32(f->window, f->head);
}

static void ring(struct fixture *f)
{
	out8(&f->bus, PORT, 0);
}

static void assert_received(const struct fixture *f, size_t len)
{
	assert_int_equal(f->taken, len);
	for (size_t i = 0; i < len; i++)
		if (f->received[i] != pattern(i))
			fail_msg("byte %zu of %zu is wrong", i, len);
}

static void what_is_in_the_ring_is_taken_at_the_doorbell(void **state)
{
	struct fixture *f = *state;

	ring(f);
	assert_int_equal(f->calls, 0);
	put(f, 0, 100);
	assert_int_equal(f->taken, 0);
	ring(f);
	assert_received(f, 100);
	assert_int_equal(tail_in_window(f), 100);
	ring(f);
	assert_received(f, 100);
	assert_int_equal(f->port.rings, 3);
	assert_int_equal(f->port.faults, 0);
}

static void a_full_ring_is_taken_whole_and_in_order(void **state)
{
	struct fixture *f = *state;

	put(f, 0, RING_SIZE);
	ring(f);
	assert_received(f, RING_SIZE);
	assert_int_equal(tail_in_window(f), RING_SIZE);
	assert_int_equal(f->port.faults, 0);
}

/* Pieces of awkward lengths, around the ring many times, across the end of the ring and of the counters. */
static void bytes_keep_their_order_across_every_border(void **state)
{
	struct fixture *f = *state;

	for (unsigned round = 0; round < 2; round++) {
		uint32_t first = round ? UINT32_MAX - RING_SIZE - 1000 : 0;
		size_t sent = 0;

		start(f, first);
		for (uint32_t len = 1; sent + len < sizeof(f->received); len = len * 5 % (RING_SIZE + 1)) {
			put(f, sent, len);
			sent += len;
			ring(f);
			assert_int_equal(tail_in_window(f), (uint32_t)(first + sent));
		}
		assert_true(sent > 3 * RING_SIZE);
		assert_received(f, sent);
		assert_int_equal(f->port.faults, 0);
	}
}

static void what_the_reader_does_not_take_stays_in_the_ring(void **state)
{
	struct fixture *f = *state;

	f->room = 0;
	put(f, 0, 6000);
	ring(f);
	assert_int_equal(f->calls, 1);
	assert_int_equal(tail_in_window(f), 0);
	f->room = 4500;
	ring(f);
	assert_received(f, 4500);
	assert_int_equal(tail_in_window(f), 4500);
	put(f, 6000, 6000);
	f->room = 1;
	ring(f);
	assert_received(f, 4501);
	f->room = SIZE_MAX;
	ring(f);
	assert_received(f, 12000);
	assert_int_equal(tail_in_window(f), 12000);
	assert_int_equal(f->port.faults, 0);
}

/* Whatever stands in the window as tail, the host goes by its own. */
static void a_tail_that_the_guest_wrote_does_not_matter(void **state)
{
	struct fixture *f = *state;

	put(f, 0, 100);
	ring(f);
	for (unsigned i = 0; i < 3; i++) {
		static const uint32_t lies[] = {0, 50, UINT32_MAX};

		store_le32(f->window + 64, lies[i]);
		put(f, 100 + 10 * i, 10);
		ring(f);
		assert_received(f, 110 + 10 * i);
		assert_int_equal(tail_in_window(f), 110 + 10 * i);
	}
	assert_int_equal(f->port.faults, 0);
}

static void a_head_beyond_the_ring_drops_what_was_there(void **state)
{
	static const uint32_t distances[] = {RING_SIZE + 1, 2 * RING_SIZE, 1u << 31, UINT32_MAX};
	struct fixture *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(distances); i++) {
		start(f, 12345);
		f->head += distances[i];
		store_le32(f->window, f->head);
		ring(f);
		assert_int_equal(f->taken, 0);
		assert_int_equal(f->port.faults, 1);
		assert_int_equal(tail_in_window(f), f->head);
		put(f, 0, 10);
		ring(f);
		assert_received(f, 10);
		assert_int_equal(f->port.faults, 1);
	}
}

static void move_head_on(struct fixture *f)
{
	store_le32(f->window, load_le32(f->window) + RING_SIZE * 3 + 7);
}

/* A head that runs while the host reads would else keep it reading for ever. */
static void a_doorbell_takes_no_more_than_was_there_when_it_rang(void **state)
{
	struct fixture *f = *state;

	f->meddle = move_head_on;
	put(f, 0, 5000);
	ring(f);
	assert_received(f, 5000);
	assert_int_equal(tail_in_window(f), 5000);
	f->meddle = NULL;
	ring(f);
	assert_int_equal(f->port.faults, 1);
	assert_received(f, 5000);
}

static void overwrite_the_ring(struct fixture *f)
{
	memset(f->window + COMMAND_WINDOW_PAGE, 0xaa, RING_SIZE);
}

/* The reader checks what it was given and then uses it: it must be a copy. */
static void bytes_do_not_change_under_their_reader(void **state)
{
	struct fixture *f = *state;

	f->meddle = overwrite_the_ring;
	put(f, 0, 3000);
	ring(f);
	assert_received(f, 3000);
}

/* The whole page and ring full of noise, doorbell after doorbell. */
static void a_window_of_noise_does_no_harm(void **state)
{
	struct fixture *f = *state;
	uint32_t noise = 1;

	for (unsigned i = 0; i < 20000; i++) {
		noise = noise * 1664525 + 1013904223;
		store_le32(f->window, i % 3 ? noise : f->port.tail + noise % (2 * RING_SIZE));
		store_le32(f->window + 64, noise >> 3);
		f->taken = 0;
		f->room = noise % 5 ? SIZE_MAX : noise % 3000;
		ring(f);
		assert_true(f->taken <= RING_SIZE);
		assert_int_equal(tail_in_window(f), f->port.tail);
	}
	assert_in_range(f->port.faults, 1, 20000);
}

static void the_port_is_one_byte_that_reads_as_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(in8(&f->bus, PORT), 0xff);
	assert_int_equal(f->port.rings, 0);
	assert_false(bus_write(&f->bus, BUS_PIO, PORT + 1, (const uint8_t[]){0}, 1));
	assert_int_equal(f->port.rings, 0);
}

#define WITH_PORT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PORT(what_is_in_the_ring_is_taken_at_the_doorbell),
		WITH_PORT(a_full_ring_is_taken_whole_and_in_order),
		WITH_PORT(bytes_keep_their_order_across_every_border),
		WITH_PORT(what_the_reader_does_not_take_stays_in_the_ring),
		WITH_PORT(a_tail_that_the_guest_wrote_does_not_matter),
		WITH_PORT(a_head_beyond_the_ring_drops_what_was_there),
		WITH_PORT(a_doorbell_takes_no_more_than_was_there_when_it_rang),
		WITH_PORT(bytes_do_not_change_under_their_reader),
		WITH_PORT(a_window_of_noise_does_no_harm),
		WITH_PORT(the_port_is_one_byte_that_reads_as_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
