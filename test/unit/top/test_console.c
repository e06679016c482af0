/* SPDX-License-Identifier: Apache-2.0 */
/* The console's keys, input and output through COM1. */
#include "unit/top/console_machine.h"

static void ignore_event(void *opaque, enum console_event event, const char *text)
{
	(void)opaque;
	(void)event;
	(void)text;
}

static void keys_are_filtered(void **state)
{
	static const struct {
		const char *typed, *kept;
		unsigned quits, statuses;
	} cases[] = {
		{"plain", "plain", 0, 0},
		{"", "", 0, 0},
		{"\x01x", "", 1, 0},
		{"\x01"
		 "c",
		 "", 0, 1},
		{"\x01"
		 "a",
		 "\x01", 0, 0},
		{"\x01\x01", "\x01", 0, 0},
		{"\x01\x01x", "\x01x", 0, 0}, /* an escaped escape escapes nothing */
		{"\x01z", "", 0, 0},
		{"ls\x01"
		 "c -l\x01x!",
		 "ls -l!", 1, 1},
		{"\x01X", "", 0, 0}, /* a capital is another key */
	};
	struct fixture *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t keys[32];
		size_t len = strlen(cases[i].typed);

		f->quits = f->statuses = 0;
		f->console.escaped = false;
		memcpy(keys, cases[i].typed, len);
		len = console_filter_keys(&f->console, keys, len);
		assert_int_equal(len, strlen(cases[i].kept));
		assert_memory_equal(keys, cases[i].kept, len);
		assert_int_equal(f->quits, cases[i].quits);
		assert_int_equal(f->statuses, cases[i].statuses);
	}
}

static void an_escape_may_come_in_two_reads(void **state)
{
	struct fixture *f = *state;
	uint8_t keys[8] = "ab\x01";

	assert_int_equal(console_filter_keys(&f->console, keys, 3), 2);
	memcpy(keys, "xcd", 3);
	assert_int_equal(console_filter_keys(&f->console, keys, 3), 2);
	assert_memory_equal(keys, "cd", 2);
	assert_int_equal(f->quits, 1);
}

/* Linux empties the UART's FIFOs several times while it starts: earlier input would be lost. */
static void input_waits_until_the_guest_listens(void **state)
{
	struct fixture *f = *state;
	char text[32];

	console_start(&f->console);
	type(f, "early input");
	assert_line_is_silent(f);
	put(f, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
	assert_line_is_silent(f);
	listen_by_interrupt(f);
	guest_reads(f, text, 11);
	assert_string_equal(text, "early input");
}

static void long_input_comes_in_order_through_the_small_fifo(void **state)
{
	struct fixture *f = *state;
	char sent[3001], text[sizeof(sent)];

	for (unsigned i = 0; i < sizeof(sent) - 1; i++)
		sent[i] = (char)('a' + i % 26);
	sent[sizeof(sent) - 1] = 0;
	console_start(&f->console);
	type(f, sent);
	listen_by_interrupt(f);
	guest_reads(f, text, sizeof(sent) - 1);
	assert_string_equal(text, sent);
	assert_int_equal(f->serial.rx_dropped, 0);
}

static void input_that_comes_later_is_delivered_too(void **state)
{
	struct fixture *f = *state;
	char text[32];

	console_start(&f->console);
	listen_by_interrupt(f);
	for (unsigned i = 0; i < 20; i++) {
		type(f, "line\n");
		guest_reads(f, text, 5);
		assert_string_equal(text, "line\n");
	}
}

static void a_pipes_input_waits_in_the_pipe_not_in_vmm(void **state)
{
	struct fixture *f = *state;
	char sent[2001], text[sizeof(sent)];

	memset(sent, 'x', sizeof(sent) - 1);
	sent[sizeof(sent) - 1] = 0;
	console_start(&f->console);
	type(f, sent);
	assert_line_is_silent(f);
	assert_in_range(f->console.input_len, 1, CONSOLE_INPUT_SIZE);
	listen_by_interrupt(f);
	guest_reads(f, text, sizeof(sent) - 1);
	assert_string_equal(text, sent);
}

/* Nobody may be locked in with a guest that does not read. */
static void escapes_work_while_the_guest_does_not_listen(void **state)
{
	struct fixture *f = *state;
	char text[32];

	console_start(&f->console);
	f->console.is_terminal = true;
	type(f, "waiting");
	assert_line_is_silent(f);
	type(f,
	     "\x01"
	     "c\x01x");
	while (!f->quits)
		step(f);
	assert_int_equal(f->statuses, 1);
	listen_by_interrupt(f);
	guest_reads(f, text, 7);
	assert_string_equal(text, "waiting");
}

static void a_terminals_surplus_is_dropped_and_escapes_still_work(void **state)
{
	struct fixture *f = *state;
	char sent[401], text[sizeof(sent)];

	memset(sent, 'x', sizeof(sent) - 1);
	sent[sizeof(sent) - 1] = 0;
	console_start(&f->console);
	f->console.is_terminal = true;
	type(f, sent);
	type(f, "\x01x");
	while (!f->quits)
		step(f);
	listen_by_interrupt(f);
	guest_reads(f, text, CONSOLE_INPUT_SIZE);
	assert_line_is_silent(f);
	type(f, "again");
	guest_reads(f, text, 5);
	assert_string_equal(text, "again");
}

static void after_the_end_of_input_the_guest_goes_on(void **state)
{
	struct fixture *f = *state;
	char text[8];

	console_start(&f->console);
	type(f, "bye");
	close_fd(&f->in[1]);
	listen_by_interrupt(f);
	guest_reads(f, text, 3);
	assert_string_equal(text, "bye");
	assert_int_equal(f->console.in_fd, -1);
	assert_false(f->console.input_op.in_flight);
}

static void closing_ends_the_read_for_good(void **state)
{
	struct fixture *f = *state;

	console_start(&f->console);
	assert_true(f->console.input_op.in_flight);
	console_close_input(&f->console);
	while (f->console.input_op.in_flight)
		ring_pipe_step(&f->rp);
	console_on_wake(&f->console);
	assert_false(f->console.input_op.in_flight);
}

static void output_arrives(void **state)
{
	struct fixture *f = *state;

	for (const char *c = "hello\n"; *c; c++)
		put(f, UART_TX, (uint8_t)*c);
	ring_pipe_start_reading(&f->rp);
	while (f->rp.len < 6)
		step(f);
	assert_memory_equal(f->rp.received, "hello\n", 6);
}

/* Sends until the UART has no room any more; returns how many bytes that took. */
static size_t send_until_full(struct fixture *f, size_t sent)
{
	unsigned stalled = 0;

	while (stalled < 20) {
		if (get(f, UART_LSR) & UART_LSR_THRE) {
			put(f, UART_TX, (uint8_t)(sent++ % 251));
			stalled = 0;
		} else {
			stalled++;
			step(f);
		}
	}
	return sent;
}

static void a_stalled_reader_holds_the_guest_up_and_nothing_is_lost(void **state)
{
	struct fixture *f = *state;
	size_t sent = send_until_full(f, 0);

	assert_in_range(sent, OUT_STREAM_SIZE, 4 * OUT_STREAM_SIZE);
	ring_pipe_start_reading(&f->rp);
	while (!(get(f, UART_LSR) & UART_LSR_THRE))
		step(f);
	put(f, UART_TX, (uint8_t)(sent++ % 251));
	while (f->rp.len < sent)
		step(f);
	assert_int_equal(f->rp.len, sent);
	for (size_t i = 0; i < sent; i++)
		assert_int_equal(f->rp.received[i], i % 251);
	assert_int_equal(f->serial.tx_dropped, 0);
}

static void a_console_to_nowhere_never_stalls(void **state)
{
	struct fixture *f = *state;
	const struct config config = {.console = CONFIG_CONSOLE_NULL};
	struct console console;
	struct serial_backend backend;
	static uint8_t bytes[2 * OUT_STREAM_SIZE];
	struct error err;

	assert_int_equal(console_init(&console, &config, 0, f->rp.ring, f->rp.wake_fd, (struct console_keys){0},
				      (struct console_sink){.report = ignore_event}, &err),
			 0);
	assert_int_equal(console.in_fd, -1);
	backend = console_backend(&console);
	assert_int_equal(backend.write(backend.opaque, bytes, sizeof(bytes)), sizeof(bytes));
	console_start(&console);
	assert_false(console.input_op.in_flight);
	console_fini(&console);
}

static void a_path_that_cannot_be_opened_is_named(void **state)
{
	struct fixture *f = *state;
	const struct config config = {.console = CONFIG_CONSOLE_FILE, .console_path = "/nonexistent/console"};
	struct console console;
	struct error err = {0};

	assert_int_equal(console_init(&console, &config, 0, f->rp.ring, f->rp.wake_fd, (struct console_keys){0},
				      (struct console_sink){.report = ignore_event}, &err),
			 -ENOENT);
	assert_non_null(strstr(err.text, "--console file=/nonexistent/console"));
	console_fini(&console);
}

static void stdio_uses_the_standard_descriptors(void **state)
{
	struct fixture *f = *state;
	const struct config config = {.console = CONFIG_CONSOLE_STDIO};
	struct console console;
	struct error err;

	assert_int_equal(console_init(&console, &config, 0, f->rp.ring, f->rp.wake_fd, (struct console_keys){0},
				      (struct console_sink){.report = ignore_event}, &err),
			 0);
	assert_int_equal(console.out_fd, STDOUT_FILENO);
	assert_int_equal(console.in_fd, fcntl(STDIN_FILENO, F_GETFD) < 0 ? -1 : STDIN_FILENO);
	console_fini(&console);
	assert_true(fcntl(STDOUT_FILENO, F_GETFD) >= 0);
}

#define WITH_CONSOLE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CONSOLE(keys_are_filtered),
		WITH_CONSOLE(an_escape_may_come_in_two_reads),
		WITH_CONSOLE(input_waits_until_the_guest_listens),
		WITH_CONSOLE(long_input_comes_in_order_through_the_small_fifo),
		WITH_CONSOLE(input_that_comes_later_is_delivered_too),
		WITH_CONSOLE(a_pipes_input_waits_in_the_pipe_not_in_vmm),
		WITH_CONSOLE(escapes_work_while_the_guest_does_not_listen),
		WITH_CONSOLE(a_terminals_surplus_is_dropped_and_escapes_still_work),
		WITH_CONSOLE(after_the_end_of_input_the_guest_goes_on),
		WITH_CONSOLE(closing_ends_the_read_for_good),
		WITH_CONSOLE(output_arrives),
		WITH_CONSOLE(a_stalled_reader_holds_the_guest_up_and_nothing_is_lost),
		WITH_CONSOLE(a_console_to_nowhere_never_stalls),
		WITH_CONSOLE(a_path_that_cannot_be_opened_is_named),
		WITH_CONSOLE(stdio_uses_the_standard_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
