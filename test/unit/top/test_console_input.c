/* SPDX-License-Identifier: Apache-2.0 */
/* Input that is held back until a command runs, and how its end is told. */
#include "unit/top/console_machine.h"

#include <pthread.h>

static void release(struct fixture *f)
{
	pthread_mutex_lock(&f->dev_lock);
	console_release_input(&f->console);
	pthread_mutex_unlock(&f->dev_lock);
}

static void expect_input(struct fixture *f, const char *text)
{
	char got[2200];

	guest_reads(f, got, strlen(text));
	assert_string_equal(got, text);
	assert_line_is_silent(f);
}

/* More may follow. */
static void expect_first_of_input(struct fixture *f, const char *text)
{
	char got[2200];

	guest_reads(f, got, strlen(text));
	assert_string_equal(got, text);
}

static void held_input_waits_for_its_release(void **state)
{
	struct fixture *f = *state;

	console_hold_input(&f->console);
	console_start(&f->console);
	listen_by_interrupt(f);
	type(f, "for the command\n");
	assert_line_is_silent(f);
	release(f);
	expect_input(f, "for the command\n");
	type(f, "more\n");
	expect_input(f, "more\n");
}

static void release_before_the_guest_listens_keeps_the_input_too(void **state)
{
	struct fixture *f = *state;

	console_hold_input(&f->console);
	console_start(&f->console);
	type(f, "early\n");
	release(f);
	assert_line_is_silent(f);
	listen_by_interrupt(f);
	expect_input(f, "early\n");
}

static void held_input_of_a_pipe_waits_in_the_pipe(void **state)
{
	struct fixture *f = *state;
	char sent[1001];

	memset(sent, 'x', sizeof(sent) - 1);
	sent[sizeof(sent) - 1] = 0;
	console_hold_input(&f->console);
	console_start(&f->console);
	listen_by_interrupt(f);
	type(f, sent);
	assert_line_is_silent(f);
	assert_in_range(f->console.input_len, 1, CONSOLE_INPUT_SIZE);
	release(f);
	expect_input(f, sent);
}

static void escapes_work_while_input_is_held(void **state)
{
	struct fixture *f = *state;

	console_hold_input(&f->console);
	console_start(&f->console);
	f->console.is_terminal = true;
	listen_by_interrupt(f);
	type(f, "ls\n\x01x");
	while (!f->quits)
		step(f);
	assert_line_is_silent(f);
	release(f);
	expect_input(f, "ls\n");
}

static void *release_from_a_vcpu(void *opaque)
{
	release(opaque);
	return NULL;
}

static void another_thread_may_release(void **state)
{
	struct fixture *f = *state;
	pthread_t vcpu;

	console_hold_input(&f->console);
	console_start(&f->console);
	listen_by_interrupt(f);
	type(f, "held\n");
	assert_line_is_silent(f);
	assert_int_equal(pthread_create(&vcpu, NULL, release_from_a_vcpu, f), 0);
	expect_input(f, "held\n");
	pthread_join(vcpu, NULL);
}

static void end_of_input_follows_the_last_line(void **state)
{
	static const struct {
		const char *input, *delivered;
	} rows[] = {
		{"", "\x04"},
		{"line\n", "line\n\x04"},
		{"\n", "\n\x04"},
		{"one\nrest", "one\nrest\x04\x04"},
		{"one\r", "one\r\x04\x04"},
		{"\x04", "\x04\x04\x04"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (i > 0) {
			tear_down(state);
			assert_int_equal(set_up(state), 0);
		}
		struct fixture *f = *state;

		console_set_end_of_input(&f->console, true);
		console_start(&f->console);
		listen_by_interrupt(f);
		type(f, rows[i].input);
		close_fd(&f->in[1]);
		expect_input(f, rows[i].delivered);
		assert_false(f->console.input_op.in_flight);
	}
}

/* More than the console keeps at once, so that the last byte is not in the last read with the first. */
static void end_of_long_input_comes_once_and_last(void **state)
{
	struct fixture *f = *state;
	char sent[1003];

	memset(sent, 'x', 1000);
	strcpy(sent + 1000, "\n");
	console_set_end_of_input(&f->console, true);
	console_start(&f->console);
	type(f, sent);
	close_fd(&f->in[1]);
	assert_line_is_silent(f);
	listen_by_interrupt(f);
	strcat(sent, "\x04");
	expect_input(f, sent);
}

static void end_of_held_input_waits_too(void **state)
{
	struct fixture *f = *state;

	console_hold_input(&f->console);
	console_set_end_of_input(&f->console, true);
	console_start(&f->console);
	listen_by_interrupt(f);
	close_fd(&f->in[1]);
	assert_line_is_silent(f);
	release(f);
	expect_input(f, "\x04");
}

static void no_input_at_all_ends_at_once(void **state)
{
	struct fixture *f = *state;

	f->console.in_fd = -1;
	console_set_end_of_input(&f->console, true);
	console_start(&f->console);
	listen_by_interrupt(f);
	expect_input(f, "\x04");
}

static void end_of_a_terminals_input_is_not_told(void **state)
{
	struct fixture *f = *state;

	console_set_end_of_input(&f->console, true);
	console_start(&f->console);
	f->console.is_terminal = true;
	listen_by_interrupt(f);
	type(f, "bye");
	close_fd(&f->in[1]);
	expect_input(f, "bye");
	assert_int_equal(f->console.in_fd, -1);
}

/* An end within the input is not the end, and the real one stands behind a whole line. */
static void quoted_input_arrives_as_it_is(void **state)
{
	struct fixture *f = *state;
	char sent[601], quoted[1300] = "", more[3];

	for (size_t i = 0; i < sizeof(sent) - 1; i++)
		sent[i] = i % 3 ? LINE_QUOTE_END : 'x';
	sent[sizeof(sent) - 1] = 0;
	for (size_t i = 0; sent[i]; i++) {
		snprintf(more, sizeof(more), sent[i] == 'x' ? "x" : "\x16%c", sent[i]);
		strcat(quoted, more);
	}
	strcat(quoted, "\x04\x04");
	console_set_end_of_input(&f->console, true);
	console_quote_input(&f->console);
	console_start(&f->console);
	listen_by_interrupt(f);
	type(f, sent);
	close_fd(&f->in[1]);
	expect_first_of_input(f, quoted);
}

static void a_long_lines_last_piece_has_one_end(void **state)
{
	struct fixture *f = *state;
	char sent[LINE_QUOTE_PIECE + 4];

	memset(sent, 'x', LINE_QUOTE_PIECE);
	sent[LINE_QUOTE_PIECE] = 0;
	console_set_end_of_input(&f->console, true);
	console_quote_input(&f->console);
	console_start(&f->console);
	listen_by_interrupt(f);
	type(f, sent);
	close_fd(&f->in[1]);
	strcat(sent, "\x04\x04");
	expect_first_of_input(f, sent);
}

static void a_line_of_one_byte_has_two_ends(void **state)
{
	struct fixture *f = *state;

	console_set_end_of_input(&f->console, true);
	console_quote_input(&f->console);
	console_start(&f->console);
	listen_by_interrupt(f);
	type(f, "\nx");
	expect_first_of_input(f, "\nx");
	assert_true(f->console.input_is_midline);
	close_fd(&f->in[1]);
	expect_first_of_input(f, "\x04\x04");
}

static void quoted_input_that_has_ended_ends_again_and_again(void **state)
{
	struct fixture *f = *state;
	char ends[51];

	memset(ends, LINE_QUOTE_END, sizeof(ends) - 1);
	ends[sizeof(ends) - 1] = 0;
	console_set_end_of_input(&f->console, true);
	console_quote_input(&f->console);
	console_start(&f->console);
	listen_by_interrupt(f);
	close_fd(&f->in[1]);
	expect_first_of_input(f, ends);
}

/* Nobody reads: nothing is sent, and nothing is tried either, until that changes. */
static void repeated_end_waits_while_rts_is_low(void **state)
{
	struct fixture *f = *state;

	console_set_end_of_input(&f->console, true);
	console_quote_input(&f->console);
	console_start(&f->console);
	listen_by_interrupt(f);
	put(f, UART_MCR, UART_MCR_DTR | UART_MCR_OUT2);
	close_fd(&f->in[1]);
	assert_line_is_silent(f);
	assert_false(f->console.rest_op.in_flight);
	put(f, UART_MCR, UART_MCR_DTR | UART_MCR_OUT2 | UART_MCR_RTS);
	expect_first_of_input(f, "\x04\x04\x04");
}

static void a_terminals_keys_are_not_quoted(void **state)
{
	struct fixture *f = *state;

	console_quote_input(&f->console);
	console_start(&f->console);
	f->console.is_terminal = true;
	listen_by_interrupt(f);
	type(f, "bye\x04");
	expect_input(f, "bye\x04");
}

static void resting_guest_gets_its_input_later(void **state)
{
	struct fixture *f = *state;

	console_start(&f->console);
	listen_by_interrupt(f);
	f->console.pace.ready_ns = monotonic_ns() + 3000000;
	type(f, "later");
	expect_input(f, "later");
	assert_false(f->console.rest_op.in_flight);
}

static void closing_ends_the_rest(void **state)
{
	struct fixture *f = *state;

	console_start(&f->console);
	listen_by_interrupt(f);
	f->console.pace.ready_ns = UINT64_MAX / 2;
	type(f, "never");
	assert_line_is_silent(f);
	assert_true(f->console.rest_op.in_flight);
	console_close_input(&f->console);
	while (f->console.rest_op.in_flight)
		step(f);
	assert_line_is_silent(f);
}

static void input_waits_while_rts_is_low(void **state)
{
	struct fixture *f = *state;

	console_start(&f->console);
	listen_by_interrupt(f);
	put(f, UART_MCR, UART_MCR_DTR | UART_MCR_OUT2);
	type(f, "one line\nand another");
	assert_line_is_silent(f);
	put(f, UART_MCR, UART_MCR_DTR | UART_MCR_OUT2 | UART_MCR_RTS);
	expect_input(f, "one line\nand another");
}

static void closing_sends_no_end(void **state)
{
	struct fixture *f = *state;

	console_set_end_of_input(&f->console, true);
	console_start(&f->console);
	listen_by_interrupt(f);
	console_close_input(&f->console);
	while (f->console.input_op.in_flight)
		ring_pipe_step(&f->rp);
	assert_line_is_silent(f);
}

#define WITH_CONSOLE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CONSOLE(held_input_waits_for_its_release),
		WITH_CONSOLE(release_before_the_guest_listens_keeps_the_input_too),
		WITH_CONSOLE(held_input_of_a_pipe_waits_in_the_pipe),
		WITH_CONSOLE(escapes_work_while_input_is_held),
		WITH_CONSOLE(another_thread_may_release),
		WITH_CONSOLE(end_of_input_follows_the_last_line),
		WITH_CONSOLE(end_of_long_input_comes_once_and_last),
		WITH_CONSOLE(end_of_held_input_waits_too),
		WITH_CONSOLE(no_input_at_all_ends_at_once),
		WITH_CONSOLE(end_of_a_terminals_input_is_not_told),
		WITH_CONSOLE(quoted_input_arrives_as_it_is),
		WITH_CONSOLE(a_long_lines_last_piece_has_one_end),
		WITH_CONSOLE(a_line_of_one_byte_has_two_ends),
		WITH_CONSOLE(quoted_input_that_has_ended_ends_again_and_again),
		WITH_CONSOLE(repeated_end_waits_while_rts_is_low),
		WITH_CONSOLE(a_terminals_keys_are_not_quoted),
		WITH_CONSOLE(resting_guest_gets_its_input_later),
		WITH_CONSOLE(closing_ends_the_rest),
		WITH_CONSOLE(input_waits_while_rts_is_low),
		WITH_CONSOLE(closing_sends_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
