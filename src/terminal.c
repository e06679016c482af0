/* SPDX-License-Identifier: Apache-2.0 */
/* A signal handler can reach nothing but statics: this file's are the exception to "no mutable statics". */
#include "terminal.h"

#include <signal.h>
#include <stdatomic.h>
#include <termios.h>
#include <unistd.h>

#include "base/compiler.h"

static struct termios saved;
static int saved_fd;
static atomic_bool is_raw;

void terminal_restore(void)
{
	if (!atomic_exchange(&is_raw, false))
		return;
	tcsetattr(saved_fd, TCSANOW, &saved);
}

/* SA_RESETHAND has put the default action back: raising again ends the process as if we had not been here. */
static void on_fatal_signal(int signal)
{
	terminal_restore();
	raise(signal);
}

static void install_handlers(void)
{
	static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
	struct sigaction action = {.sa_handler = on_fatal_signal, .sa_flags = (int)SA_RESETHAND};

	for (unsigned i = 0; i < ARRAY_SIZE(fatal); i++)
		sigaction(fatal[i], &action, NULL);
}

bool terminal_is_foreground(int fd)
{
	return isatty(fd) && tcgetpgrp(fd) == getpgrp();
}

bool terminal_enter_raw(int fd)
{
	struct termios raw;

	/* A background process that sets terminal attributes would be stopped by SIGTTOU. */
	if (!terminal_is_foreground(fd) || tcgetattr(fd, &saved) < 0)
		return false;
	saved_fd = fd;
	raw = saved;
	cfmakeraw(&raw);
	raw.c_oflag |= OPOST | ONLCR; /* our own lines on stderr still begin at the left */
	install_handlers();
	if (tcsetattr(fd, TCSANOW, &raw) < 0)
		return false;
	atomic_store(&is_raw, true);
	return true;
}
