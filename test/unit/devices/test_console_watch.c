/* SPDX-License-Identifier: Apache-2.0 */
/* What is recognised in a guest's console output, however it is cut up, and what the tail keeps. */
#include "unit/devices/watch_recorder.h"

#include <stdio.h>

#include "base/compiler.h"

static void first_byte_is_reported_once(void **state)
{
	struct fixture *f = *state;

	console_watch_feed(&f->watch, NULL, 0);
	assert_int_equal(f->count, 0);
	feed(f, "L");
	feed(f, "inux\n");
	assert_only_event(f, CONSOLE_FIRST_OUTPUT, "");
}

static void each_message_is_recognised(void **state)
{
	static const struct {
		const char *line;
		enum console_event event;
		const char *text;
	} rows[] = {
		{"[    1.840000] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\r\n",
		 CONSOLE_PANIC, "VFS: Unable to mount root fs on unknown-block(0,0)"},
		{"Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100\n", CONSOLE_PANIC,
		 "Attempted to kill init! exitcode=0x00000100"},
		{"[    0.0][    T1] Kernel panic - not syncing: \r\n", CONSOLE_PANIC, ""},
		{"~ # [   12.3] Kernel panic - not syncing: sysrq triggered crash\r\n", CONSOLE_PANIC,
		 "sysrq triggered crash"},
		{"[    2.000000] Run /init as init process\r\n", CONSOLE_INIT_STARTED, "/init"},
		{"Run /sbin/init as init process\n", CONSOLE_INIT_STARTED, "/sbin/init"},
		{"[    9.1] reboot: System halted\r\n", CONSOLE_HALTED, ""},
		{" -- System halted\n", CONSOLE_HALTED, ""},
		{"[    9.1] reboot: Power down\r\n", CONSOLE_POWER_DOWN, ""},
		{"[    9.1] reboot: Restarting system\r\n", CONSOLE_RESTARTING, ""},
		{"[    9.1] reboot: Restarting system with command 'x'\r\n", CONSOLE_RESTARTING, " with command 'x'"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		set_up(state);
		struct fixture *f = *state;

		feed_more(f, rows[i].line);
		assert_only_event(f, rows[i].event, rows[i].text);
	}
}

static void similar_lines_are_not_messages(void **state)
{
	static const char *const lines[] = {
		"Kernel panic - not syncin\n",
		"Run /init as ini\n",
		"Run fsck as init process\n",
		"The system is halted\n",
		"reboot: Power\ndown\n",
		"---[ end Kernel panic - not syncing: x ]---\n",
		"Power down\n",
		"Kernel panic - \nnot syncing: x\n",
	};
	struct fixture *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++)
		feed_more(f, lines[i]);
	console_watch_finish(&f->watch);
	assert_int_equal(f->count, 0);
}

static void closing_line_of_a_panic_is_not_a_second_one(void **state)
{
	struct fixture *f = *state;

	feed_more(f,
		  "[ 1.0] Kernel panic - not syncing: Oops\r\n[ 1.1] CPU: 0 PID: 1\r\n"
		  "[ 1.2] ---[ end Kernel panic - not syncing: Oops ]---\r\n");
	assert_only_event(f, CONSOLE_PANIC, "Oops");
}

static void events_come_in_the_order_of_the_output(void **state)
{
	struct fixture *f = *state;

	feed(f, "Run /init as init process\nRun /sbin/init as init process\nKernel panic - not syncing: a\n");
	assert_int_equal(f->count, 4);
	assert_int_equal(f->events[0], CONSOLE_FIRST_OUTPUT);
	assert_string_equal(f->texts[1], "/init");
	assert_string_equal(f->texts[2], "/sbin/init");
	assert_int_equal(f->events[3], CONSOLE_PANIC);
}

static void message_in_single_bytes_is_recognised(void **state)
{
	static const char text[] = "[ 1.0] Kernel panic - not syncing: byte by byte\r\n";
	struct fixture *f = *state;

	f->watch.started = true;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		console_watch_feed(&f->watch, (const uint8_t *)text + i, 1);
	assert_only_event(f, CONSOLE_PANIC, "byte by byte");
}

static void panic_line_that_a_program_quotes_is_no_panic(void **state)
{
	struct fixture *f = *state;

	feed_more(f, "grep: old.log: Kernel panic - not syncing: long ago\n");
	feed_more(f, "# echo Kernel panic - not syncing: typed\n");
	assert_int_equal(f->count, 0);
	feed_more(f, "# [    3.141593][    T1] Kernel panic - not syncing: real\n"); /* behind a prompt */
	assert_only_event(f, CONSOLE_PANIC, "real");
}

static void unfinished_last_line_counts_at_the_end(void **state)
{
	struct fixture *f = *state;

	feed_more(f, "[ 9.1] reboot: Power down");
	assert_int_equal(f->count, 0);
	console_watch_finish(&f->watch);
	assert_only_event(f, CONSOLE_POWER_DOWN, "");
	console_watch_finish(&f->watch);
	assert_int_equal(f->count, 1);
}

/* Wherever in an unending line the message stands. */
static void panic_in_an_unending_line_is_reported_within_a_bound(void **state)
{
	for (unsigned before = 0; before < 3 * CONSOLE_LINE_SIZE; before += 7) {
		set_up(state);
		struct fixture *f = *state;

		f->watch.started = true;
		for (unsigned i = 0; i < before; i++)
			feed(f, ".");
		feed(f, "[ 1.0] Kernel panic - not syncing: the reason");
		for (unsigned i = 0; i < 2 * CONSOLE_LINE_SIZE; i++)
			feed(f, "x");
		assert_int_equal(f->count, 1);
		assert_int_equal(f->events[0], CONSOLE_PANIC);
		assert_memory_equal(f->texts[0], "the reasonxxxx", 14);
		feed(f, "\n[ 2.0] reboot: Power down\n"); /* the next line is looked at again */
		assert_int_equal(f->count, 2);
	}
}

static void escape_sequences_are_not_part_of_the_text(void **state)
{
	struct fixture *f = *state;

	feed_more(f,
		  "\x1b[1;31mKernel \x1b[0mpanic - not \x1b(Bsyncing: \x1b]0;title\a"
		  "b\x1b]8;;link\x1b\\ad\x1b[K\x07\x80\xff r\teason\x1b[m\r\n");
	assert_only_event(f, CONSOLE_PANIC, "bad r eason");
}

static void broken_escape_sequence_hides_only_its_line(void **state)
{
	struct fixture *f = *state;

	feed_more(f, "\x1b]0;never ended\r\nKernel panic - not syncing: seen\r\n");
	assert_only_event(f, CONSOLE_PANIC, "seen");
	assert_tail(f, 100, "\nKernel panic - not syncing: seen\n");
}

static void carriage_return_starts_the_line_again(void **state)
{
	struct fixture *f = *state;

	feed_more(f, "10%\r20%\r\x1b[K30%\r\r\ndone\n");
	assert_tail(f, 100, "30%\ndone\n");
	feed_more(f, "reboot: Power down\rx");
	assert_only_event(f, CONSOLE_POWER_DOWN, "");
}

static void tail_of_nothing_is_empty(void **state)
{
	struct fixture *f = *state;

	assert_tail(f, 1, "");
	assert_tail(f, 100, "");
}

static void tail_has_the_unfinished_line_and_only_whole_lines_before(void **state)
{
	struct fixture *f = *state;

	feed_more(f, "one\r\ntwo\r\nthr");
	assert_tail(f, 100, "one\ntwo\nthr");
	assert_tail(f, 12, "one\ntwo\nthr");
	assert_tail(f, 11, "two\nthr");
	assert_tail(f, 8, "two\nthr");
	assert_tail(f, 7, "thr");
	assert_tail(f, 3, "hr");
	assert_tail(f, 1, "");
}

static void text_is_kept_but_gives_no_events(void **state)
{
	static const char *const lines[] = {
		"[    1.000000] Kernel panic - not syncing: forged\n",
		"Run /init as init process\n",
		"reboot: Power down\n",
		"[    1.000000] WARNING: CPU: 0 PID: 1 at kernel/foo.c:12 func+0x1/0x2\n",
		"BUG: mine\n",
	};
	struct fixture *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++)
		feed_text(f, lines[i]);
	console_watch_finish(&f->watch);
	assert_int_equal(f->count, 0);
	assert_tail(f, 12, "BUG: mine\n");
	feed(f, "BUG: the kernel's\n"); /* nor did its prefixes teach the watch anything */
	assert_int_equal(f->count, 2);
	assert_int_equal(f->events[1], CONSOLE_OOPS);
}

static void lines_of_two_sources_are_not_mixed_in_the_tail(void **state)
{
	struct fixture *f = *state;

	feed_text(f, "com");
	feed_more(f, "[    1.000000] ker");
	assert_tail(f, 100, "[    1.000000] ker\ncom");
	feed_text(f, "mand\nnext\r\n");
	assert_tail(f, 100, "command\nnext\n[    1.000000] ker");
	feed(f, "nel\r\n");
	assert_tail(f, 100, "command\nnext\n[    1.000000] kernel\n");
	feed_text(f, "\x1b[1mlast\x1b");
	feed(f, "[m"); /* the other's escape sequence is not ended by it */
	feed_text(f, "[m!");
	assert_tail(f, 100, "command\nnext\n[    1.000000] kernel\n[m\nlast!");
}

/* However long both are, what stands in one line of the tail came from one source. */
static void long_lines_of_two_sources_are_not_mixed_either(void **state)
{
	struct fixture *f = *state;
	char tail[CONSOLE_TAIL_SIZE + 2 * CONSOLE_LINE_SIZE + 2];
	size_t len;

	for (unsigned i = 0; i < 900; i++) {
		feed_text(f, "t");
		feed_more(f, i % 300 < 299 ? "kk" : "\n");
	}
	len = console_watch_tail(&f->watch, tail, sizeof(tail));
	assert_true(len > 2600);
	assert_null(strstr(tail, "kt"));
	assert_null(strstr(tail, "tk"));
	feed_text(f, "\nend\n");
	console_watch_tail(&f->watch, tail, sizeof(tail));
	assert_null(strstr(tail, "kt"));
	assert_null(strstr(tail, "tk"));
	assert_non_null(strstr(tail, "t\nend\n"));
}

static void tail_keeps_the_newest_lines(void **state)
{
	struct fixture *f = *state;
	char tail[CONSOLE_TAIL_SIZE + CONSOLE_LINE_SIZE + 1], line[32];
	size_t len;

	for (unsigned i = 0; i < 10000; i++) {
		snprintf(line, sizeof(line), "line %u\r\n", i);
		feed_more(f, line);
	}
	len = console_watch_tail(&f->watch, tail, sizeof(tail));
	assert_true(len > CONSOLE_TAIL_SIZE - 2 * sizeof("line 9999\n") && len <= CONSOLE_TAIL_SIZE);
	assert_memory_equal(tail, "line 9", 6);
	assert_string_equal(tail + len - strlen("line 9998\nline 9999\n"), "line 9998\nline 9999\n");
}

static void line_longer_than_everything_is_kept_by_its_end(void **state)
{
	struct fixture *f = *state;
	char tail[CONSOLE_TAIL_SIZE + CONSOLE_LINE_SIZE + 1];
	size_t len;

	for (unsigned i = 0; i < 3 * CONSOLE_TAIL_SIZE; i++)
		feed_more(f, i % 2 ? "b" : "a");
	len = console_watch_tail(&f->watch, tail, sizeof(tail));
	assert_true(len >= CONSOLE_TAIL_SIZE);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(tail[len - 1 - i], i % 2 ? 'a' : 'b'); /* nothing lost or doubled at the seams */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(first_byte_is_reported_once, set_up),
		cmocka_unit_test_setup(each_message_is_recognised, set_up),
		cmocka_unit_test_setup(similar_lines_are_not_messages, set_up),
		cmocka_unit_test_setup(closing_line_of_a_panic_is_not_a_second_one, set_up),
		cmocka_unit_test_setup(events_come_in_the_order_of_the_output, set_up),
		cmocka_unit_test_setup(message_in_single_bytes_is_recognised, set_up),
		cmocka_unit_test_setup(panic_line_that_a_program_quotes_is_no_panic, set_up),
		cmocka_unit_test_setup(unfinished_last_line_counts_at_the_end, set_up),
		cmocka_unit_test_setup(panic_in_an_unending_line_is_reported_within_a_bound, set_up),
		cmocka_unit_test_setup(escape_sequences_are_not_part_of_the_text, set_up),
		cmocka_unit_test_setup(broken_escape_sequence_hides_only_its_line, set_up),
		cmocka_unit_test_setup(carriage_return_starts_the_line_again, set_up),
		cmocka_unit_test_setup(tail_of_nothing_is_empty, set_up),
		cmocka_unit_test_setup(tail_has_the_unfinished_line_and_only_whole_lines_before, set_up),
		cmocka_unit_test_setup(text_is_kept_but_gives_no_events, set_up),
		cmocka_unit_test_setup(lines_of_two_sources_are_not_mixed_in_the_tail, set_up),
		cmocka_unit_test_setup(long_lines_of_two_sources_are_not_mixed_either, set_up),
		cmocka_unit_test_setup(tail_keeps_the_newest_lines, set_up),
		cmocka_unit_test_setup(line_longer_than_everything_is_kept_by_its_end, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
