/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/uring_internal.h"

#define FAR_NS 3600000000000ULL

struct fixture {
	struct uring_poll poll;
	int pipes[2][2];
	char buf[16];
};

static int set_up(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	*state = &fixture;
	return pipe2(fixture.pipes[0], O_CLOEXEC) || pipe2(fixture.pipes[1], O_CLOEXEC);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 4; i++)
		close_fd(&f->pipes[i / 2][i % 2]);
	return 0;
}

static struct uring_op reading(struct fixture *f, unsigned pipe)
{
	return (struct uring_op){.kind = URING_READ, .fd = f->pipes[pipe][0], .buf = f->buf, .len = sizeof(f->buf)};
}

static struct uring_op timer(uint64_t deadline_ns)
{
	return (struct uring_op){.kind = URING_TIMER, .fd = -1, .deadline_ns = deadline_ns};
}

static void expect_next(struct fixture *f, const struct uring_op *wanted, int wanted_result)
{
	struct uring_op *op = NULL;
	int result = 1;

	assert_true(uring_poll_next(&f->poll, &op, &result));
	assert_ptr_equal(op, wanted);
	assert_int_equal(result, wanted_result);
}

static void expect_none(struct fixture *f)
{
	struct uring_op *op;
	int result;

	assert_false(uring_poll_next(&f->poll, &op, &result));
}

static void only_the_ready_one_is_executed(void **state)
{
	struct fixture *f = *state;
	struct uring_op idle = reading(f, 0), ready = reading(f, 1);

	uring_poll_add(&f->poll, &idle);
	uring_poll_add(&f->poll, &ready);
	assert_int_equal(write(f->pipes[1][1], "abc", 3), 3);
	assert_int_equal(uring_poll_wait(&f->poll), 0);
	expect_next(f, &ready, 3);
	expect_none(f);
	assert_int_equal(f->poll.count, 1);
}

static void removing_one_keeps_what_is_known_of_the_others(void **state)
{
	struct fixture *f = *state;
	struct uring_op first = reading(f, 0), second = timer(1), third = reading(f, 1);

	uring_poll_add(&f->poll, &first);
	uring_poll_add(&f->poll, &second);
	uring_poll_add(&f->poll, &third);
	assert_int_equal(write(f->pipes[0][1], "a", 1), 1);
	assert_int_equal(write(f->pipes[1][1], "bc", 2), 2);
	assert_int_equal(uring_poll_wait(&f->poll), 0);
	expect_next(f, &first, 1); /* the last one takes its place */
	expect_next(f, &third, 2);
	expect_next(f, &second, 0);
	expect_none(f);
	assert_int_equal(f->poll.count, 0);
}

static void readiness_is_asked_for_anew(void **state)
{
	struct fixture *f = *state;
	struct uring_op op = reading(f, 0), due = timer(1);

	uring_poll_add(&f->poll, &op);
	assert_int_equal(write(f->pipes[0][1], "a", 1), 1);
	assert_int_equal(uring_poll_wait(&f->poll), 0);
	expect_next(f, &op, 1);
	uring_poll_add(&f->poll, &op);
	expect_none(f);
	uring_poll_add(&f->poll, &due);
	assert_int_equal(uring_poll_wait(&f->poll), 0);
	expect_next(f, &due, 0);
	expect_none(f);
}

static void a_cancelled_op_is_due_and_not_executed(void **state)
{
	struct fixture *f = *state;
	struct uring_op op = reading(f, 0), far = timer(monotonic_ns() + FAR_NS);

	uring_poll_add(&f->poll, &far);
	uring_poll_add(&f->poll, &op);
	assert_int_equal(write(f->pipes[0][1], "a", 1), 1);
	uring_poll_cancel(&f->poll, &op);
	assert_int_equal(uring_poll_wait(&f->poll), 0);
	expect_next(f, &op, -ECANCELED);
	expect_none(f);
	assert_int_equal(read(f->pipes[0][0], f->buf, 1), 1);
	uring_poll_cancel(&f->poll, &far);
	expect_next(f, &far, -ECANCELED);
}

static void cancelling_an_unknown_op_does_nothing(void **state)
{
	struct fixture *f = *state;
	struct uring_op far = timer(monotonic_ns() + FAR_NS), other = timer(1);

	uring_poll_add(&f->poll, &far);
	uring_poll_cancel(&f->poll, &other);
	expect_none(f);
}

static void a_timer_is_due_only_at_its_deadline(void **state)
{
	struct fixture *f = *state;
	uint64_t deadline = monotonic_ns() + 2000000;
	struct uring_op soon = timer(deadline), far = timer(UINT64_MAX);

	uring_poll_add(&f->poll, &far);
	uring_poll_add(&f->poll, &soon);
	while (monotonic_ns() < deadline)
		assert_int_equal(uring_poll_wait(&f->poll), 0);
	expect_next(f, &soon, 0);
	expect_none(f);
}

/* More than PIPE_BUF may block although poll says that the pipe is writable. */
static void a_write_is_cut_to_what_never_blocks(void **state)
{
	struct fixture *f = *state;
	static char bytes[4 * PIPE_BUF];
	struct uring_op op = {.kind = URING_WRITE, .fd = f->pipes[0][1], .buf = bytes, .len = sizeof(bytes)};

	for (unsigned i = 0; i < 16; i++) { /* a pipe holds 16 times PIPE_BUF */
		uring_poll_add(&f->poll, &op);
		assert_int_equal(uring_poll_wait(&f->poll), 0);
		expect_next(f, &op, PIPE_BUF);
	}
}

static void a_closed_descriptor_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct uring_op op = reading(f, 0);

	close_fd(&f->pipes[0][0]);
	uring_poll_add(&f->poll, &op);
	assert_int_equal(uring_poll_wait(&f->poll), 0);
	expect_next(f, &op, -EBADF);
}

static void a_hang_up_is_an_end_of_file(void **state)
{
	struct fixture *f = *state;
	struct uring_op op = reading(f, 0);

	close_fd(&f->pipes[0][1]);
	uring_poll_add(&f->poll, &op);
	assert_int_equal(uring_poll_wait(&f->poll), 0);
	expect_next(f, &op, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_the_ready_one_is_executed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(removing_one_keeps_what_is_known_of_the_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(readiness_is_asked_for_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_cancelled_op_is_due_and_not_executed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cancelling_an_unknown_op_does_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_timer_is_due_only_at_its_deadline, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_write_is_cut_to_what_never_blocks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_closed_descriptor_is_an_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_hang_up_is_an_end_of_file, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
