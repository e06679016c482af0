/* SPDX-License-Identifier: Apache-2.0 */
#include "support/ring_pipe.h"

#include <sched.h>
#include <stdio.h>

#include "out_stream.h"

#define PRODUCERS 2
#define RECORDS	  4000

struct fixture {
	struct ring_pipe rp;
	struct out_stream out;
	unsigned space_calls;
};

static void count_space(void *opaque)
{
	struct fixture *f = opaque;

	f->space_calls++;
}

static int start(void **state, bool force_poll, bool discards)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;

	*state = f;
	f->space_calls = 0;
	if (ring_pipe_init(&f->rp, force_poll) ||
	    out_stream_init(&f->out, f->rp.ring, discards ? -1 : f->rp.fds[1], f->rp.wake_fd))
		return -1;
	f->out.on_space = count_space;
	f->out.opaque = f;
	return 0;
}

static int set_up(void **state)
{
	return start(state, false, false);
}

static int set_up_poll(void **state)
{
	return start(state, true, false);
}

static int set_up_without_fd(void **state)
{
	return start(state, false, true);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	uring_cancel(f->rp.ring, &f->out.op);
	while (f->out.op.in_flight)
		ring_pipe_step(&f->rp);
	out_stream_fini(&f->out);
	ring_pipe_fini(&f->rp);
	return 0;
}

static void flush(struct fixture *f)
{
	ring_pipe_start_reading(&f->rp);
	while (!out_stream_is_idle(&f->out)) {
		out_stream_pump(&f->out);
		ring_pipe_step(&f->rp);
	}
}

static void wait_for_bytes(struct fixture *f, size_t len)
{
	flush(f);
	while (f->rp.len < len)
		ring_pipe_step(&f->rp);
	assert_int_equal(f->rp.len, len);
}

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

static void bytes_come_out_in_order_across_the_end_of_the_buffer(void **state)
{
	struct fixture *f = *state;
	uint8_t piece[30011];
	size_t sent = 0;

	while (sent < 5 * OUT_STREAM_SIZE) {
		for (size_t i = 0; i < sizeof(piece); i++)
			piece[i] = pattern(sent + i);
		assert_int_equal(out_stream_put(&f->out, piece, sizeof(piece)), sizeof(piece));
		sent += sizeof(piece);
		wait_for_bytes(f, sent);
	}
	for (size_t i = 0; i < sent; i++)
		assert_int_equal(f->rp.received[i], pattern(i));
	assert_int_equal(f->space_calls, 0); /* nobody was refused */
}

static void a_full_queue_takes_what_fits(void **state)
{
	struct fixture *f = *state;
	static uint8_t bytes[OUT_STREAM_SIZE + 1000];

	assert_int_equal(out_stream_put(&f->out, bytes, 1000), 1000);
	assert_int_equal(out_stream_put(&f->out, bytes, sizeof(bytes)), OUT_STREAM_SIZE - 1000);
	assert_int_equal(out_stream_put(&f->out, bytes, 1), 0);
	assert_int_equal(out_stream_put(&f->out, bytes, 0), 0);
	wait_for_bytes(f, OUT_STREAM_SIZE);
}

static void whole_records_are_taken_whole_or_not_at_all(void **state)
{
	struct fixture *f = *state;
	static uint8_t bytes[OUT_STREAM_SIZE + 1];

	assert_false(out_stream_put_whole(&f->out, bytes, sizeof(bytes)));
	assert_true(out_stream_is_idle(&f->out));
	assert_int_equal(out_stream_put(&f->out, bytes, OUT_STREAM_SIZE - 10), OUT_STREAM_SIZE - 10);
	assert_false(out_stream_put_whole(&f->out, bytes, 11));
	assert_true(out_stream_put_whole(&f->out, bytes, 10));
	assert_false(out_stream_put_whole(&f->out, bytes, 1));
	wait_for_bytes(f, OUT_STREAM_SIZE);
}

static void a_refused_producer_hears_of_new_space_once(void **state)
{
	struct fixture *f = *state;
	static uint8_t bytes[OUT_STREAM_SIZE + 1];

	assert_int_equal(out_stream_put(&f->out, bytes, sizeof(bytes)), OUT_STREAM_SIZE);
	assert_int_equal(f->space_calls, 0);
	flush(f);
	assert_int_equal(f->space_calls, 1);
	assert_int_equal(out_stream_put(&f->out, bytes, 100), 100);
	flush(f);
	assert_int_equal(f->space_calls, 1);
}

static void only_the_first_byte_of_a_batch_wakes_the_io_thread(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(out_stream_put(&f->out, "", 0), 0);
	assert_int_equal(ring_pipe_wakes(&f->rp), 0);
	assert_int_equal(out_stream_put(&f->out, "a", 1), 1);
	assert_int_equal(out_stream_put(&f->out, "b", 1), 1);
	assert_int_equal(ring_pipe_wakes(&f->rp), 1);
	flush(f);
	assert_int_equal(out_stream_put(&f->out, "c", 1), 1);
	assert_int_equal(ring_pipe_wakes(&f->rp), 1);
	wait_for_bytes(f, 3);
	assert_memory_equal(f->rp.received, "abc", 3);
}

/* Nobody reads: the pipe fills, then the queue; what was taken is kept and comes out later. */
static void a_stalled_reader_is_back_pressure(void **state)
{
	struct fixture *f = *state;
	static uint8_t bytes[OUT_STREAM_SIZE];
	size_t taken = 0, last;

	do {
		last = 0;
		for (unsigned i = 0; i < 20; i++) {
			last += out_stream_put(&f->out, bytes, sizeof(bytes));
			out_stream_pump(&f->out);
			ring_pipe_step(&f->rp);
		}
		taken += last;
	} while (last);
	assert_in_range(taken, OUT_STREAM_SIZE, 4 * OUT_STREAM_SIZE);
	assert_false(out_stream_is_idle(&f->out));
	assert_false(out_stream_put_whole(&f->out, bytes, 1));
	wait_for_bytes(f, taken);
	assert_true(f->space_calls > 0);
}

static void a_cancelled_write_loses_nothing(void **state)
{
	struct fixture *f = *state;
	static uint8_t bytes[OUT_STREAM_SIZE];
	size_t taken = 0;

	for (unsigned i = 0; i < 100; i++) {
		taken += out_stream_put(&f->out, bytes, sizeof(bytes));
		out_stream_pump(&f->out);
		ring_pipe_step(&f->rp);
	}
	assert_true(f->out.op.in_flight);
	uring_cancel(f->rp.ring, &f->out.op);
	while (f->out.op.in_flight)
		ring_pipe_step(&f->rp);
	assert_false(out_stream_is_idle(&f->out));
	wait_for_bytes(f, taken);
}

static void what_a_gone_reader_would_get_is_discarded(void **state)
{
	struct fixture *f = *state;
	static uint8_t bytes[OUT_STREAM_SIZE + 1];

	close_fd(&f->rp.fds[0]);
	assert_int_equal(out_stream_put(&f->out, bytes, sizeof(bytes)), OUT_STREAM_SIZE);
	while (!out_stream_is_idle(&f->out)) {
		out_stream_pump(&f->out);
		ring_pipe_step(&f->rp);
	}
	assert_int_equal(f->space_calls, 1); /* whoever waits goes on */
	assert_int_equal(out_stream_put(&f->out, bytes, sizeof(bytes)), sizeof(bytes));
	assert_true(out_stream_put_whole(&f->out, bytes, sizeof(bytes)));
	out_stream_pump(&f->out);
	assert_true(out_stream_is_idle(&f->out));
}

static void without_a_descriptor_everything_is_discarded(void **state)
{
	struct fixture *f = *state;
	static uint8_t bytes[OUT_STREAM_SIZE + 1];

	assert_int_equal(out_stream_put(&f->out, bytes, sizeof(bytes)), sizeof(bytes));
	out_stream_pump(&f->out);
	assert_true(out_stream_is_idle(&f->out));
}

struct producer {
	pthread_t thread;
	struct out_stream *out;
	unsigned id;
	unsigned dropped;
};

static void *produce(void *argument)
{
	struct producer *p = argument;
	char record[16];

	for (unsigned i = 0; i < RECORDS; i++) {
		int len = snprintf(record, sizeof(record), "%u:%06u\n", p->id, i);

		if (!out_stream_put_whole(p->out, record, (size_t)len)) {
			p->dropped++;
			sched_yield();
		}
	}
	return NULL;
}

/* Records of several threads never mix, and those of one stay in order. */
static void check_records(const struct fixture *f, const struct producer producers[PRODUCERS])
{
	unsigned counts[PRODUCERS] = {0}, next[PRODUCERS] = {0};

	for (size_t at = 0; at < f->rp.len; at += 9) {
		unsigned id, number;
		char record[10] = {0};

		memcpy(record, f->rp.received + at, 9);
		assert_int_equal(sscanf(record, "%u:%06u", &id, &number), 2);
		assert_int_equal(record[8], '\n');
		assert_in_range(id, 0, PRODUCERS - 1);
		assert_true(number >= next[id]);
		next[id] = number + 1;
		counts[id]++;
	}
	for (unsigned i = 0; i < PRODUCERS; i++)
		assert_int_equal(counts[i] + producers[i].dropped, RECORDS);
}

static void threads_put_while_the_io_thread_writes(void **state)
{
	struct fixture *f = *state;
	struct producer producers[PRODUCERS];
	size_t expected = 0;

	ring_pipe_start_reading(&f->rp);
	for (unsigned i = 0; i < PRODUCERS; i++) {
		producers[i] = (struct producer){.out = &f->out, .id = i};
		assert_int_equal(pthread_create(&producers[i].thread, NULL, produce, &producers[i]), 0);
	}
	for (unsigned i = 0; i < 200; i++) {
		out_stream_pump(&f->out);
		ring_pipe_step(&f->rp);
	}
	for (unsigned i = 0; i < PRODUCERS; i++) {
		assert_int_equal(pthread_join(producers[i].thread, NULL), 0);
		expected += 9u * (RECORDS - producers[i].dropped);
	}
	wait_for_bytes(f, expected);
	check_records(f, producers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bytes_come_out_in_order_across_the_end_of_the_buffer, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(bytes_come_out_in_order_across_the_end_of_the_buffer, set_up_poll,
						tear_down),
		cmocka_unit_test_setup_teardown(a_full_queue_takes_what_fits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(whole_records_are_taken_whole_or_not_at_all, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_refused_producer_hears_of_new_space_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_the_first_byte_of_a_batch_wakes_the_io_thread, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stalled_reader_is_back_pressure, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stalled_reader_is_back_pressure, set_up_poll, tear_down),
		cmocka_unit_test_setup_teardown(a_cancelled_write_loses_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_cancelled_write_loses_nothing, set_up_poll, tear_down),
		cmocka_unit_test_setup_teardown(what_a_gone_reader_would_get_is_discarded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_a_gone_reader_would_get_is_discarded, set_up_poll, tear_down),
		cmocka_unit_test_setup_teardown(without_a_descriptor_everything_is_discarded, set_up_without_fd,
						tear_down),
		cmocka_unit_test_setup_teardown(threads_put_while_the_io_thread_writes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
