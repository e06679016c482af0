/* SPDX-License-Identifier: Apache-2.0 */
/* Every test runs on both engines. Where io_uring is not permitted the first run is a second one of the poll engine. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/uring.h"

#define NS_PER_MS 1000000ULL
#define FAR_NS	  (3600 * 1000 * NS_PER_MS)

struct counted_op {
	struct uring_op op;
	unsigned done;
	int result;
	unsigned *sequence; /* shared counter: who came when */
	unsigned place;
};

struct fixture {
	struct uring *ring;
	int pipe[2];
	char buf[64];
	struct counted_op a, b;
};

static void note(struct uring_op *op, int result)
{
	struct counted_op *c = container_of(op, struct counted_op, op);

	c->done++;
	c->result = result;
	if (c->sequence)
		c->place = ++*c->sequence;
}

static int set_up(void **state, bool force_poll)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;

	*f = (struct fixture){.a.op.done = note, .b.op.done = note};
	*state = f;
	return pipe2(f->pipe, O_CLOEXEC) || uring_create(&f->ring, force_poll);
}

static int set_up_io_uring(void **state)
{
	return set_up(state, false);
}

static int set_up_poll(void **state)
{
	return set_up(state, true);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	uring_destroy(f->ring);
	close_fd(&f->pipe[0]);
	close_fd(&f->pipe[1]);
	return 0;
}

static void run_until_done(struct fixture *f, struct counted_op *c)
{
	unsigned before = c->done;

	while (c->done == before)
		assert_int_equal(uring_run_once(f->ring), 0);
}

static void cancel_and_wait(struct fixture *f, struct counted_op *c)
{
	uring_cancel(f->ring, &c->op);
	run_until_done(f, c);
	assert_int_equal(c->result, -ECANCELED);
}

static void start_read(struct fixture *f, struct counted_op *c)
{
	assert_int_equal(uring_read(f->ring, &c->op, f->pipe[0], f->buf, sizeof(f->buf)), 0);
	assert_true(c->op.in_flight);
}

static void a_read_gives_what_is_there(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(write(f->pipe[1], "hello", 5), 5);
	start_read(f, &f->a);
	run_until_done(f, &f->a);
	assert_int_equal(f->a.result, 5);
	assert_memory_equal(f->buf, "hello", 5);
	assert_false(f->a.op.in_flight);
}

static void a_read_waits_for_data(void **state)
{
	struct fixture *f = *state;

	start_read(f, &f->a);
	assert_int_equal(uring_timer(f->ring, &f->b.op, monotonic_ns() + 5 * NS_PER_MS), 0);
	run_until_done(f, &f->b);
	assert_int_equal(f->a.done, 0);
	assert_int_equal(write(f->pipe[1], "x", 1), 1);
	run_until_done(f, &f->a);
	assert_int_equal(f->a.result, 1);
}

/* stdin and stdout may have been made non-blocking by whoever shares them: that must neither fail nor spin. */
static void a_read_of_a_non_blocking_descriptor_waits_too(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fcntl(f->pipe[0], F_SETFL, O_NONBLOCK), 0);
	a_read_waits_for_data(state);
	f->a.done = f->b.done = 0;
	a_read_waits_for_data(state);
	start_read(f, &f->a);
	assert_int_equal(uring_timer(f->ring, &f->b.op, monotonic_ns() + 5 * NS_PER_MS), 0);
	run_until_done(f, &f->b);
	cancel_and_wait(f, &f->a);
}

static void a_write_to_a_full_non_blocking_pipe_waits_for_the_reader(void **state)
{
	struct fixture *f = *state;
	char page[4096] = {0};

	assert_int_equal(fcntl(f->pipe[1], F_SETFL, O_NONBLOCK), 0);
	while (write(f->pipe[1], page, sizeof(page)) > 0)
		continue;
	assert_int_equal(uring_write(f->ring, &f->a.op, f->pipe[1], "tail", 4), 0);
	assert_int_equal(uring_timer(f->ring, &f->b.op, monotonic_ns() + 5 * NS_PER_MS), 0);
	run_until_done(f, &f->b);
	assert_int_equal(f->a.done, 0);
	assert_int_equal(read(f->pipe[0], page, sizeof(page)), sizeof(page));
	run_until_done(f, &f->a);
	assert_int_equal(f->a.result, 4);
}

static void a_read_at_end_of_file_gives_zero(void **state)
{
	struct fixture *f = *state;

	close_fd(&f->pipe[1]);
	start_read(f, &f->a);
	run_until_done(f, &f->a);
	assert_int_equal(f->a.result, 0);
}

static void reads_of_a_file_go_on_where_the_last_one_ended(void **state)
{
	struct fixture *f = *state;
	int fd = memfd_create("file", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "abcdef", 6), 6);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(uring_read(f->ring, &f->a.op, fd, f->buf, 3), 0);
		run_until_done(f, &f->a);
		assert_int_equal(f->a.result, 3);
		assert_memory_equal(f->buf, i ? "def" : "abc", 3);
	}
	close_fd(&fd);
}

static void a_write_arrives(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(uring_write(f->ring, &f->a.op, f->pipe[1], "hello", 5), 0);
	run_until_done(f, &f->a);
	assert_int_equal(f->a.result, 5);
	assert_int_equal(read(f->pipe[0], f->buf, sizeof(f->buf)), 5);
	assert_memory_equal(f->buf, "hello", 5);
}

static void writes_one_after_the_other_keep_their_order(void **state)
{
	struct fixture *f = *state;
	char all[200];

	for (unsigned i = 0; i < 100; i++) {
		char text[2] = {(char)('a' + i % 26), '\n'};

		assert_int_equal(uring_write(f->ring, &f->a.op, f->pipe[1], text, 2), 0);
		run_until_done(f, &f->a);
		assert_int_equal(f->a.result, 2);
	}
	assert_int_equal(read(f->pipe[0], all, sizeof(all)), 200);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(all[2 * i], 'a' + i % 26);
}

static void a_write_that_nobody_will_read_fails(void **state)
{
	struct fixture *f = *state;

	signal(SIGPIPE, SIG_IGN);
	close_fd(&f->pipe[0]);
	assert_int_equal(uring_write(f->ring, &f->a.op, f->pipe[1], "x", 1), 0);
	run_until_done(f, &f->a);
	assert_int_equal(f->a.result, -EPIPE);
}

static void a_closed_descriptor_is_an_error(void **state)
{
	struct fixture *f = *state;
	int fd = dup(f->pipe[0]);

	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(uring_read(f->ring, &f->a.op, fd, f->buf, 1), 0);
	run_until_done(f, &f->a);
	assert_int_equal(f->a.result, -EBADF);
	assert_int_equal(uring_write(f->ring, &f->a.op, fd, "x", 1), 0);
	run_until_done(f, &f->a);
	assert_int_equal(f->a.result, -EBADF);
}

static void a_timer_never_comes_early(void **state)
{
	struct fixture *f = *state;
	uint64_t deadline = monotonic_ns() + 3 * NS_PER_MS;

	assert_int_equal(uring_timer(f->ring, &f->a.op, deadline), 0);
	run_until_done(f, &f->a);
	assert_int_equal(f->a.result, 0);
	assert_true(monotonic_ns() >= deadline);
}

static void a_deadline_in_the_past_is_due(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(uring_timer(f->ring, &f->a.op, 1), 0);
	run_until_done(f, &f->a);
	assert_int_equal(f->a.result, 0);
}

static void timers_come_by_their_deadlines(void **state)
{
	struct fixture *f = *state;
	uint64_t now = monotonic_ns();
	unsigned sequence = 0;

	f->a.sequence = f->b.sequence = &sequence;
	assert_int_equal(uring_timer(f->ring, &f->a.op, now + 60 * NS_PER_MS), 0);
	assert_int_equal(uring_timer(f->ring, &f->b.op, now + 2 * NS_PER_MS), 0);
	run_until_done(f, &f->b);
	run_until_done(f, &f->a);
	assert_int_equal(f->b.place, 1);
	assert_int_equal(f->a.place, 2);
}

static void a_cancelled_read_ends_and_takes_nothing(void **state)
{
	struct fixture *f = *state;

	start_read(f, &f->a);
	cancel_and_wait(f, &f->a);
	assert_int_equal(write(f->pipe[1], "kept", 4), 4);
	start_read(f, &f->a);
	run_until_done(f, &f->a);
	assert_int_equal(f->a.result, 4);
	assert_int_equal(f->a.done, 2);
}

static void a_cancelled_timer_ends(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(uring_timer(f->ring, &f->a.op, monotonic_ns() + FAR_NS), 0);
	assert_int_equal(uring_timer(f->ring, &f->b.op, 1), 0);
	run_until_done(f, &f->b);
	assert_int_equal(f->a.done, 0);
	cancel_and_wait(f, &f->a);
}

static void cancelling_what_is_not_in_flight_does_nothing(void **state)
{
	struct fixture *f = *state;

	uring_cancel(f->ring, &f->a.op);
	assert_int_equal(uring_timer(f->ring, &f->a.op, 1), 0);
	run_until_done(f, &f->a);
	uring_cancel(f->ring, &f->a.op);
	assert_int_equal(uring_timer(f->ring, &f->b.op, 1), 0);
	run_until_done(f, &f->b);
	assert_int_equal(f->a.done, 1);
}

static void cancelling_twice_completes_once(void **state)
{
	struct fixture *f = *state;

	start_read(f, &f->a);
	uring_cancel(f->ring, &f->a.op);
	cancel_and_wait(f, &f->a);
	assert_int_equal(uring_timer(f->ring, &f->b.op, 1), 0);
	run_until_done(f, &f->b);
	assert_int_equal(f->a.done, 1);
}

static void a_full_ring_says_busy_until_something_completes(void **state)
{
	struct fixture *f = *state;
	static struct counted_op ops[URING_MAX_OPS];

	memset(ops, 0, sizeof(ops));
	for (unsigned i = 0; i < URING_MAX_OPS; i++) {
		ops[i].op.done = note;
		assert_int_equal(uring_timer(f->ring, &ops[i].op, monotonic_ns() + FAR_NS), 0);
	}
	assert_int_equal(uring_timer(f->ring, &f->a.op, 1), -EBUSY);
	assert_int_equal(uring_read(f->ring, &f->a.op, f->pipe[0], f->buf, 1), -EBUSY);
	assert_int_equal(uring_write(f->ring, &f->a.op, f->pipe[1], "x", 1), -EBUSY);
	assert_false(f->a.op.in_flight);
	cancel_and_wait(f, &ops[7]);
	assert_int_equal(uring_timer(f->ring, &f->a.op, 1), 0);
	run_until_done(f, &f->a);
	for (unsigned i = 0; i < URING_MAX_OPS; i++)
		uring_cancel(f->ring, &ops[i].op);
	for (unsigned i = 0; i < URING_MAX_OPS; i++)
		while (ops[i].op.in_flight)
			assert_int_equal(uring_run_once(f->ring), 0);
	for (unsigned i = 0; i < URING_MAX_OPS; i++)
		assert_int_equal(ops[i].done, 1);
}

struct relay {
	struct uring_op op;
	struct fixture *f;
	unsigned left;
};

static void pass_on(struct uring_op *op, int result)
{
	struct relay *r = container_of(op, struct relay, op);

	assert_int_equal(result, 0);
	if (--r->left)
		assert_int_equal(uring_timer(r->f->ring, op, 1), 0);
}

static void a_completion_may_start_the_op_again(void **state)
{
	struct fixture *f = *state;
	struct relay relay = {.op.done = pass_on, .f = f, .left = 1000};

	assert_int_equal(uring_timer(f->ring, &relay.op, 1), 0);
	while (relay.left)
		assert_int_equal(uring_run_once(f->ring), 0);
	assert_false(relay.op.in_flight);
}

static void only_the_engine_in_use_is_named(void **state)
{
	struct fixture *f = *state;
	struct uring *polling;

	assert_int_equal(uring_create(&polling, true), 0);
	assert_non_null(uring_fallback_reason(polling));
	uring_destroy(polling);
	uring_destroy(NULL);
	if (uring_fallback_reason(f->ring))
		assert_true(strlen(uring_fallback_reason(f->ring)) > 0);
}

#define BOTH(test)                                                                                                     \
	{#test " (io_uring)", test, set_up_io_uring, tear_down, NULL},                                                 \
	{                                                                                                              \
#test " (poll)", test, set_up_poll, tear_down, NULL                                                    \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(a_read_gives_what_is_there),
		BOTH(a_read_waits_for_data),
		BOTH(a_read_of_a_non_blocking_descriptor_waits_too),
		BOTH(a_write_to_a_full_non_blocking_pipe_waits_for_the_reader),
		BOTH(a_read_at_end_of_file_gives_zero),
		BOTH(reads_of_a_file_go_on_where_the_last_one_ended),
		BOTH(a_write_arrives),
		BOTH(writes_one_after_the_other_keep_their_order),
		BOTH(a_write_that_nobody_will_read_fails),
		BOTH(a_closed_descriptor_is_an_error),
		BOTH(a_timer_never_comes_early),
		BOTH(a_deadline_in_the_past_is_due),
		BOTH(timers_come_by_their_deadlines),
		BOTH(a_cancelled_read_ends_and_takes_nothing),
		BOTH(a_cancelled_timer_ends),
		BOTH(cancelling_what_is_not_in_flight_does_nothing),
		BOTH(cancelling_twice_completes_once),
		BOTH(a_full_ring_says_busy_until_something_completes),
		BOTH(a_completion_may_start_the_op_again),
		BOTH(only_the_engine_in_use_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
