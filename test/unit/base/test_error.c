/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

static void the_code_is_returned_and_the_line_stored(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(error_set(&err, -ENOSPC, "initrd %s: %dM", "a.cpio", 310), -ENOSPC);
	assert_string_equal(err.text, "initrd a.cpio: 310M");
}

static void a_second_line_replaces_the_first(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(error_set(&err, -EIO, "a long first line"), -EIO);
	assert_int_equal(error_set(&err, -ENOENT, "short"), -ENOENT);
	assert_string_equal(err.text, "short");
}

static void a_long_line_is_cut_and_terminated(void **state)
{
	struct {
		struct error err;
		char behind[16];
	} box;
	char path[2 * ERROR_TEXT_SIZE];

	(void)state;
	memset(&box, '#', sizeof(box));
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(error_set(&box.err, -EINVAL, "kernel %s", path), -EINVAL);
	assert_int_equal(strlen(box.err.text), ERROR_TEXT_SIZE - 1);
	assert_memory_equal(box.err.text, "kernel pppp", 11);
	for (size_t i = 0; i < sizeof(box.behind); i++)
		assert_int_equal(box.behind[i], '#');
}

static void the_longest_line_that_fits_is_whole(void **state)
{
	struct error err;
	char text[ERROR_TEXT_SIZE];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(error_set(&err, -EINVAL, "%s", text), -EINVAL);
	assert_string_equal(err.text, text);
}

/* In a child, with its stderr in a pipe. */
static void a_broken_invariant_aborts_and_tells_where(void **state)
{
	char said[256] = "";
	int pipe_fds[2], status;
	ssize_t n;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit no_core = {0, 0};

		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGABRT, SIG_DFL);
		dup2(pipe_fds[1], STDERR_FILENO);
		ASSERT(1 + 1 == 3);
		_exit(0);
	}
	close(pipe_fds[1]);
	n = read(pipe_fds[0], said, sizeof(said) - 1);
	close(pipe_fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_true(n > 0);
	assert_non_null(strstr(said, "vmm: bug: "));
	assert_non_null(strstr(said, "test_error.c:"));
	assert_non_null(strstr(said, "1 + 1 == 3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_code_is_returned_and_the_line_stored),
		cmocka_unit_test(a_second_line_replaces_the_first),
		cmocka_unit_test(a_long_line_is_cut_and_terminated),
		cmocka_unit_test(the_longest_line_that_fits_is_whole),
		cmocka_unit_test(a_broken_invariant_aborts_and_tells_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
