/* SPDX-License-Identifier: Apache-2.0 */
/* Quoted input passes a terminal unchanged. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/compiler.h"
#include "line_quote.h"

static size_t quote(struct line_quote *state, const char *text, uint8_t *to)
{
	return line_quote_put(state, to, (const uint8_t *)text, strlen(text));
}

static void what_means_something_is_quoted(void **state)
{
	static const struct {
		const char *input, *quoted;
		size_t line;
	} rows[] = {
		{"", "", 0},
		{"plain\n", "plain\n", 0},
		{"plain\nrest", "plain\nrest", 4},
		{"\x04", "\x16\x04", 1},
		{"\x16", "\x16\x16", 1},
		{"a\x04\x16\n", "a\x16\x04\x16\x16\n", 0},
		{"\x03\r\x1a\x7f", "\x03\r\x1a\x7f", 4},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct line_quote q = {0};
		uint8_t to[64];
		size_t len = quote(&q, rows[i].input, to);

		assert_int_equal(len, strlen(rows[i].quoted));
		assert_memory_equal(to, rows[i].quoted, len);
		assert_int_equal(q.line, rows[i].line);
	}
}

static void long_lines_come_in_pieces(void **state)
{
	static uint8_t data[LINE_QUOTE_PIECE], to[LINE_QUOTE_SIZE(LINE_QUOTE_PIECE)];
	struct line_quote q = {0};

	(void)state;
	memset(data, 'x', sizeof(data));
	assert_int_equal(line_quote_put(&q, to, data, sizeof(data) - 1), sizeof(data) - 1);
	assert_int_equal(line_quote_put(&q, to, data, 1), 2);
	assert_int_equal(to[1], LINE_QUOTE_END);
	assert_int_equal(q.line, 0);
	/* A newline starts the count anew. */
	data[100] = '\n';
	assert_int_equal(line_quote_put(&q, to, data, sizeof(data)), sizeof(data));
	assert_int_equal(q.line, sizeof(data) - 101);
}

/* As much as the size promises, and no more. */
static void the_worst_input_fits(void **state)
{
	static uint8_t data[LINE_QUOTE_PIECE], to[LINE_QUOTE_SIZE(LINE_QUOTE_PIECE)];
	struct line_quote q = {.line = 1};

	(void)state;
	memset(data, LINE_QUOTE_NEXT, sizeof(data));
	assert_int_equal(line_quote_put(&q, to, data, sizeof(data)), sizeof(to));
}

/* A terminal set up as the guest's init does it. */
static void open_terminal(int *keyboard, int *program)
{
	struct termios termios = {.c_cflag = CS8 | CREAD, .c_lflag = ICANON | IEXTEN};

	termios.c_cc[VEOF] = LINE_QUOTE_END;
	termios.c_cc[VLNEXT] = LINE_QUOTE_NEXT;
	assert_return_code(openpty(keyboard, program, NULL, &termios, NULL), 0);
	assert_return_code(fcntl(*keyboard, F_SETFL, O_NONBLOCK), 0);
}

static size_t took(ssize_t n)
{
	return n < 0 ? 0 : (size_t)n;
}

/* All bytes, then lines far longer than what the terminal holds, of nothing but what must be quoted. */
static void fill(uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		data[i] = i < size / 2 ? (uint8_t)(i * 7 + i / 256) : i % 9001 ? LINE_QUOTE_END : '\n';
	data[size - 1] = '\n';
}

static void a_terminal_hands_out_what_was_put_in(void **state)
{
	static uint8_t data[40000], quoted[LINE_QUOTE_SIZE(sizeof(data))], got[sizeof(data) + 1];
	size_t len = 0, sent = 0, have = 0;
	struct line_quote q = {0};
	struct pollfd ends[2];

	(void)state;
	fill(data, sizeof(data));
	for (size_t at = 0; at < sizeof(data); at += 100)
		len += line_quote_put(&q, quoted + len, data + at, 100);
	open_terminal(&ends[0].fd, &ends[1].fd);
	ends[1].events = POLLIN;
	while (have < sizeof(data)) {
		ends[0].events = sent < len ? POLLOUT : 0;
		assert_in_range(poll(ends, 2, 10000), 1, 2);
		if (ends[0].revents & POLLOUT)
			sent += took(write(ends[0].fd, quoted + sent, len - sent));
		if (ends[1].revents & POLLIN)
			have += took(read(ends[1].fd, got + have, sizeof(got) - have));
	}
	assert_int_equal(have, sizeof(data));
	assert_memory_equal(got, data, sizeof(data));
	close(ends[0].fd);
	close(ends[1].fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_means_something_is_quoted),
		cmocka_unit_test(long_lines_come_in_pieces),
		cmocka_unit_test(the_worst_input_fits),
		cmocka_unit_test(a_terminal_hands_out_what_was_put_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
