/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <zlib.h>

#include "base/endian.h"
#include "ci/channel.h"

#define HEADER sizeof(struct command_frame)

static const uint8_t token[COMMAND_TOKEN_SIZE] = "0123456789abcdef";

/* What the guest sends. */
struct wire {
	size_t len;
	uint8_t bytes[4u << 20];
};

/* What arrives: messages in brackets behind their type, stream bytes bare behind the type of their first. */
struct record {
	char text[8192];
	size_t len;
	size_t room; /* of the stream's reader */
	unsigned calls;
	enum command_frame_type stream_type;
	uint64_t stream_bytes;
	size_t last_message_len;
};

struct fixture {
	struct channel channel;
	struct record record;
	struct wire wire;
};

static void note(struct record *record, const void *text, size_t len)
{
	if (len > sizeof(record->text) - 1 - record->len)
		len = sizeof(record->text) - 1 - record->len;
	memcpy(record->text + record->len, text, len);
	record->len += len;
}

static size_t take_stream(void *opaque, enum command_frame_type type, const uint8_t *data, size_t len)
{
	struct record *record = opaque;
	char digit = (char)('0' + type);

	assert_true(len > 0);
	record->calls++;
	if (len > record->room)
		len = record->room;
	if (len && type != record->stream_type)
		note(record, &digit, 1);
	if (len)
		record->stream_type = type;
	note(record, data, len);
	record->room -= len;
	record->stream_bytes += len;
	return len;
}

static void take_message(void *opaque, enum command_frame_type type, const uint8_t *payload, size_t len)
{
	struct record *record = opaque;
	char head[2] = {(char)('0' + type), '['};

	note(record, head, 2);
	note(record, payload, len);
	note(record, "]", 1);
	record->stream_type = 0;
	record->last_message_len = len;
}

static void start(struct fixture *f, const uint8_t *secret)
{
	f->wire.len = 0;
	memset(&f->record, 0, sizeof(f->record));
	f->record.room = SIZE_MAX;
	channel_init(&f->channel, secret,
		     (struct channel_sink){.stream = take_stream, .message = take_message, .opaque = &f->record});
}

static int set_up(void **state)
{
	static struct fixture fixture;

	start(&fixture, token);
	*state = &fixture;
	return 0;
}

static void add(struct fixture *f, const void *data, size_t len)
{
	assert_true(len <= sizeof(f->wire.bytes) - f->wire.len);
	memcpy(f->wire.bytes + f->wire.len, data, len);
	f->wire.len += len;
}

static void add_header(struct fixture *f, uint32_t sequence, uint32_t type, uint32_t length, uint32_t crc)
{
	uint8_t header[HEADER];

	memcpy(header, f->channel.token, COMMAND_TOKEN_SIZE);
	store_le32(header + 16, sequence);
	store_le32(header + 20, type);
	store_le32(header + 24, length);
	store_le32(header + 28, crc);
	add(f, header, sizeof(header));
}

static void add_frame(struct fixture *f, uint32_t sequence, uint32_t type, const void *payload, size_t len)
{
	uint8_t *header = f->wire.bytes + f->wire.len;

	add_header(f, sequence, type, (uint32_t)len, 0);
	add(f, payload, len);
	store_le32(header + 28, (uint32_t)crc32(crc32(0, header + 16, 12), header + 32, (uInt)len));
}

static void add_text(struct fixture *f, uint32_t sequence, uint32_t type, const char *text)
{
	add_frame(f, sequence, type, text, strlen(text));
}

static void feed_all(struct fixture *f)
{
	assert_int_equal(channel_feed(&f->channel, f->wire.bytes, f->wire.len), f->wire.len);
}

static void assert_record(struct fixture *f, const char *text)
{
	f->record.text[f->record.len] = '\0';
	assert_string_equal(f->record.text, text);
}

static void frames_arrive_in_order_with_their_payloads(void **state)
{
	struct fixture *f = *state;

	add_text(f, 0, COMMAND_FRAME_HELLO, "hello");
	add_text(f, 1, COMMAND_FRAME_STARTED, "");
	add_text(f, 2, COMMAND_FRAME_OUTPUT, "one");
	add_text(f, 3, COMMAND_FRAME_OUTPUT, "two");
	add_text(f, 4, COMMAND_FRAME_NOTE, "note");
	add_text(f, 5, COMMAND_FRAME_OUT, "cpio");
	add_text(f, 6, COMMAND_FRAME_EXIT, "exit");
	add_text(f, 7, COMMAND_FRAME_DONE, "");
	feed_all(f);
	assert_record(f, "1[hello]2[]3onetwo4[note]6cpio5[exit]7[]");
	assert_int_equal(f->channel.frames, 8);
	assert_int_equal(f->channel.bad_frames, 0);
	assert_int_equal(f->channel.lost_frames, 0);
	assert_int_equal(f->channel.skipped_bytes, 0);
}

static void a_stream_cut_anywhere_arrives_the_same(void **state)
{
	struct fixture *f = *state;
	size_t len;

	add(f, "noise 0123456789abcde", 21);
	add_text(f, 0, COMMAND_FRAME_HELLO, "hello");
	add_header(f, 1, COMMAND_FRAME_OUTPUT, 40, 0xbad);
	add_text(f, 1, COMMAND_FRAME_OUTPUT, "output");
	add(f, "0123456789abcdef", 16);
	add_text(f, 2, COMMAND_FRAME_EXIT, "e");
	len = f->wire.len;
	for (size_t cut = 0; cut <= len; cut++) {
		start(f, token);
		f->wire.len = len;
		assert_int_equal(channel_feed(&f->channel, f->wire.bytes, cut), cut);
		assert_int_equal(channel_feed(&f->channel, f->wire.bytes + cut, len - cut), len - cut);
		assert_record(f, "1[hello]3output5[e]");
		assert_int_equal(f->channel.skipped_bytes, 21 + 32 + 16);
	}
	start(f, token);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(channel_feed(&f->channel, f->wire.bytes + i, 1), 1);
	assert_record(f, "1[hello]3output5[e]");
	assert_int_equal(f->channel.skipped_bytes, 21 + 32 + 16);
}

static void what_is_no_frame_is_skipped(void **state)
{
	struct fixture *f = *state;
	uint8_t *frame;

	add_text(f, 0, COMMAND_FRAME_OUTPUT, "bad token");
	f->wire.bytes[15] ^= 1;
	frame = f->wire.bytes + f->wire.len;
	add_text(f, 0, COMMAND_FRAME_OUTPUT, "bad crc");
	frame[28] ^= 0x80;
	frame = f->wire.bytes + f->wire.len;
	add_text(f, 0, COMMAND_FRAME_OUTPUT, "bad type");
	frame[20] = COMMAND_FRAME_EXIT;
	frame = f->wire.bytes + f->wire.len;
	add_text(f, 0, COMMAND_FRAME_OUTPUT, "bad sequence");
	frame[16] = 1;
	frame = f->wire.bytes + f->wire.len;
	add_text(f, 0, COMMAND_FRAME_OUTPUT, "bad payload");
	frame[32] = 'B';
	add_header(f, 0, COMMAND_FRAME_OUTPUT, COMMAND_FRAME_MAX_PAYLOAD + 1, 0);
	add_header(f, 0, COMMAND_FRAME_OUTPUT, UINT32_MAX, 0);
	add_header(f, 0, COMMAND_FRAME_OUTPUT, UINT32_MAX - HEADER + 1, 0);
	size_t bad = f->wire.len;
	add_text(f, 0, COMMAND_FRAME_OUTPUT, "good");
	feed_all(f);
	assert_record(f, "3good");
	assert_int_equal(f->channel.frames, 1);
	assert_int_equal(f->channel.bad_frames, 7);
	assert_int_equal(f->channel.skipped_bytes, bad);
}

static void a_frame_inside_a_broken_one_is_found(void **state)
{
	struct fixture *f = *state;

	add_header(f, 0, COMMAND_FRAME_OUTPUT, 3000, 0);
	for (uint32_t i = 0; i < 50; i++) {
		add(f, "0123", 4);
		add_text(f, i, COMMAND_FRAME_NOTE, "n");
	}
	add_text(f, 50, COMMAND_FRAME_OUTPUT, "end");
	/* Until the broken one is complete nobody can tell. */
	assert_int_equal(channel_feed(&f->channel, f->wire.bytes, HEADER + 1000), HEADER + 1000);
	assert_int_equal(f->channel.frames, 0);
	channel_feed(&f->channel, f->wire.bytes + HEADER + 1000, f->wire.len - HEADER - 1000);
	assert_int_equal(f->channel.frames, 0);
	memset(f->wire.bytes, 0, 3000);
	channel_feed(&f->channel, f->wire.bytes, 3000);
	assert_int_equal(f->channel.frames, 51);
	assert_int_equal(f->channel.lost_frames, 0);
	assert_int_equal(f->channel.bad_frames, 1);
	assert_int_equal(memcmp(f->record.text + f->record.len - 4, "3end", 4), 0);
}

static void a_token_that_begins_within_itself_is_found(void **state)
{
	struct fixture *f = *state;

	for (unsigned noise = 0; noise < 40; noise++) {
		static const uint8_t zeros[COMMAND_TOKEN_SIZE];

		start(f, zeros);
		f->channel.next_sequence = UINT32_MAX;
		for (unsigned i = 0; i < noise; i++)
			add(f, "", 1);
		add_text(f, UINT32_MAX, COMMAND_FRAME_EXIT, "x");
		/* What looked like a frame's beginning may want this many bytes more. */
		for (unsigned i = 0; i < 2 * COMMAND_FRAME_MAX_PAYLOAD; i++)
			add(f, "\xff", 1);
		feed_all(f);
		assert_record(f, "5[x]");
	}
}

static void lengths_up_to_the_largest_are_taken(void **state)
{
	static uint8_t payload[COMMAND_FRAME_MAX_PAYLOAD];
	struct fixture *f = *state;

	add_frame(f, 0, COMMAND_FRAME_HELLO, payload, sizeof(payload));
	feed_all(f);
	assert_int_equal(f->record.last_message_len, COMMAND_FRAME_MAX_PAYLOAD);
	add_text(f, 1, COMMAND_FRAME_EXIT, "seven b");
	channel_feed(&f->channel, f->wire.bytes + HEADER + sizeof(payload), HEADER + 7);
	assert_int_equal(f->record.last_message_len, 7);
	assert_int_equal(f->channel.frames, 2);
}

static void unknown_types_and_empty_pieces_are_not_passed_on(void **state)
{
	struct fixture *f = *state;

	add_text(f, 0, 0, "zero");
	add_text(f, 1, COMMAND_FRAME_DONE + 1, "newer");
	add_text(f, 2, UINT32_MAX, "newest");
	add_text(f, 3, COMMAND_FRAME_OUTPUT, "");
	add_text(f, 4, COMMAND_FRAME_OUT, "");
	add_text(f, 5, COMMAND_FRAME_DONE, "");
	feed_all(f);
	assert_record(f, "7[]");
	assert_int_equal(f->record.calls, 0);
	assert_int_equal(f->channel.frames, 6);
	assert_int_equal(f->channel.bad_frames, 0);
}

static void a_refused_payload_waits_and_nothing_overtakes_it(void **state)
{
	struct fixture *f = *state;
	size_t taken;

	add_text(f, 0, COMMAND_FRAME_OUTPUT, "abcdef");
	add_text(f, 1, COMMAND_FRAME_EXIT, "x");
	f->record.room = 0;
	taken = channel_feed(&f->channel, f->wire.bytes, f->wire.len);
	assert_int_equal(taken, HEADER + 6);
	assert_record(f, "");
	assert_int_equal(channel_feed(&f->channel, f->wire.bytes + taken, f->wire.len - taken), 0);
	f->record.room = 2;
	assert_int_equal(channel_feed(&f->channel, NULL, 0), 0);
	assert_record(f, "3ab");
	assert_int_equal(channel_feed(&f->channel, NULL, 0), 0);
	f->record.room = 1;
	assert_int_equal(channel_feed(&f->channel, f->wire.bytes + taken, f->wire.len - taken), 0);
	assert_record(f, "3abc");
	f->record.room = 3;
	assert_int_equal(channel_feed(&f->channel, f->wire.bytes + taken, f->wire.len - taken), HEADER + 1);
	assert_record(f, "3abcdef5[x]");
	assert_int_equal(f->channel.frames, 2);
}

/* The frame lies in the buffer behind what was taken for a frame: no more input is needed to go on. */
static void a_refused_payload_inside_a_broken_frame_waits_too(void **state)
{
	struct fixture *f = *state;

	add_header(f, 0, COMMAND_FRAME_OUTPUT, 200, 0);
	add_text(f, 0, COMMAND_FRAME_OUT, "abc");
	add_text(f, 1, COMMAND_FRAME_NOTE, "n");
	while (f->wire.len < HEADER + 200)
		add(f, "-", 1);
	f->record.room = 1;
	feed_all(f);
	assert_record(f, "6a");
	f->record.room = 2;
	assert_int_equal(channel_feed(&f->channel, NULL, 0), 0);
	assert_record(f, "6abc4[n]");
}

static void lost_frames_are_counted_and_old_ones_dropped(void **state)
{
	struct fixture *f = *state;

	add_text(f, 0, COMMAND_FRAME_NOTE, "0");
	add_text(f, 3, COMMAND_FRAME_NOTE, "3");
	add_text(f, 3, COMMAND_FRAME_NOTE, "again");
	add_text(f, 1, COMMAND_FRAME_NOTE, "late");
	add_text(f, 0, COMMAND_FRAME_NOTE, "the first");
	add_text(f, UINT32_MAX, COMMAND_FRAME_NOTE, "before");
	add_text(f, 4, COMMAND_FRAME_NOTE, "4");
	feed_all(f);
	assert_record(f, "4[0]4[3]4[4]");
	assert_int_equal(f->channel.frames, 3);
	assert_int_equal(f->channel.lost_frames, 2);
	assert_int_equal(f->channel.bad_frames, 4);
	assert_int_equal(f->channel.skipped_bytes, 0);
}

static void the_sequence_goes_on_behind_its_largest_number(void **state)
{
	struct fixture *f = *state;

	f->channel.next_sequence = UINT32_MAX - 1;
	add_text(f, UINT32_MAX - 1, COMMAND_FRAME_NOTE, "a");
	add_text(f, UINT32_MAX, COMMAND_FRAME_NOTE, "b");
	add_text(f, 0, COMMAND_FRAME_NOTE, "c");
	add_text(f, 2, COMMAND_FRAME_NOTE, "d");
	feed_all(f);
	assert_record(f, "4[a]4[b]4[c]4[d]");
	assert_int_equal(f->channel.lost_frames, 1);
}

/* Each header wants the CRC of all those behind it. */
static void headers_inside_headers_cost_bounded_work(void **state)
{
	struct fixture *f = *state;
	uint64_t paid = 0, fed = 0;

	while (f->wire.len < 1u << 20)
		add_header(f, 0, COMMAND_FRAME_OUTPUT, COMMAND_FRAME_MAX_PAYLOAD, 0xbad);
	for (size_t i = 0; i < f->wire.len; i++) {
		size_t before = f->channel.wanted;
		uint64_t bad = f->channel.bad_frames;

		assert_int_equal(channel_feed(&f->channel, f->wire.bytes + i, 1), 1);
		fed++;
		if (f->channel.wanted && (!before || bad != f->channel.bad_frames))
			paid += f->channel.wanted;
	}
	assert_true(paid > CHANNEL_CREDIT_MAX / 2);
	assert_true(paid <= CHANNEL_CREDIT_MAX + CHANNEL_CREDIT_PER_BYTE * fed);
	assert_int_equal(f->channel.frames, 0);
	assert_true(f->channel.bad_frames > f->wire.len / HEADER - 2 * COMMAND_FRAME_MAX_PAYLOAD / HEADER);
}

static void a_frame_behind_such_a_flood_arrives(void **state)
{
	struct fixture *f = *state;

	while (f->wire.len < 1u << 20)
		add_header(f, 0, COMMAND_FRAME_OUTPUT, COMMAND_FRAME_MAX_PAYLOAD, 0xbad);
	for (unsigned i = 0; i < 2 * COMMAND_FRAME_MAX_PAYLOAD; i++)
		add(f, "-", 1);
	add_text(f, 0, COMMAND_FRAME_EXIT, "x");
	feed_all(f);
	assert_record(f, "5[x]");
	assert_int_equal(f->channel.skipped_bytes, f->wire.len - HEADER - 1);
}

static void frames_in_sequence_never_lack_credit(void **state)
{
	static uint8_t payload[COMMAND_FRAME_MAX_PAYLOAD];
	struct fixture *f = *state;

	for (uint32_t i = 0; i < 200; i++) {
		f->wire.len = 0;
		add_frame(f, 2 * i, COMMAND_FRAME_OUTPUT, payload, sizeof(payload));
		add_frame(f, 2 * i + 1, COMMAND_FRAME_OUTPUT, payload, i);
		feed_all(f);
	}
	assert_int_equal(f->channel.frames, 400);
	assert_int_equal(f->channel.bad_frames, 0);
	assert_int_equal(f->record.stream_bytes, 200u * COMMAND_FRAME_MAX_PAYLOAD + 199 * 200 / 2);
}

#define channel_test(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		channel_test(frames_arrive_in_order_with_their_payloads),
		channel_test(a_stream_cut_anywhere_arrives_the_same),
		channel_test(what_is_no_frame_is_skipped),
		channel_test(a_frame_inside_a_broken_one_is_found),
		channel_test(a_token_that_begins_within_itself_is_found),
		channel_test(lengths_up_to_the_largest_are_taken),
		channel_test(unknown_types_and_empty_pieces_are_not_passed_on),
		channel_test(a_refused_payload_waits_and_nothing_overtakes_it),
		channel_test(a_refused_payload_inside_a_broken_frame_waits_too),
		channel_test(lost_frames_are_counted_and_old_ones_dropped),
		channel_test(the_sequence_goes_on_behind_its_largest_number),
		channel_test(headers_inside_headers_cost_bounded_work),
		channel_test(a_frame_behind_such_a_flood_arrives),
		channel_test(frames_in_sequence_never_lack_credit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
