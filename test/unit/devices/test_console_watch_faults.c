/* SPDX-License-Identifier: Apache-2.0 */
/* Which lines of the console count as the kernel's complaints: where they stand decides, and what was seen before. */
#include "unit/devices/watch_recorder.h"

#include "base/compiler.h"

#define STAMP	     "[   12.345678] "
#define CALLER_STAMP "[   12.345678][    T1] "
#define WARNING	     "WARNING: CPU: 0 PID: 1 at kernel/foo.c:12 func+0x1d/0x20"
#define OOPS	     "Oops: 0000 [#1] PREEMPT SMP"

static void line_is_told_without_its_prefix(void **state)
{
	struct fixture *f = *state;

	feed_more(f, STAMP WARNING "\r\n");
	assert_only_event(f, CONSOLE_WARN, WARNING);
	feed(f, CALLER_STAMP "watchdog: BUG: soft lockup - CPU#0 stuck for 23s! [swapper/0:1]\r\n");
	assert_int_equal(f->count, 2);
	assert_int_equal(f->events[1], CONSOLE_OOPS);
	assert_string_equal(f->texts[1], "watchdog: BUG: soft lockup - CPU#0 stuck for 23s! [swapper/0:1]");
}

static void every_line_of_a_crash_is_told(void **state)
{
	struct fixture *f = *state;

	feed_more(f, STAMP "BUG: kernel NULL pointer dereference, address: 0000000000000008\r\n");
	feed(f, STAMP "#PF: supervisor read access in kernel mode\r\n");
	feed(f, STAMP OOPS "\r\n" STAMP "Kernel panic - not syncing: Fatal exception\r\n");
	feed(f, STAMP "---[ end Kernel panic - not syncing: Fatal exception ]---\r\n");
	assert_int_equal(f->count, 3);
	assert_int_equal(f->events[0], CONSOLE_OOPS);
	assert_int_equal(f->events[1], CONSOLE_OOPS);
	assert_string_equal(f->texts[1], OOPS);
	assert_int_equal(f->events[2], CONSOLE_PANIC);
}

/* A kernel that prints the time prints it always. */
static void programs_own_words_do_not_count_where_the_kernel_prints_times(void **state)
{
	static const char *const lines[] = {
		"WARNING: deprecated\n",       WARNING "\n",
		"BUG: in my test\n",	       OOPS "\n",
		"test 5: " WARNING "\n",       "test 6: [12.345678] " WARNING "\n",
		STAMP "test: " WARNING "\n",   STAMP " " WARNING "\n",
		"[   12.345678]" WARNING "\n", STAMP "Kernel log says " STAMP "that BUG: x\n",
	};
	struct fixture *f = *state;

	feed_more(f, "[    0.000000] Linux version 6.1.0\r\n");
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		feed(f, lines[i]);
	console_watch_finish(&f->watch);
	assert_int_equal(f->count, 0);
}

static void kernel_without_times_is_heard_at_the_lines_beginning(void **state)
{
	struct fixture *f = *state;

	feed_more(f, "Linux version 6.1.0\r\ntest 5: " WARNING "\r\n");
	assert_int_equal(f->count, 0);
	feed(f, WARNING "\r\n");
	assert_only_event(f, CONSOLE_WARN, WARNING);
	feed(f, "[ BUG: Invalid wait context ]\r\n");
	assert_int_equal(f->count, 2);
	feed(f, "[    T1] " OOPS "\r\n"); /* with callers, which are a prefix too */
	assert_int_equal(f->count, 3);
	assert_string_equal(f->texts[2], OOPS);
	feed(f, OOPS "\r\n");
	assert_int_equal(f->count, 3);
}

/* Only at a line's beginning a prefix shows that this kernel prints it. */
static void quoted_prefix_does_not_silence_a_kernel_without_times(void **state)
{
	struct fixture *f = *state;

	feed_more(f, "old.log:" STAMP "Linux version 6.1.0\n" WARNING "\n");
	assert_only_event(f, CONSOLE_WARN, WARNING);
}

static void message_behind_an_unfinished_line_counts(void **state)
{
	struct fixture *f = *state;

	feed_more(f, "[    0.000000] Linux version 6.1.0\r\n");
	feed(f, "~ # " STAMP WARNING "\r\n");
	assert_only_event(f, CONSOLE_WARN, WARNING);
	feed(f, "[1/3] building ... " CALLER_STAMP OOPS "\r\n");
	assert_int_equal(f->count, 2);
	assert_string_equal(f->texts[1], OOPS);
	feed(f, STAMP "systemd[1]: x" STAMP WARNING "\r\n"); /* two prefixes */
	assert_int_equal(f->count, 3);
	assert_string_equal(f->texts[2], WARNING);
}

static void progress_bar_and_colours_do_not_hide_a_message(void **state)
{
	struct fixture *f = *state;

	feed_more(f, "[    0.000000] Linux version\r\n10%\r20%\r" STAMP "\x1b[31m" WARNING "\x1b[m\r30%\n");
	assert_only_event(f, CONSOLE_WARN, WARNING);
}

static void message_in_single_bytes_counts(void **state)
{
	static const char text[] = CALLER_STAMP WARNING "\r\n";
	struct fixture *f = *state;

	f->watch.started = true;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		console_watch_feed(&f->watch, (const uint8_t *)text + i, 1);
	assert_only_event(f, CONSOLE_WARN, WARNING);
}

static void unfinished_last_line_counts_at_the_end(void **state)
{
	struct fixture *f = *state;

	feed_more(f, STAMP OOPS);
	assert_int_equal(f->count, 0);
	console_watch_finish(&f->watch);
	assert_only_event(f, CONSOLE_OOPS, OOPS);
}

/* Also where the phrase that makes it one comes late in the line. */
static void message_in_an_unending_line_is_reported_within_a_bound(void **state)
{
	char path[200];

	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	for (unsigned before = 0; before < 3 * CONSOLE_LINE_SIZE; before += 7) {
		set_up(state);
		struct fixture *f = *state;

		feed_more(f, "[    0.000000] Linux version\r\n");
		for (unsigned i = 0; i < before; i++)
			feed(f, ".");
		feed(f, STAMP "WARNING: kernel/");
		feed(f, path);
		feed(f, ".c:12 at func+0x1/0x2, CPU#0: init/1");
		for (unsigned i = 0; i < 2 * CONSOLE_LINE_SIZE; i++)
			feed(f, "x");
		assert_int_equal(f->count, 1);
		assert_int_equal(f->events[0], CONSOLE_WARN);
		assert_memory_equal(f->texts[0], "WARNING: kernel/ppp", 19);
		assert_non_null(strstr(f->texts[0], ", CPU#0: init/1xxx"));
		feed(f, "\n" STAMP OOPS "\n"); /* the next line is looked at again */
		assert_int_equal(f->count, 2);
	}
}

/* What a long line's later parts begin with is not the line's beginning. */
static void no_part_of_an_unending_line_is_its_beginning(void **state)
{
	for (unsigned before = 1; before < 2 * CONSOLE_LINE_SIZE; before++) {
		set_up(state);
		struct fixture *f = *state;

		f->watch.started = true;
		for (unsigned i = 0; i < before; i++)
			feed(f, ".");
		feed(f, OOPS);
		for (unsigned i = 0; i < 2 * CONSOLE_LINE_SIZE; i++)
			feed(f, ".");
		feed(f, "\n");
		assert_int_equal(f->count, 0);
	}
}

static void prefix_within_an_unending_line_does_not_silence_either(void **state)
{
	for (unsigned before = 1; before < 2 * CONSOLE_LINE_SIZE; before++) {
		set_up(state);
		struct fixture *f = *state;

		f->watch.started = true;
		for (unsigned i = 0; i < before; i++)
			feed(f, ".");
		feed(f, STAMP "quoted");
		for (unsigned i = 0; i < 2 * CONSOLE_LINE_SIZE; i++)
			feed(f, ".");
		feed(f, "\n" WARNING "\n");
		assert_only_event(f, CONSOLE_WARN, WARNING);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(line_is_told_without_its_prefix, set_up),
		cmocka_unit_test_setup(every_line_of_a_crash_is_told, set_up),
		cmocka_unit_test_setup(programs_own_words_do_not_count_where_the_kernel_prints_times, set_up),
		cmocka_unit_test_setup(kernel_without_times_is_heard_at_the_lines_beginning, set_up),
		cmocka_unit_test_setup(quoted_prefix_does_not_silence_a_kernel_without_times, set_up),
		cmocka_unit_test_setup(message_behind_an_unfinished_line_counts, set_up),
		cmocka_unit_test_setup(progress_bar_and_colours_do_not_hide_a_message, set_up),
		cmocka_unit_test_setup(message_in_single_bytes_counts, set_up),
		cmocka_unit_test_setup(unfinished_last_line_counts_at_the_end, set_up),
		cmocka_unit_test_setup(message_in_an_unending_line_is_reported_within_a_bound, set_up),
		cmocka_unit_test_setup(no_part_of_an_unending_line_is_its_beginning, set_up),
		cmocka_unit_test_setup(prefix_within_an_unending_line_does_not_silence_either, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
