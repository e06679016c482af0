/* SPDX-License-Identifier: Apache-2.0 */
#include "support/ring_pipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "events.h"

#define START_NS 1000000000ULL

struct fixture {
	struct ring_pipe rp;
	struct events events;
	char path[64];
};

static int set_up(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;
	int fd;

	*state = f;
	strcpy(f->path, "/tmp/test_events.XXXXXX");
	fd = mkstemp(f->path);
	if (fd < 0 || ring_pipe_init(&f->rp, false))
		return -1;
	close(fd);
	memset(&f->events, 0, sizeof(f->events));
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	uring_cancel(f->rp.ring, &f->events.out.op);
	while (f->events.out.op.in_flight)
		ring_pipe_step(&f->rp);
	events_fini(&f->events);
	ring_pipe_fini(&f->rp);
	unlink(f->path);
	return 0;
}

static void open_events(struct fixture *f, const char *target)
{
	struct error err;

	assert_int_equal(events_init(&f->events, target, START_NS, f->rp.ring, f->rp.wake_fd, &err), 0);
}

/* On the pipe, by its number. */
static void open_on_pipe(struct fixture *f)
{
	char target[32];

	snprintf(target, sizeof(target), "fd:%d", f->rp.fds[1]);
	open_events(f, target);
}

static void flush(struct fixture *f)
{
	while (!out_stream_is_idle(&f->events.out)) {
		out_stream_pump(&f->events.out);
		ring_pipe_step(&f->rp);
	}
}

static void send(struct fixture *f, const char *name, uint64_t at_ns, const char *key, const char *text)
{
	struct event event;

	event_begin(&event, &f->events, name, at_ns);
	if (key)
		json_put_string(&event.json, key, text);
	event_end(&event, &f->events);
}

static void every_event_is_one_json_line_with_name_and_time(void **state)
{
	static const char expected[] =
		"{\"event\":\"started\",\"t\":0.000000}\n"
		"{\"event\":\"guest-panic\",\"t\":1.500000,\"reason\":\"a \\\"b\\\"\\nc\"}\n";
	struct fixture *f = *state;

	open_on_pipe(f);
	send(f, "started", START_NS, NULL, NULL);
	send(f, "guest-panic", START_NS + 1500000000, "reason", "a \"b\"\nc");
	ring_pipe_start_reading(&f->rp);
	flush(f);
	while (f->rp.len < sizeof(expected) - 1)
		ring_pipe_step(&f->rp);
	assert_int_equal(f->rp.len, sizeof(expected) - 1);
	assert_memory_equal(f->rp.received, expected, f->rp.len);
	assert_int_equal(f->events.dropped, 0);
}

static void a_file_is_made_anew(void **state)
{
	struct fixture *f = *state;
	char text[128] = {0};
	int fd = open(f->path, O_RDWR | O_CLOEXEC);

	assert_int_equal(write_all(fd, "an older and longer run's events, many of them", 46), 0);
	open_events(f, f->path);
	send(f, "exit", START_NS, NULL, NULL);
	flush(f);
	assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
	assert_string_equal(text, "{\"event\":\"exit\",\"t\":0.000000}\n");
	close(fd);
}

/* A caller's descriptor stays the caller's. */
static void a_borrowed_descriptor_stays_open(void **state)
{
	struct fixture *f = *state;

	open_on_pipe(f);
	events_fini(&f->events);
	assert_true(fcntl(f->rp.fds[1], F_GETFD) >= 0);
	memset(&f->events, 0, sizeof(f->events));
}

static void a_stalled_reader_loses_whole_lines_that_are_counted(void **state)
{
	struct fixture *f = *state;
	char text[1800];
	uint64_t sent = 0, lines = 0;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	open_on_pipe(f);
	while (f->events.dropped < 5) {
		send(f, "noise", START_NS, "text", text);
		sent++;
		out_stream_pump(&f->events.out);
	}
	ring_pipe_start_reading(&f->rp);
	flush(f);
	while (f->rp.read_op.in_flight && f->rp.len < (sent - f->events.dropped) * 1800)
		ring_pipe_step(&f->rp);
	for (size_t i = 0; i < f->rp.len; i++) {
		if (f->rp.received[i] != '\n')
			continue;
		lines++;
		assert_int_equal(f->rp.received[i - 1], '}');
	}
	assert_int_equal(lines, sent - f->events.dropped);
	assert_int_equal(f->rp.received[f->rp.len - 1], '\n');
}

static void an_event_that_is_too_long_is_dropped(void **state)
{
	struct fixture *f = *state;
	char text[4096];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	open_on_pipe(f);
	send(f, "noise", START_NS, "text", text);
	assert_int_equal(f->events.dropped, 1);
	assert_true(out_stream_is_idle(&f->events.out));
}

static void without_a_target_nothing_happens(void **state)
{
	struct fixture *f = *state;

	open_events(f, NULL);
	send(f, "started", START_NS, NULL, NULL);
	assert_true(out_stream_is_idle(&f->events.out));
	assert_int_equal(f->events.dropped, 0);
	assert_int_equal(ring_pipe_wakes(&f->rp), 0);
}

static void bad_targets_are_refused_with_a_remedy(void **state)
{
	static const struct {
		const char *target;
		int code;
		const char *remedy;
	} cases[] = {
		{"fd:", -EBADF, "open it in the caller"},
		{"fd:x", -EBADF, "open it in the caller"},
		{"fd:-1", -EBADF, "open it in the caller"},
		{"fd:1048576", -EBADF, "open it in the caller"},
		{"fd:99999999999", -EBADF, "open it in the caller"},
		{"/nonexistent/e", -ENOENT, "writable path"},
		{"/", -EISDIR, "writable path"},
		{"", -ENOENT, "writable path"},
	};
	struct fixture *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = {0};
		int code = events_check_target(cases[i].target, &err);

		if (!code)
			code = events_init(&f->events, cases[i].target, START_NS, f->rp.ring, f->rp.wake_fd, &err);
		assert_int_equal(code, cases[i].code);
		assert_non_null(strstr(err.text, "--events"));
		assert_non_null(strstr(err.text, cases[i].remedy));
		events_fini(&f->events);
	}
	memset(&f->events, 0, sizeof(f->events));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_event_is_one_json_line_with_name_and_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_is_made_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_borrowed_descriptor_stays_open, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stalled_reader_loses_whole_lines_that_are_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_event_that_is_too_long_is_dropped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_target_nothing_happens, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bad_targets_are_refused_with_a_remedy, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
