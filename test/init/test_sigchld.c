/* SPDX-License-Identifier: Apache-2.0 */
/* The wait for a child, in this process. An alarm ends a wait that never ends. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <unistd.h>

#include "sigchld.h"

#define LIMIT_S 20

static int set_up(void **state)
{
	(void)state;
	sigchld_install();
	(void)sigchld_take();
	alarm(LIMIT_S);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	alarm(0);
	signal(SIGCHLD, SIG_DFL);
	return 0;
}

static void end_is_taken_once(void **state)
{
	(void)state;
	assert_false(sigchld_take());
	raise(SIGCHLD);
	assert_true(sigchld_take());
	assert_false(sigchld_take());
}

static void end_before_the_wait_is_not_slept_over(void **state)
{
	(void)state;
	raise(SIGCHLD);
	assert_false(sigchld_wait(-1, SIGCHLD_FOREVER));
	assert_true(sigchld_take());
}

static void end_in_the_wait_ends_it(void **state)
{
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(0);
	assert_false(sigchld_wait(-1, SIGCHLD_FOREVER));
	assert_true(sigchld_take());
}

static void descriptor_ends_the_wait(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_false(sigchld_wait(ends[0], 1));
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_true(sigchld_wait(ends[0], SIGCHLD_FOREVER));
	close(ends[0]);
	close(ends[1]);
}

#define WITH_LIMIT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LIMIT(end_is_taken_once),
		WITH_LIMIT(end_before_the_wait_is_not_slept_over),
		WITH_LIMIT(end_in_the_wait_ends_it),
		WITH_LIMIT(descriptor_ends_the_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
