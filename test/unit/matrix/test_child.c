/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "matrix/child.h"

static int pipe_fds[2];

static int begin(void **state)
{
	(void)state;
	return pipe2(pipe_fds, O_CLOEXEC);
}

static int end(void **state)
{
	(void)state;
	close_fd(&pipe_fds[0]);
	close_fd(&pipe_fds[1]);
	return 0;
}

static int start(struct child *child, const char *program, const char *script)
{
	const char *const words[] = {"sh", "-c", script, NULL};
	sigset_t mask;
	const struct child_request request = {.program = program, .words = words, .output = pipe_fds[1], .mask = &mask};

	sigemptyset(&mask);
	return child_start(&request, child);
}

/* What the child and all that share its output have written, to the end. */
static void read_output(char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	close_fd(&pipe_fds[1]);
	while ((n = read(pipe_fds[0], text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = 0;
}

static void await(const struct child *child)
{
	struct pollfd fd = {.fd = child->pidfd, .events = POLLIN};

	assert_int_equal(poll(&fd, 1, 60000), 1);
}

static void status_and_output_arrive(void **state)
{
	struct child child;
	char text[64];
	int signal;

	(void)state;
	assert_int_equal(start(&child, "/bin/sh", "echo out; echo err >&2; read line || echo eof; exit 7"), 0);
	await(&child);
	assert_int_equal(child_collect(&child, &signal), 7);
	assert_int_equal(signal, 0);
	assert_int_equal(child.pidfd, -1);
	read_output(text, sizeof(text));
	assert_string_equal(text, "out\nerr\neof\n");
}

static void death_by_signal_is_told(void **state)
{
	struct child child;
	int signal;

	(void)state;
	assert_int_equal(start(&child, "/bin/sh", "sleep 60"), 0);
	child_signal(&child, SIGTERM);
	await(&child);
	assert_int_equal(child_collect(&child, &signal), 128 + SIGTERM);
	assert_int_equal(signal, SIGTERM);
}

static void program_that_cannot_be_executed_is_an_error_at_once(void **state)
{
	struct child child;

	(void)state;
	assert_int_equal(start(&child, "/nonexistent/program", ""), -ENOENT);
	assert_int_equal(start(&child, "/dev/null", ""), -EACCES);
	assert_int_equal(child.pidfd, -1);
	/* It has been reaped. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void what_it_leaves_in_its_group_ends_with_it(void **state)
{
	struct child child;
	char text[64];
	int signal;

	(void)state;
	assert_int_equal(start(&child, "/bin/sh", "(sleep 20; echo late) & echo begun; exit 3"), 0);
	await(&child);
	assert_int_equal(child_collect(&child, &signal), 3);
	/* The end of file says that nobody holds the other end any more. */
	read_output(text, sizeof(text));
	assert_string_equal(text, "begun\n");
}

static void it_ends_with_the_one_that_started_it(void **state)
{
	struct pollfd fd = {.fd = pipe_fds[0]};
	struct child child;
	pid_t starter = fork();
	int status;

	(void)state;
	if (starter == 0)
		_exit(start(&child, "/bin/sh", "exec sleep 100") ? 1 : 0);
	assert_int_equal(waitpid(starter, &status, 0), starter);
	assert_int_equal(status, 0);
	close_fd(&pipe_fds[1]);
	assert_int_equal(poll(&fd, 1, 60000), 1);
	assert_true(fd.revents & POLLHUP);
}

static void kill_reaches_the_whole_group(void **state)
{
	struct child child;
	char text[64];
	int signal;

	(void)state;
	assert_int_equal(start(&child, "/bin/sh", "trap '' TERM; (trap '' TERM; sleep 60) & wait"), 0);
	child_signal(&child, SIGKILL);
	await(&child);
	assert_int_equal(child_collect(&child, &signal), 128 + SIGKILL);
	read_output(text, sizeof(text));
	assert_string_equal(text, "");
}

static void it_has_a_group_a_clean_mask_and_no_descriptors_of_ours(void **state)
{
	int leak = fcntl(pipe_fds[0], F_DUPFD, 50), signal;
	struct child child;
	char text[256], expected[64];
	sigset_t mask, old;

	(void)state;
	assert_true(leak >= 50);
	sigfillset(&mask);
	sigprocmask(SIG_SETMASK, &mask, &old);
	assert_int_equal(
		start(&child, "/bin/sh",
		      "cut -d' ' -f5 /proc/$$/stat; grep SigBlk /proc/self/status; ls /proc/$$/fd | grep -c 50"),
		0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(leak);
	await(&child);
	snprintf(expected, sizeof(expected), "%d\nSigBlk:\t0000000000000000\n0\n", child.pid);
	child_collect(&child, &signal);
	read_output(text, sizeof(text));
	assert_string_equal(text, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(status_and_output_arrive, begin, end),
		cmocka_unit_test_setup_teardown(death_by_signal_is_told, begin, end),
		cmocka_unit_test_setup_teardown(program_that_cannot_be_executed_is_an_error_at_once, begin, end),
		cmocka_unit_test_setup_teardown(what_it_leaves_in_its_group_ends_with_it, begin, end),
		cmocka_unit_test_setup_teardown(it_ends_with_the_one_that_started_it, begin, end),
		cmocka_unit_test_setup_teardown(kill_reaches_the_whole_group, begin, end),
		cmocka_unit_test_setup_teardown(it_has_a_group_a_clean_mask_and_no_descriptors_of_ours, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
