/* SPDX-License-Identifier: Apache-2.0 */
/* Stamps stand before lines and nowhere else, also when the stream takes little. */
#include "support/ring_pipe.h"

#include <stdio.h>
#include <stdlib.h>

#include "line_stamp.h"

struct fixture {
	struct ring_pipe rp;
	struct out_stream out;
	uint64_t start_ns;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;

	*state = f;
	f->start_ns = monotonic_ns() - 5000000000; /* since five seconds ago */
	return ring_pipe_init(&f->rp, false) || out_stream_init(&f->out, f->rp.ring, f->rp.fds[1], f->rp.wake_fd);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	out_stream_fini(&f->out);
	ring_pipe_fini(&f->rp);
	return 0;
}

static size_t put(struct fixture *f, bool is_midline, const char *text)
{
	return line_stamp_put(&f->out, f->start_ns, is_midline, (const uint8_t *)text, strlen(text));
}

/* What waits in the stream is lost, but for @room bytes there is none. */
static void leave_room(struct fixture *f, size_t room)
{
	f->out.tail = f->out.head - (OUT_STREAM_SIZE - room);
}

static void assert_queued(const struct fixture *f, const char *expected)
{
	assert_int_equal(f->out.head - f->out.tail, strlen(expected));
	assert_memory_equal(f->out.bytes, expected, strlen(expected));
}

/* Replaces the digits of the stamps, after a look at the time they tell. */
static void blank_stamp(uint8_t *stamp)
{
	double seconds = strtod((const char *)stamp, NULL);

	assert_true(seconds >= 5 && seconds < 100);
	memcpy(stamp, "*****1.234", 10);
}

static void stamp_has_a_fixed_width(void **state)
{
	static const struct {
		uint64_t ns;
		const char *stamp;
	} rows[] = {
		{0, "     0.000  "},
		{999999, "     0.000  "},
		{1000000, "     0.001  "},
		{1250000000, "     1.250  "},
		{999999999999999, "999999.999  "},
		{1000000000000000, "1000000.000  "},
		{UINT64_MAX, "18446744073.709  "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t buf[LINE_STAMP_SIZE];
		size_t len = line_stamp_format(rows[i].ns, buf);

		assert_int_equal(len, strlen(rows[i].stamp));
		assert_memory_equal(buf, rows[i].stamp, len);
		if (rows[i].ns < 1000000000000000)
			assert_int_equal(len, LINE_STAMP_WIDTH);
	}
}

static void each_line_has_one_stamp(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(put(f, false, "one\r\n\ntwo\nthr"), 13);
	blank_stamp(f->out.bytes);
	blank_stamp(f->out.bytes + 17);
	blank_stamp(f->out.bytes + 30);
	blank_stamp(f->out.bytes + 46);
	assert_queued(f, "*****1.234  one\r\n*****1.234  \n*****1.234  two\n*****1.234  thr");
}

static void rest_of_a_line_has_none(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(put(f, true, "ee\nfour"), 7);
	blank_stamp(f->out.bytes + 3);
	assert_queued(f, "ee\n*****1.234  four");
	assert_int_equal(put(f, true, ""), 0);
	assert_int_equal(put(f, false, ""), 0);
	assert_int_equal(put(f, true, "\n"), 1);
	assert_queued(f, "ee\n*****1.234  four\n");
}

static void stamp_without_its_line_is_not_taken(void **state)
{
	struct fixture *f = *state;

	for (size_t room = 0; room <= LINE_STAMP_WIDTH; room++) {
		leave_room(f, room);
		assert_int_equal(put(f, false, "x"), 0);
		assert_int_equal(f->out.head - f->out.tail, OUT_STREAM_SIZE - room);
		assert_true(f->out.refused);
		f->out.refused = false;
	}
	leave_room(f, LINE_STAMP_WIDTH + 1);
	assert_int_equal(put(f, false, "xy"), 1);
	assert_int_equal(f->out.head - f->out.tail, OUT_STREAM_SIZE);
	leave_room(f, 2);
	assert_int_equal(put(f, true, "y\nz"), 2);
	leave_room(f, 0);
	assert_int_equal(put(f, true, "y"), 0);
}

/* Appends what was put since the last time, without the stamps, which have to stand at the lines' beginnings. */
static size_t collect(const struct fixture *f, uint64_t from, char *text, size_t len)
{
	for (uint64_t at = from; at < f->out.head; at++) {
		if (len == 0 || text[len - 1] == '\n') {
			assert_int_equal(f->out.bytes[(at + 6) % OUT_STREAM_SIZE], '.');
			assert_int_equal(f->out.bytes[(at + 11) % OUT_STREAM_SIZE], ' ');
			at += LINE_STAMP_WIDTH;
			assert_true(at < f->out.head);
		}
		text[len++] = (char)f->out.bytes[at % OUT_STREAM_SIZE];
	}
	return len;
}

/* Whatever the room, what was taken is the text's next part. */
static void nothing_is_lost_or_doubled_with_little_room(void **state)
{
	static const char sent[] = "Linux version\r\n\n\nx\r\nlonger than the other lines are\r\n\r\n ~ # end";
	struct fixture *f = *state;

	for (size_t most = 1; most < 40; most++) {
		char text[sizeof(sent)];
		size_t taken = 0, len = 0, room = 0;

		while (taken < sizeof(sent) - 1) {
			uint64_t from = f->out.head;

			leave_room(f, room);
			taken += line_stamp_put(&f->out, f->start_ns, taken > 0 && sent[taken - 1] != '\n',
						(const uint8_t *)sent + taken, sizeof(sent) - 1 - taken);
			len = collect(f, from, text, len);
			assert_int_equal(len, taken);
			/* 13 bytes at times, without which there would be no progress */
			room = room == most ? LINE_STAMP_WIDTH + 1 : most;
		}
		assert_memory_equal(text, sent, len);
	}
}

static void reader_that_is_gone_takes_everything(void **state)
{
	struct fixture *f = *state;

	f->out.broken = true;
	assert_int_equal(put(f, false, "one\ntwo\n"), 8);
	assert_int_equal(f->out.head, f->out.tail);
}

#define WITH_STREAM(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stamp_has_a_fixed_width),
		WITH_STREAM(each_line_has_one_stamp),
		WITH_STREAM(rest_of_a_line_has_none),
		WITH_STREAM(stamp_without_its_line_is_not_taken),
		WITH_STREAM(nothing_is_lost_or_doubled_with_little_room),
		WITH_STREAM(reader_that_is_gone_takes_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
