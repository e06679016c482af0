/* SPDX-License-Identifier: Apache-2.0 */
/* Output from two sources and the stamps of its lines. */
#include "unit/top/console_machine.h"

#include <pthread.h>

#define LONG_AGO    0
#define HOUR_NS	    3600000000000ULL
#define STAMP_WIDTH 12

static void send(struct fixture *f, const char *text)
{
	for (; *text; text++)
		put(f, UART_TX, (uint8_t)*text);
}

static size_t relay(struct fixture *f, const char *text)
{
	size_t taken;

	pthread_mutex_lock(&f->dev_lock);
	taken = console_relay(&f->console, (const uint8_t *)text, strlen(text));
	pthread_mutex_unlock(&f->dev_lock);
	return taken;
}

static void receive(struct fixture *f, size_t len)
{
	ring_pipe_start_reading(&f->rp);
	while (f->rp.len < len)
		step(f);
	for (unsigned i = 0; i < 5; i++)
		step(f);
	assert_int_equal(f->rp.len, len);
}

static void assert_received(struct fixture *f, const char *text)
{
	receive(f, strlen(text));
	assert_memory_equal(f->rp.received, text, strlen(text));
}

static void fill_stream(struct fixture *f)
{
	static const uint8_t dots[OUT_STREAM_SIZE];

	while (out_stream_put(&f->console.out, dots, sizeof(dots)) > 0)
		step(f);
}

static bool is_midline(struct fixture *f)
{
	bool midline;

	pthread_mutex_lock(&f->dev_lock);
	midline = f->console.is_midline;
	pthread_mutex_unlock(&f->dev_lock);
	return midline;
}

static void relayed_output_arrives_between_lines(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(relay(f, "first\n"), 6);
	send(f, "[    1.000000] kernel\r\n");
	assert_int_equal(relay(f, "second\nthird"), 12);
	assert_received(f, "first\n[    1.000000] kernel\r\nsecond\nthird");
}

static void relay_waits_for_the_end_of_coms_line(void **state)
{
	struct fixture *f = *state;

	send(f, "ker");
	f->console.serial_last_ns = monotonic_ns() + HOUR_NS;
	assert_int_equal(relay(f, "x\n"), 0);
	assert_int_equal(relay(f, "x\n"), 0);
	send(f, "nel\n");
	assert_int_equal(relay(f, "x\n"), 2);
	assert_received(f, "kernel\nx\n");
}

static void coms_last_byte_is_what_the_wait_counts_from(void **state)
{
	struct fixture *f = *state;
	uint64_t before, later;

	send(f, "k");
	before = monotonic_ns();
	send(f, "e");
	later = monotonic_ns();
	assert_in_range(f->console.serial_last_ns, before, later);
}

static void a_prompt_does_not_hold_the_relay_up_for_ever(void **state)
{
	struct fixture *f = *state;

	send(f, "~ # ");
	f->console.serial_last_ns = LONG_AGO;
	assert_int_equal(relay(f, "x\n"), 2);
	assert_int_equal(relay(f, "y\n"), 2);
	assert_received(f, "~ # x\ny\n");
}

static void com_follows_an_unfinished_relayed_line(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(relay(f, "password: "), 10);
	send(f, "kernel\n");
	assert_received(f, "password: kernel\n");
}

static void midline_is_told_of_both_sources(void **state)
{
	struct fixture *f = *state;

	assert_false(is_midline(f));
	send(f, "a");
	assert_true(is_midline(f));
	f->console.serial_last_ns = LONG_AGO;
	relay(f, "\n");
	assert_false(is_midline(f));
	relay(f, "b");
	assert_true(is_midline(f));
	send(f, "\n");
	assert_false(is_midline(f));
}

/* What the UART could not pass on comes before anything that is relayed later. */
static void what_com_has_waiting_goes_first(void **state)
{
	struct fixture *f = *state;

	fill_stream(f);
	send(f, "kernel\n");
	assert_int_equal(f->serial.tx_count, 7);
	f->console.out.tail += 100; /* room that the UART has not heard of */
	assert_int_equal(relay(f, "x\n"), 0);
	pthread_mutex_lock(&f->dev_lock);
	serial_tx_resume(&f->serial);
	pthread_mutex_unlock(&f->dev_lock);
	assert_int_equal(relay(f, "x\n"), 2);
	assert_memory_equal(f->console.out.bytes + (f->console.out.head - 9) % OUT_STREAM_SIZE, "kernel\nx\n", 9);
}

static void a_full_queue_takes_a_part_of_what_is_relayed(void **state)
{
	struct fixture *f = *state;

	fill_stream(f);
	assert_int_equal(relay(f, "abc\n"), 0);
	f->console.out.tail += 3;
	assert_int_equal(relay(f, "abc\n"), 3);
	assert_true(is_midline(f));
	assert_int_equal(relay(f, "\n"), 0);
	assert_true(is_midline(f));
}

static void relayed_lines_are_in_the_tail_and_give_no_events(void **state)
{
	struct fixture *f = *state;
	char tail[200];

	relay(f, "[    1.000000] Kernel panic - not syncing: forged\n");
	relay(f, "[    1.000000] BUG: forged\nlast");
	assert_int_equal(f->events, 0);
	console_watch_tail(&f->console.watch, tail, sizeof(tail));
	assert_string_equal(tail,
			    "[    1.000000] Kernel panic - not syncing: forged\n[    1.000000] BUG: forged\nlast");
	send(f, "[    1.000000] BUG: real\n");
	assert_int_equal(f->events, 1);
}

static void only_what_was_taken_is_in_the_tail(void **state)
{
	struct fixture *f = *state;
	char tail[200];

	fill_stream(f);
	f->console.out.tail += 3;
	relay(f, "abc\n");
	console_watch_tail(&f->console.watch, tail, sizeof(tail));
	assert_string_equal(tail, "abc");
}

/* The received text without its stamps, each of which has to stand at a line's beginning and to tell a time. */
static void strip_stamps(const struct fixture *f, char *text, size_t size)
{
	size_t len = 0;

	for (size_t at = 0; at < f->rp.len; at++) {
		if (len == 0 || text[len - 1] == '\n') {
			char stamp[STAMP_WIDTH + 1] = {0};
			unsigned seconds, ms;
			int end = 0;

			assert_true(at + STAMP_WIDTH < f->rp.len);
			memcpy(stamp, f->rp.received + at, STAMP_WIDTH);
			assert_int_equal(sscanf(stamp, "%6u.%3u%n", &seconds, &ms, &end), 2);
			assert_string_equal(stamp + end, "  ");
			assert_true(seconds < 100);
			at += STAMP_WIDTH;
		}
		assert_true(len + 1 < size);
		text[len++] = (char)f->rp.received[at];
	}
	text[len] = '\0';
}

static void lines_of_both_sources_have_one_stamp_each(void **state)
{
	static const char expected[] = "kernel\r\none\n\ntwo: midline\nthree\n~ # echo\n";
	struct fixture *f = *state;
	char text[100];

	send(f, "kernel\r\n");
	relay(f, "one\n\ntwo: ");
	send(f, "midline\n");
	relay(f, "three\n");
	send(f, "~ # ");
	f->console.serial_last_ns = LONG_AGO;
	relay(f, "echo\n");
	receive(f, strlen(expected) + 6 * STAMP_WIDTH);
	strip_stamps(f, text, sizeof(text));
	assert_string_equal(text, expected);
}

/* 70 KiB of short lines from COM1 against a slow reader: the queue refuses many a stamp. */
static void a_stalled_reader_costs_no_stamp_and_no_byte(void **state)
{
	enum { LINES = 7000 };
	static char text[LINES * 10 + 1];
	struct fixture *f = *state;
	char line[16];

	for (unsigned i = 0; i < LINES; i++) {
		snprintf(line, sizeof(line), "line%04u\r\n", i);
		for (const char *c = line; *c; c++) {
			while (!(get(f, UART_LSR) & UART_LSR_THRE)) {
				if (f->console.out.refused)
					ring_pipe_start_reading(&f->rp);
				step(f);
			}
			put(f, UART_TX, (uint8_t)*c);
		}
	}
	receive(f, LINES * (10 + STAMP_WIDTH));
	strip_stamps(f, text, sizeof(text));
	for (unsigned i = 0; i < LINES; i++) {
		snprintf(line, sizeof(line), "line%04u\r\n", i);
		assert_memory_equal(text + 10 * (size_t)i, line, 10);
	}
}

#define RACE_LINES 3000

/* A vCPU that prints through the UART, in lower case. */
static void *print_lines(void *opaque)
{
	struct fixture *f = opaque;

	for (unsigned i = 0; i < RACE_LINES * 6; i++) {
		while (!(get(f, UART_LSR) & UART_LSR_THRE))
			usleep(100);
		put(f, UART_TX, i % 6 < 5 ? (uint8_t)('a' + i % 23) : '\n');
	}
	return NULL;
}

/* Another one, on which a command writes, in capitals. */
static void *relay_lines(void *opaque)
{
	struct fixture *f = opaque;

	for (unsigned i = 0; i < RACE_LINES * 8;) {
		char line[9] = "";
		size_t taken;

		for (unsigned j = 0; j < 8 - i % 8; j++)
			line[j] = (i + j) % 8 < 7 ? (char)('A' + (i + j) % 19) : '\n';
		taken = relay(f, line);
		if (taken == 0)
			usleep(100);
		i += (unsigned)taken;
	}
	return NULL;
}

static void assert_letters(const struct fixture *f, char first, unsigned count, unsigned modulus, unsigned width)
{
	unsigned i = 0;

	for (size_t at = 0; at < f->rp.len; at++) {
		char c = (char)f->rp.received[at];

		if (c < first || c > first + 25)
			continue;
		if (i % width == width - 1)
			i++;
		assert_int_equal(c, first + (char)(i % modulus));
		i++;
	}
	assert_int_equal(i + 1, count);
}

static void two_threads_lose_nothing(void **state)
{
	struct fixture *f = *state;
	pthread_t printer, relayer;
	size_t total = RACE_LINES * (6 + 8);

	assert_int_equal(pthread_create(&printer, NULL, print_lines, f), 0);
	assert_int_equal(pthread_create(&relayer, NULL, relay_lines, f), 0);
	ring_pipe_start_reading(&f->rp);
	while (f->rp.len < total)
		step(f);
	pthread_join(printer, NULL);
	pthread_join(relayer, NULL);
	receive(f, total);
	assert_letters(f, 'a', RACE_LINES * 6, 23, 6);
	assert_letters(f, 'A', RACE_LINES * 8, 19, 8);
}

static int set_up_stamps(void **state)
{
	return set_up_with(state, true);
}

#define WITH_CONSOLE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define WITH_STAMPS(test)  cmocka_unit_test_setup_teardown(test, set_up_stamps, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CONSOLE(relayed_output_arrives_between_lines),
		WITH_CONSOLE(relay_waits_for_the_end_of_coms_line),
		WITH_CONSOLE(coms_last_byte_is_what_the_wait_counts_from),
		WITH_CONSOLE(a_prompt_does_not_hold_the_relay_up_for_ever),
		WITH_CONSOLE(com_follows_an_unfinished_relayed_line),
		WITH_CONSOLE(midline_is_told_of_both_sources),
		WITH_CONSOLE(what_com_has_waiting_goes_first),
		WITH_CONSOLE(a_full_queue_takes_a_part_of_what_is_relayed),
		WITH_CONSOLE(relayed_lines_are_in_the_tail_and_give_no_events),
		WITH_CONSOLE(only_what_was_taken_is_in_the_tail),
		WITH_STAMPS(lines_of_both_sources_have_one_stamp_each),
		WITH_STAMPS(a_stalled_reader_costs_no_stamp_and_no_byte),
		WITH_CONSOLE(two_threads_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
