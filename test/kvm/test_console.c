/* SPDX-License-Identifier: Apache-2.0 */
/* The console: output to every kind of target, input from every kind of source. */
#include "kvm_test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ECHO_DATA  "some keys, and the last of them: Q"
#define MEBI_LINES "16384" /* of 64 bytes */
#define MANY_LINES "4096"  /* four times what the console's queue holds */

static void output_arrives_without_input(void **state)
{
	static const enum run_input inputs[] = {RUN_INPUT_NULL, RUN_INPUT_CLOSED, RUN_INPUT_PIPE, RUN_INPUT_HELD,
						RUN_INPUT_FILE};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct run_request request = {.words = {GUEST("hello")}, .input = inputs[i]};
		struct run_result r;

		run_one(&request, &r);
		run_expect(&r, 0, "vmm: guest exited with status 0 *");
		assert_string_equal(r.out.bytes, "hello\n");
		run_free(&r);
	}
}

static void output_by_interrupts_arrives(void **state)
{
	struct run_result r;

	(void)state;
	run_words(&r, GUEST("send-irq"), NULL);
	run_expect_status(&r, 0);
	assert_string_equal(r.out.bytes, "sent by interrupts, sixteen bytes at a time, to the very end\n");
	run_free(&r);
}

/* Each input kind that carries data, to a guest that polls and to one that takes interrupts. */
static void input_is_echoed(void **state)
{
	static const enum run_input inputs[] = {RUN_INPUT_PIPE, RUN_INPUT_HELD, RUN_INPUT_FILE};
	static const char *const tests[] = {"test=echo", "test=echo-irq"};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct run_request request = {.words = {"run", run_guest("guest-pvh"), "-a", tests[i % 2]},
					      .input = inputs[i / 2],
					      .data = ECHO_DATA};
		struct run_result r;

		run_one(&request, &r);
		run_expect(&r, 0, "vmm: guest exited with status 0 *");
		assert_string_equal(r.out.bytes, "ready\n" ECHO_DATA "\n");
		run_free(&r);
	}
}

static void long_input_arrives_complete(void **state)
{
	struct run_request request = {.words = {GUEST("echo-irq")}, .input = RUN_INPUT_PIPE};
	char data[4096];
	struct run_result r;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)('a' + i % 23 % 13);
	data[sizeof(data) - 2] = 'Q';
	data[sizeof(data) - 1] = 0;
	request.data = data;
	run_one(&request, &r);
	run_expect_status(&r, 0);
	assert_int_equal(r.out.len, strlen("ready\n") + strlen(data) + 1);
	assert_memory_equal(r.out.bytes + strlen("ready\n"), data, strlen(data));
	run_free(&r);
}

/* Control bytes are data when no terminal is there: no Ctrl-A commands. */
static void pipe_input_is_not_searched_for_commands(void **state)
{
	struct run_request request = {.words = {GUEST("echo")}, .input = RUN_INPUT_PIPE, .data = "\001x\001cQ"};
	struct run_result r;

	(void)state;
	run_one(&request, &r);
	run_expect_status(&r, 0);
	assert_string_equal(r.out.bytes, "ready\n<0x1>x<0x1>cQ\n");
	run_free(&r);
}

static void expect_flood(const char *bytes, size_t len, unsigned lines)
{
	char start[16];

	assert_int_equal(len, (size_t)lines * 64);
	for (unsigned i = 0; i < lines; i++) {
		snprintf(start, sizeof(start), "%08x", i);
		assert_memory_equal(bytes + (size_t)i * 64, start, 8);
		assert_int_equal(bytes[(size_t)i * 64 + 63], '\n');
	}
}

static void a_mebibyte_arrives_complete(void **state)
{
	struct run_result r;

	(void)state;
	run_words(&r, "run", run_guest("guest-pvh"), "-m", "16M", "-a", "test=flood lines=" MEBI_LINES, NULL);
	run_expect_status(&r, 0);
	expect_flood(r.out.bytes, r.out.len, 16384);
	run_free(&r);
}

static void guest_waits_for_a_stalled_reader_and_loses_nothing(void **state)
{
	struct run_request request = {
		.words = {"run", run_guest("guest-pvh"), "-a", "test=flood lines=" MANY_LINES},
		.output = RUN_OUTPUT_STALLED,
		.steps = {{.when_stuck = true, .read_output = true}},
	};
	struct run_result r;

	(void)state;
	run_one(&request, &r);
	run_expect_status(&r, 0);
	expect_flood(r.out.bytes, r.out.len, 4096);
	run_free(&r);
}

static void guest_that_does_not_wait_goes_on_while_nobody_reads(void **state)
{
	struct run_request request = {
		.words = {"run", run_guest("guest-pvh"), "-a", "test=flood-blindly lines=" MANY_LINES},
		.output = RUN_OUTPUT_STALLED,
		.limit_s = 40,
	};
	struct run_result r;

	(void)state;
	run_one(&request, &r);
	run_expect(&r, 5, "vmm: guest exited with status 5 *");
	run_free(&r);
}

static void stalled_vmm_can_be_stopped(void **state)
{
	struct run_request request = {
		.words = {"run", run_guest("guest-pvh"), "-a", "test=flood lines=" MEBI_LINES},
		.output = RUN_OUTPUT_STALLED,
		.steps = {{.when_stuck = true, .signal = SIGTERM}},
		.limit_s = 30,
	};
	struct run_result r;

	(void)state;
	run_one(&request, &r);
	run_expect(&r, 128 + SIGTERM, "vmm: stopped by Terminated after *s (exit 143)");
	run_free(&r);
}

static void reader_that_went_away_does_not_disturb(void **state)
{
	static const enum run_output outputs[] = {RUN_OUTPUT_BROKEN, RUN_OUTPUT_CLOSED};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct run_request request = {
			.words = {"run", run_guest("guest-pvh"), "-a", "test=flood lines=2048"},
			.output = outputs[i],
		};
		struct run_result r;

		run_one(&request, &r);
		run_expect(&r, 0, "vmm: guest exited with status 0 *");
		run_free(&r);
	}
}

/* Descriptors that the caller did not give must not become some other file of ours. */
static void missing_descriptors_are_not_mistaken_for_others(void **state)
{
	struct run_request request = {
		.words = {GUEST("hello"), "--events", "events"},
		.input = RUN_INPUT_CLOSED,
		.output = RUN_OUTPUT_CLOSED,
		.creates = 1,
	};
	struct run_result r;
	char *events;

	(void)state;
	run_one(&request, &r);
	run_expect(&r, 0, "vmm: guest exited with status 0 *");
	assert_int_equal(r.err_lines, 1);
	events = run_read_file("events", NULL);
	assert_null(strstr(events, "hello"));
	assert_non_null(strstr(events, "\"exit\""));
	free(events);
	run_free(&r);
}

static void console_goes_to_a_file(void **state)
{
	struct run_request request = {.words = {GUEST("hello"), "--console", "file=log"}, .creates = 1};
	struct run_result r;
	char *log;

	(void)state;
	run_one(&request, &r);
	run_expect_status(&r, 0);
	assert_int_equal(r.out.len, 0);
	log = run_read_file("log", NULL);
	assert_string_equal(log, "hello\n");
	free(log);
	run_free(&r);
}

static void console_goes_nowhere(void **state)
{
	struct run_result r;

	(void)state;
	run_words(&r, GUEST("hello"), "--console", "null", NULL);
	run_expect_status(&r, 0);
	assert_int_equal(r.out.len, 0);
	run_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(output_arrives_without_input),
		IN_SCRATCH(output_by_interrupts_arrives),
		IN_SCRATCH(input_is_echoed),
		IN_SCRATCH(long_input_arrives_complete),
		IN_SCRATCH(pipe_input_is_not_searched_for_commands),
		IN_SCRATCH(a_mebibyte_arrives_complete),
		IN_SCRATCH(guest_waits_for_a_stalled_reader_and_loses_nothing),
		IN_SCRATCH(guest_that_does_not_wait_goes_on_while_nobody_reads),
		IN_SCRATCH(stalled_vmm_can_be_stopped),
		IN_SCRATCH(reader_that_went_away_does_not_disturb),
		IN_SCRATCH(missing_descriptors_are_not_mistaken_for_others),
		IN_SCRATCH(console_goes_to_a_file),
		IN_SCRATCH(console_goes_nowhere),
	};
	int missing = run_require_kvm("test_console");

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
