/* SPDX-License-Identifier: Apache-2.0 */
/* --events: every line is one JSON object, in the order of what happened, with the promised fields. */
#include "kvm_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/json_check.h"

#define MAX_EVENTS 16

struct events {
	char *lines[MAX_EVENTS];
	size_t count;
};

/* Cuts @text into its lines, each of them checked. */
static void read_events(struct events *events, char *text)
{
	double last = 0;

	events->count = 0;
	for (char *end; *text; text = end + 1) {
		char time[32];

		end = strchr(text, '\n');
		assert_non_null(end);
		assert_true(events->count < MAX_EVENTS);
		*end = 0;
		if (!json_check_object(text, (size_t)(end - text)))
			print_error("not a JSON object: %s\n", text);
		assert_true(json_check_object(text, (size_t)(end - text)));
		assert_true(json_check_find(text, "t", time, sizeof(time)));
		assert_true(atof(time) >= 0);
		/* guest-panic and the like are told when they are seen; the rest when it happened. */
		assert_true(atof(time) + 0.5 >= last);
		last = atof(time);
		events->lines[events->count++] = text;
	}
}

static const char *name_of(const struct events *events, size_t i)
{
	static char name[64];

	assert_true(i < events->count);
	assert_true(json_check_find(events->lines[i], "event", name, sizeof(name)));
	return name;
}

static void expect_field(const struct events *events, size_t i, const char *key, const char *expected)
{
	char value[4096] = "";

	assert_true(i < events->count);
	assert_true(json_check_find(events->lines[i], key, value, sizeof(value)));
	assert_string_equal(value, expected);
}

static void run_with_events(struct run_result *r, struct events *events, const char *append)
{
	struct run_request request = {
		.words = {"run", run_guest("guest-pvh"), "-m", "16M", "-c", "2", "-a", append, "--events", "fd:9"},
		.events = true,
	};

	run_one(&request, r);
	read_events(events, r->events.bytes);
}

static void whole_life_is_told_in_order(void **state)
{
	struct run_result r;
	struct events e;

	(void)state;
	run_with_events(&r, &e, "test=hello");
	run_expect_status(&r, 0);
	assert_int_equal(e.count, 4);
	assert_string_equal(name_of(&e, 0), "started");
	expect_field(&e, 0, "kernel", run_guest("guest-pvh"));
	expect_field(&e, 0, "mem", "16777216");
	expect_field(&e, 0, "cpus", "2");
	assert_string_equal(name_of(&e, 1), "first-instruction");
	assert_string_equal(name_of(&e, 2), "console-up");
	assert_string_equal(name_of(&e, 3), "exit");
	expect_field(&e, 3, "cause", "status");
	expect_field(&e, 3, "code", "0");
	expect_field(&e, 3, "events-dropped", "0");
	expect_field(&e, 3, "stats.console-bytes", "6");
	run_free(&r);
}

static void causes_are_told_apart(void **state)
{
	static const struct {
		const char *append, *cause, *code;
	} cases[] = {
		{"test=exit8 value=9", "status", "9"},	    {"test=power-off", "power-off", "0"},
		{"test=say-halted", "halted", "0"},	    {"test=triple-fault", "triple-fault", "254"},
		{"test=reset-i8042", "reset", "254"},	    {"test=pvpanic", "guest-panic", "255"},
		{"test=panic-reset", "guest-panic", "255"},
	};

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		struct run_result r;
		struct events e;

		run_with_events(&r, &e, cases[i].append);
		assert_true(e.count >= 3);
		assert_string_equal(name_of(&e, e.count - 1), "exit");
		expect_field(&e, e.count - 1, "cause", cases[i].cause);
		expect_field(&e, e.count - 1, "code", cases[i].code);
		assert_int_equal(r.status, atoi(cases[i].code));
		run_free(&r);
	}
}

static void panic_and_reset_have_their_own_events(void **state)
{
	struct run_result r;
	struct events e;

	(void)state;
	run_with_events(&r, &e, "test=panic-reset");
	assert_string_equal(name_of(&e, e.count - 2), "guest-panic");
	expect_field(&e, e.count - 2, "reason", "no such luck");
	expect_field(&e, e.count - 1, "detail", "no such luck");
	run_free(&r);
	run_with_events(&r, &e, "test=reset-acpi");
	assert_string_equal(name_of(&e, e.count - 2), "reset");
	run_free(&r);
}

static void words_of_the_user_cannot_break_a_line(void **state)
{
	struct run_request request = {
		.words = {"run", "odd\"name\\\n\001", "-a", "test=hello", "--events", "fd:9"},
		.events = true,
	};
	struct run_result r;
	struct events e;
	char *image;
	size_t len = 0;
	FILE *from = fopen(run_guest("guest-pvh"), "rb");

	(void)state;
	assert_non_null(from);
	image = malloc(1 << 20);
	assert_non_null(image);
	len = fread(image, 1, 1 << 20, from);
	fclose(from);
	run_write_file("odd\"name\\\n\001", image, len);
	free(image);
	run_one(&request, &r);
	run_expect_status(&r, 0);
	read_events(&e, r.events.bytes);
	expect_field(&e, 0, "kernel", "odd\\\"name\\\\\\n\\u0001");
	run_free(&r);
}

static void events_go_to_a_file(void **state)
{
	struct run_request request = {.words = {GUEST("hello"), "--events", "log"}, .creates = 1};
	struct run_result r;
	struct events e;
	char *log;

	(void)state;
	run_one(&request, &r);
	run_expect_status(&r, 0);
	log = run_read_file("log", NULL);
	read_events(&e, log);
	assert_string_equal(name_of(&e, e.count - 1), "exit");
	free(log);
	run_free(&r);
}

static void stopped_guest_has_an_exit_event(void **state)
{
	struct run_request request = {
		.words = {GUEST("hang"), "--timeout", "300ms", "--events", "fd:9"},
		.events = true,
	};
	struct run_result r;
	struct events e;

	(void)state;
	run_one(&request, &r);
	run_expect_status(&r, 124);
	read_events(&e, r.events.bytes);
	expect_field(&e, e.count - 1, "cause", "timeout");
	expect_field(&e, e.count - 1, "code", "124");
	run_free(&r);
}

static void the_checker_itself_refuses_broken_json(void **state)
{
	static const char *const good[] = {"{}", "{\"a\":1}", "{\"a\":[1,-2.5e3,{\"b\":null}],\"c\":\"\\u00e4\\n\"}"};
	static const char *const bad[] = {"",		"[]",	      "{",
					  "{\"a\"}",	"{\"a\":}",   "{\"a\":01}",
					  "{a:1}",	"{\"a\":1,}", "{\"a\":\"\n\"}",
					  "{\"a\":1}x", "{\"a\":[1}", "{\"a\":\"\\x\"}"};
	char value[8];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_true(json_check_object(good[i], strlen(good[i])));
	for (size_t i = 0; i < 12; i++)
		assert_false(json_check_object(bad[i], strlen(bad[i])));
	assert_true(json_check_find("{\"a\":{\"x\":1},\"b\":{\"x\":2}}", "b.x", value, sizeof(value)));
	assert_string_equal(value, "2");
	assert_false(json_check_find("{\"a\":{\"x\":1}}", "x", value, sizeof(value)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_checker_itself_refuses_broken_json),
		IN_SCRATCH(whole_life_is_told_in_order),
		IN_SCRATCH(causes_are_told_apart),
		IN_SCRATCH(panic_and_reset_have_their_own_events),
		IN_SCRATCH(words_of_the_user_cannot_break_a_line),
		IN_SCRATCH(events_go_to_a_file),
		IN_SCRATCH(stopped_guest_has_an_exit_event),
	};
	int missing = run_require_kvm("test_events");

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
