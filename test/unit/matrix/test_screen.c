/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/file.h"
#include "matrix/screen.h"

static struct plan_fixture f;
static struct screen screen;
static int master = -1, saved[2] = {-1, -1}, read_end = -1;

/* Standard error is a terminal (or not), standard output a pipe. */
static void redirect(bool with_terminal)
{
	int ends[2], slave;

	saved[0] = dup(STDOUT_FILENO);
	saved[1] = dup(STDERR_FILENO);
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	read_end = ends[0];
	dup2(ends[1], STDOUT_FILENO);
	if (with_terminal) {
		const struct winsize size = {.ws_row = 10, .ws_col = 40};

		master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
		assert_true(master >= 0);
		assert_int_equal(grantpt(master) | unlockpt(master), 0);
		slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
		assert_int_equal(ioctl(slave, TIOCSWINSZ, &size), 0);
		dup2(slave, STDERR_FILENO);
		close(slave);
	} else {
		dup2(ends[1], STDERR_FILENO);
	}
	close(ends[1]);
}

static void restore(void)
{
	for (int i = 0; i < 2; i++) {
		if (saved[i] >= 0)
			dup2(saved[i], i ? STDERR_FILENO : STDOUT_FILENO);
		close_fd(&saved[i]);
	}
}

static int begin(void **state)
{
	memset(&f, 0, sizeof(f));
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	signal(SIGPIPE, SIG_IGN);
	return fake_root_setup(state);
}

static int end(void **state)
{
	restore();
	close_fd(&master);
	close_fd(&read_end);
	screen_fini(&screen);
	plan_fixture_free(&f);
	return fake_root_teardown(state);
}

static void take(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 && (n = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = 0;
}

static void pipe_gets_a_line_for_each_end(void **state)
{
	const struct fake_root *root = *state;
	struct plan_run *good = plan_fixture_add(&f, root, "good", ""), *bad = plan_fixture_add(&f, root, "bad", "");
	char text[512];

	good->state = PLAN_PASSED;
	good->elapsed_ns = 12340000000;
	bad->state = PLAN_ERROR;
	snprintf(bad->reason, sizeof(bad->reason), "no kernel");
	redirect(false);
	assert_int_equal(screen_init(&screen, &f.plan, -1, false), 0);
	screen_on_tick(&screen, 0);
	screen_on_end(&screen, good);
	screen_on_end(&screen, bad);
	screen_on_resize(&screen);
	screen_finish(&screen);
	restore();
	take(read_end, text, sizeof(text));
	assert_string_equal(text, "ok 1/2 good 12.3s\nERROR 2/2 bad 0.0s: no kernel\n");
}

static void terminal_gets_a_table_and_the_pipe_lines_too(void **state)
{
	const struct fake_root *root = *state;
	struct plan_run *run = plan_fixture_add(&f, root, "one", "");
	char text[2048];

	fake_root_write(root, "/one/console.log", "hello\r\n");
	run->state = PLAN_RUNNING;
	redirect(true);
	assert_int_equal(screen_init(&screen, &f.plan, -1, false), 0);
	run->start_ns = monotonic_ns();
	screen_on_tick(&screen, run->start_ns);
	screen_on_tick(&screen, run->start_ns + 1); /* too soon */
	run->state = PLAN_PASSED;
	screen_on_end(&screen, run);
	screen_finish(&screen);
	restore();
	take(master, text, sizeof(text));
	assert_memory_equal(text, "one  \033[1mrunning\033[0m     0.0s  hello", 36);
	/* Drawn twice: the second time over the first. */
	assert_non_null(strstr(text, "\033[J\r\033[2Aone  \033[32mpassed \033[0m"));
	assert_null(strstr(strstr(text, "\033[2A") + 1, "\033[2A"));
	assert_null(strstr(text, "\033[?")); /* no mode that would have to be put back */
	take(read_end, text, sizeof(text));
	assert_string_equal(text, "ok 1/1 one 0.0s\n");
}

static void resize_starts_on_an_empty_screen_with_the_new_size(void **state)
{
	const struct winsize size = {.ws_row = 5, .ws_col = 30};
	const struct fake_root *root = *state;
	char text[4096], *after;

	for (unsigned i = 0; i < 8; i++)
		plan_fixture_add(&f, root, "a-long-enough-name", "");
	redirect(true);
	assert_int_equal(screen_init(&screen, &f.plan, -1, false), 0);
	screen_on_tick(&screen, 1);
	assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
	screen_on_resize(&screen);
	screen_on_tick(&screen, 2);
	restore();
	take(master, text, sizeof(text));
	after = strstr(text, "\033[H\033[J");
	assert_non_null(after);
	assert_null(strstr(after, "A\r")); /* the cursor does not go up */
	assert_int_equal(screen.drawn, 4);
}

static void dumb_terminal_gets_lines(void **state)
{
	const struct fake_root *root = *state;
	struct plan_run *run = plan_fixture_add(&f, root, "one", "");
	char text[256];

	setenv("TERM", "dumb", 1);
	run->state = PLAN_PASSED;
	redirect(true);
	assert_int_equal(screen_init(&screen, &f.plan, -1, false), 0);
	screen_on_tick(&screen, 1);
	screen_on_end(&screen, run);
	screen_finish(&screen);
	restore();
	take(master, text, sizeof(text));
	assert_string_equal(text, "");
	take(read_end, text, sizeof(text));
	assert_string_equal(text, "ok 1/1 one 0.0s\n");
}

static void no_color_takes_only_the_colour(void **state)
{
	const struct fake_root *root = *state;
	char text[1024];

	plan_fixture_add(&f, root, "one", "")->state = PLAN_FAILED;
	setenv("NO_COLOR", "1", 1);
	redirect(true);
	assert_int_equal(screen_init(&screen, &f.plan, -1, false), 0);
	screen_on_tick(&screen, 1);
	restore();
	take(master, text, sizeof(text));
	assert_non_null(strstr(text, "FAILED"));
	assert_null(strstr(text, "\033[31m"));
}

static void quiet_says_nothing(void **state)
{
	const struct fake_root *root = *state;
	struct plan_run *run = plan_fixture_add(&f, root, "one", "");
	char text[256];

	redirect(true);
	assert_int_equal(screen_init(&screen, &f.plan, -1, true), 0);
	screen_on_tick(&screen, 1);
	screen_on_end(&screen, run);
	screen_finish(&screen);
	restore();
	take(master, text, sizeof(text));
	assert_string_equal(text, "");
	take(read_end, text, sizeof(text));
	assert_string_equal(text, "");
}

static void reader_that_is_gone_is_noticed_once(void **state)
{
	const struct fake_root *root = *state;
	struct plan_run *run = plan_fixture_add(&f, root, "one", "");

	redirect(false);
	close_fd(&read_end);
	assert_int_equal(screen_init(&screen, &f.plan, -1, false), 0);
	screen_on_end(&screen, run);
	assert_true(screen.is_broken);
	screen_on_end(&screen, run);
	restore();
}

static void stalled_reader_does_not_keep_a_signal_from_us(void **state)
{
	const struct fake_root *root = *state;
	struct plan_run *run = plan_fixture_add(&f, root, "one", "");
	int stop = eventfd(1, EFD_CLOEXEC); /* readable: a signal is there */
	char block[4096] = "";

	redirect(false);
	while (write(STDOUT_FILENO, block, sizeof(block)) > 0)
		;
	assert_int_equal(screen_init(&screen, &f.plan, stop, false), 0);
	screen_on_end(&screen, run); /* returns */
	restore();
	close(stop);
	assert_false(screen.is_broken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pipe_gets_a_line_for_each_end, begin, end),
		cmocka_unit_test_setup_teardown(terminal_gets_a_table_and_the_pipe_lines_too, begin, end),
		cmocka_unit_test_setup_teardown(resize_starts_on_an_empty_screen_with_the_new_size, begin, end),
		cmocka_unit_test_setup_teardown(dumb_terminal_gets_lines, begin, end),
		cmocka_unit_test_setup_teardown(no_color_takes_only_the_colour, begin, end),
		cmocka_unit_test_setup_teardown(quiet_says_nothing, begin, end),
		cmocka_unit_test_setup_teardown(reader_that_is_gone_is_noticed_once, begin, end),
		cmocka_unit_test_setup_teardown(stalled_reader_does_not_keep_a_signal_from_us, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
