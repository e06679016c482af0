/* SPDX-License-Identifier: Apache-2.0 */
/* What the command finds: its arguments, environment, folder, streams, devices and file systems. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "guest_run.h"

#define NO_INPUT COMMAND_FLAG_NO_INPUT

static void assert_output(const struct guest_request *request, const char *expected)
{
	struct guest_result result;

	guest_run(request, &result);
	guest_assert_exited(&result, 0);
	assert_string_equal(result.frames.output, expected);
	guest_fini(&result);
}

static void arguments_arrive_intact(void **state)
{
	(void)state;
	assert_output(&(struct guest_request){.arguments = {"sh", "-c", "for a; do printf '[%s]' \"$a\"; done", "name",
							    "two words", "", "'single' \"double\"", "line\nbreak",
							    "gr\xc3\xbc\xc3\x9f \xff\x01", "$HOME *", "\\"},
					      .flags = NO_INPUT},
		      "[two words][]['single' \"double\"][line\nbreak][gr\xc3\xbc\xc3\x9f \xff\x01][$HOME *][\\]");
}

static void given_environment_wins_over_defaults(void **state)
{
	static const char script[] = "echo \"$PATH|$HOME|$USER|$LOGNAME|$SHELL|$TERM|$A|$B\"; env | busybox wc -l";

	(void)state;
	assert_output(&(struct guest_request){.arguments = {"sh", "-c", script},
					      .variables = {"A=some thing", "HOME=/elsewhere", "B=", "TERMINAL=x"},
					      .flags = NO_INPUT,
					      .folder = "/"},
		      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin|/elsewhere|root|root|/bin/sh|dumb|"
		      "some thing|\n11\n");
}

static void make_folder(void)
{
	mkdir("some folder", 0755);
}

static void working_folder_is_the_wanted_one(void **state)
{
	(void)state;
	assert_output(&(struct guest_request){.arguments = {"busybox", "pwd"}, .flags = NO_INPUT}, "/\n");
	assert_output(&(struct guest_request){.arguments = {"busybox", "pwd"},
					      .folder = "/some folder",
					      .prepare = make_folder,
					      .flags = NO_INPUT},
		      "/some folder\n");
}

static void input_is_empty_when_there_is_none(void **state)
{
	(void)state;
	assert_output(&(struct guest_request){.arguments = {"busybox", "cat"}, .flags = NO_INPUT}, "");
}

static void console_input_arrives_unchanged(void **state)
{
	(void)state;
	assert_output(&(struct guest_request){.arguments = {"busybox", "cat"},
					      .input = "a line\r\n\x03\x7f\x15\x1a\x11 "
						       "\xff\n\x16\x04\x16\x16 no newline\x04\x04"},
		      "a line\r\n\x03\x7f\x15\x1a\x11 \xff\n\x04\x16 no newline");
}

static void command_is_alone(void **state)
{
	static const char script[] =
		/* Its own session, no controlling terminal, no descriptors but three, default signals. */
		"read -r a b c d pgrp session tty rest </proc/self/stat; [ $session = $$ ] && [ $tty = 0 ] && echo "
		"session;"
		"busybox ls /proc/self/fd;"
		"busybox grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status;"
		"[ -e /.vmm ] || echo removed";

	(void)state;
	/* ls has a fourth descriptor, of the folder. */
	assert_output(
		&(struct guest_request){.arguments = {"busybox", "sh", "-c", script}, .flags = NO_INPUT},
		"session\n0\n1\n2\n3\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n"
		"removed\n");
}

static void file_systems_are_there(void **state)
{
	static const char script[] =
		"busybox mount -t tmpfs | busybox grep -o '/tmp type tmpfs'; [ -k /tmp ] && echo sticky;"
		"[ -d /dev/shm ] && for i in fd stdin stdout stderr; do busybox readlink /dev/$i; done;"
		"busybox ip link show lo | busybox grep -o LOWER_UP";

	(void)state;
	assert_output(&(struct guest_request){.arguments = {"sh", "-c", script}, .flags = NO_INPUT},
		      "/tmp type tmpfs\nsticky\n/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\n"
		      "LOWER_UP\n");
}

static void put_into_tmp(void)
{
	mkdir("tmp", 0755);
	guest_put("tmp/packed", "content\n", 0644);
}

/* Too long for a small buffer of getdents, which then returns what fits. */
#define LONG_NAME                                                                                                      \
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"         \
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"

static void put_long_name_into_tmp(void)
{
	mkdir("tmp", 0755);
	guest_put("tmp/" LONG_NAME, "content\n", 0644);
}

static void packed_tmp_stays_visible(void **state)
{
	(void)state;
	assert_output(&(struct guest_request){.arguments = {"busybox", "cat", "/tmp/" LONG_NAME},
					      .prepare = put_long_name_into_tmp,
					      .flags = NO_INPUT},
		      "content\n");
	assert_output(&(struct guest_request){.arguments = {"busybox", "cat", "/tmp/packed"},
					      .prepare = put_into_tmp,
					      .flags = NO_INPUT},
		      "content\n");
}

static void terminal_is_the_commands_own(void **state)
{
	static const char script[] =
		"echo controlled >/dev/tty; echo size $(busybox stty size); [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo "
		"terminal;"
		"echo echoes $(busybox stty -a | busybox grep -c ' echo '); echo $TERM; read x; echo \"<$x>\"";
	const struct guest_request request = {
		.arguments = {"sh", "-c", script},
		.flags = COMMAND_FLAG_TTY,
		.rows = 33,
		.columns = 101,
		.input = "typed\r",
	};
	struct guest_result result;

	(void)state;
	guest_run(&request, &result);
	guest_assert_exited(&result, 0);
	assert_int_equal(result.frames.output_len, 0);
	/* What was typed is echoed somewhere between the lines. */
	assert_non_null(strstr(result.console, "controlled\r\n"));
	assert_non_null(strstr(result.console, "size 33 101\r\n"));
	assert_non_null(strstr(result.console, "terminal\r\n"));
	assert_non_null(strstr(result.console, "echoes 1\r\n"));
	assert_non_null(strstr(result.console, "vt100\r\n"));
	assert_non_null(strstr(result.console, "<typed>\r\n"));
	guest_fini(&result);
}

static void interrupt_key_ends_the_command_and_not_init(void **state)
{
	const struct guest_request request = {
		.arguments = {"busybox", "sleep", "1000"},
		.flags = COMMAND_FLAG_TTY,
		.input = "\x1a\x03", /* suspending has nobody who would resume */
	};
	struct guest_result result;

	(void)state;
	guest_run(&request, &result);
	assert_int_equal(result.frames.exit.end, COMMAND_KILLED);
	assert_int_equal(result.frames.exit.value, 2);
	guest_fini(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_arrive_intact),
		cmocka_unit_test(given_environment_wins_over_defaults),
		cmocka_unit_test(working_folder_is_the_wanted_one),
		cmocka_unit_test(input_is_empty_when_there_is_none),
		cmocka_unit_test(console_input_arrives_unchanged),
		cmocka_unit_test(command_is_alone),
		cmocka_unit_test(file_systems_are_there),
		cmocka_unit_test(packed_tmp_stays_visible),
		cmocka_unit_test(terminal_is_the_commands_own),
		cmocka_unit_test(interrupt_key_ends_the_command_and_not_init),
	};
	int missing = guest_missing();

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
