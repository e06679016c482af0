/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On a pseudo-terminal. Raw mode is for a foreground process with a controlling terminal, so each test runs in a
 * session of its own: the leader opens the terminal, a child of it does what the test is about, the leader looks at the
 * result.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "terminal.h"

/* A child's exit status; others mean what went wrong in it. */
#define FINE 0

static bool same_modes(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
	       a->c_lflag == b->c_lflag && memcmp(a->c_cc, b->c_cc, sizeof(a->c_cc)) == 0;
}

static int run_child(int tty, int (*child)(int tty))
{
	const struct rlimit no_core = {0};
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		_exit(child(tty));
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

/* The leader: 0 when @child ended with @wanted (a wait status) and the terminal is as it was. */
static int lead_session(int tty, int (*child)(int tty), int wanted)
{
	struct termios before, after;

	if (setsid() < 0 || ioctl(tty, TIOCSCTTY, 0) < 0 || tcgetattr(tty, &before) < 0)
		return 10;
	if (run_child(tty, child) != wanted)
		return 11;
	if (tcgetattr(tty, &after) < 0)
		return 12;
	return same_modes(&before, &after) ? FINE : 13;
}

static void in_session(int (*child)(int tty), int wanted)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), tty, status;
	pid_t leader;

	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	tty = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(tty >= 0);
	leader = fork();
	assert_true(leader >= 0);
	if (leader == 0)
		_exit(lead_session(tty, child, wanted));
	assert_int_equal(waitpid(leader, &status, 0), leader);
	close(tty);
	close(master);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), FINE);
}

static int go_raw_and_back(int tty)
{
	struct termios before, raw, after;

	tcgetattr(tty, &before);
	if (!terminal_enter_raw(tty))
		return 1;
	tcgetattr(tty, &raw);
	if (raw.c_lflag & (ICANON | ECHO | ISIG))
		return 2;
	if (!(raw.c_oflag & OPOST) || !(raw.c_oflag & ONLCR))
		return 3; /* vmm's own lines must still begin at the left */
	terminal_restore();
	tcgetattr(tty, &after);
	return same_modes(&before, &after) ? FINE : 4;
}

static void raw_mode_comes_and_goes(void **state)
{
	(void)state;
	in_session(go_raw_and_back, FINE);
}

static int restore_twice(int tty)
{
	struct termios own, after;

	if (!terminal_enter_raw(tty))
		return 1;
	terminal_restore();
	tcgetattr(tty, &own);
	own.c_lflag ^= ECHO; /* somebody else's change */
	tcsetattr(tty, TCSANOW, &own);
	terminal_restore();
	tcgetattr(tty, &after);
	if (!same_modes(&own, &after))
		return 2;
	own.c_lflag ^= ECHO;
	tcsetattr(tty, TCSANOW, &own);
	return FINE;
}

static void only_our_own_change_is_taken_back(void **state)
{
	(void)state;
	in_session(restore_twice, FINE);
}

static int crash_by_signal(int tty)
{
	if (!terminal_enter_raw(tty))
		return 1;
	raise(SIGSEGV);
	return 2;
}

static int crash_by_abort(int tty)
{
	if (!terminal_enter_raw(tty))
		return 1;
	abort();
}

/* The wait status says that the signal still ended the process. */
static void a_crash_restores_the_terminal(void **state)
{
	(void)state;
	in_session(crash_by_signal, SIGSEGV);
	in_session(crash_by_abort, SIGABRT);
}

static int stay_in_background(int tty)
{
	if (setpgid(0, 0) < 0)
		return 1;
	return terminal_enter_raw(tty) ? 2 : FINE;
}

static void a_background_process_leaves_the_terminal_alone(void **state)
{
	(void)state;
	in_session(stay_in_background, FINE);
}

static void what_is_no_terminal_is_left_alone(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_false(terminal_enter_raw(fds[0]));
	assert_false(terminal_enter_raw(-1));
	terminal_restore();
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raw_mode_comes_and_goes),
		cmocka_unit_test(only_our_own_change_is_taken_back),
		cmocka_unit_test(a_crash_restores_the_terminal),
		cmocka_unit_test(a_background_process_leaves_the_terminal_alone),
		cmocka_unit_test(what_is_no_terminal_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
