/* SPDX-License-Identifier: Apache-2.0 */
/* The console: output to every kind of target, input from every kind of source. */
#include "kvm_test.h"

#include <stdlib.h>
#include <string.h>

#define ECHO_DATA "some keys, and the last of them: Q"

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
		IN_SCRATCH(missing_descriptors_are_not_mistaken_for_others),
		IN_SCRATCH(console_goes_to_a_file),
		IN_SCRATCH(console_goes_nowhere),
	};
	int missing = run_require_kvm("test_console");

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
