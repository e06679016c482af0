/* SPDX-License-Identifier: Apache-2.0 */
/* What the command writes arrives whole, whatever processes it leaves behind, and init survives it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "guest_run.h"

#define NO_INPUT COMMAND_FLAG_NO_INPUT
#define LARGE	 (1u << 20)

static void run(const char *script, struct guest_result *result)
{
	guest_run_script(script, NO_INPUT, result);
}

static void every_byte_arrives(void **state)
{
	static const char script[] =
		"i=0; while [ $i -lt 256 ]; do printf \"\\\\$(printf %03o $i)\"; i=$((i + 1)); done";
	struct guest_result result;

	(void)state;
	run(script, &result);
	guest_assert_exited(&result, 0);
	assert_int_equal(result.frames.output_len, 256);
	for (unsigned i = 0; i < 256; i++)
		assert_int_equal(result.frames.output[i], i);
	guest_fini(&result);
}

static void large_output_arrives(void **state)
{
	struct guest_result result;

	(void)state;
	run("busybox yes 0123456789abcde | busybox head -c 1048576", &result);
	guest_assert_exited(&result, 0);
	assert_int_equal(result.frames.output_len, LARGE);
	for (size_t i = 0; i < LARGE; i += 16)
		assert_memory_equal(result.frames.output + i, "0123456789abcde\n", 16);
	guest_fini(&result);
}

static void output_and_errors_are_one_stream_in_order(void **state)
{
	struct guest_result result;

	(void)state;
	run("echo 1; echo 2 >&2; echo 3; echo 4 >&2; exit 5", &result);
	guest_assert_exited(&result, 5);
	assert_string_equal(result.frames.output, "1\n2\n3\n4\n");
	guest_fini(&result);
}

static void command_may_close_its_output(void **state)
{
	struct guest_result result;

	(void)state;
	run("echo before; exec >/dev/null 2>&1; busybox sleep 0.2; exit 9", &result);
	guest_assert_exited(&result, 9);
	assert_string_equal(result.frames.output, "before\n");
	guest_fini(&result);
}

static void init_survives_a_kill_of_everything(void **state)
{
	struct guest_result result;

	(void)state;
	/* kill(2) spares its caller; the children of the shell are gone then. */
	run("busybox sleep 1000 & kill -9 -1; kill -9 1; kill -TERM 1; kill -STOP 1; echo alive; exit 6", &result);
	guest_assert_exited(&result, 6);
	assert_string_equal(result.frames.output, "alive\n");
	guest_fini(&result);
}

static void stopped_command_has_not_ended(void **state)
{
	struct guest_result result;

	(void)state;
	/* An orphan's end makes init look while the command is stopped. */
	run("(busybox usleep 50000 &); (while busybox usleep 200000; do kill -CONT $$; done &); kill -STOP $$; exit 5",
	    &result);
	guest_assert_exited(&result, 5);
	guest_fini(&result);
}

static void five_hundred_orphans_are_reaped(void **state)
{
	/* Returns when there is no zombie any more. */
	static const char script[] =
		"i=0; while [ $i -lt 500 ]; do (busybox true &); i=$((i + 1)); done; n=1;"
		"while [ $n -gt 0 ]; do busybox usleep 10000; n=0; for p in /proc/[0-9]*; do"
		" read -r x <$p/stat && case $x in *' Z '*) n=$((n + 1));; esac; done; done 2>/dev/null; echo reaped";
	struct guest_result result;

	(void)state;
	run(script, &result);
	guest_assert_exited(&result, 0);
	assert_string_equal(result.frames.output, "reaped\n");
	guest_fini(&result);
}

static void background_processes_end_with_the_command(void **state)
{
	struct guest_result result;

	(void)state;
	/* They hold the pipe, and one of them does not stop writing. */
	run("busybox sleep 1000 & busybox yes >/dev/null & (trap '' TERM HUP INT; busybox sleep 1000) & echo done; "
	    "exit 4",
	    &result);
	guest_assert_exited(&result, 4);
	assert_string_equal(result.frames.output, "done\n");
	guest_fini(&result);
}

static void end_is_seen_behind_a_writer_that_never_stops(void **state)
{
	struct guest_result result;

	(void)state;
	run("busybox yes & busybox usleep 20000; exit 8", &result);
	guest_assert_exited(&result, 8);
	assert_true(result.frames.output_len > 0);
	guest_fini(&result);
}

static void last_words_of_killed_processes_arrive(void **state)
{
	struct guest_result result;

	(void)state;
	run("(echo from the background; : >/tmp/said; busybox sleep 1000) & until [ -e /tmp/said ]; do busybox usleep "
	    "1000;"
	    "done",
	    &result);
	guest_assert_exited(&result, 0);
	assert_string_equal(result.frames.output, "from the background\n");
	guest_fini(&result);
}

static void console_is_not_the_commands_output(void **state)
{
	struct guest_result result;

	(void)state;
	run("echo to the console >/dev/console; echo output", &result);
	guest_assert_exited(&result, 0);
	assert_string_equal(result.frames.output, "output\n");
	assert_non_null(strstr(result.console, "to the console"));
	guest_fini(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_arrives),
		cmocka_unit_test(large_output_arrives),
		cmocka_unit_test(output_and_errors_are_one_stream_in_order),
		cmocka_unit_test(command_may_close_its_output),
		cmocka_unit_test(init_survives_a_kill_of_everything),
		cmocka_unit_test(stopped_command_has_not_ended),
		cmocka_unit_test(five_hundred_orphans_are_reaped),
		cmocka_unit_test(background_processes_end_with_the_command),
		cmocka_unit_test(end_is_seen_behind_a_writer_that_never_stops),
		cmocka_unit_test(last_words_of_killed_processes_arrive),
		cmocka_unit_test(console_is_not_the_commands_output),
	};
	int missing = guest_missing();

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
