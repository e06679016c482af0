/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include <asm/termios.h>
#include <string.h>

#include "sys.h"

#define CONSOLE		"/dev/console"
#define ACTIVE		"/sys/class/tty/console/active"
#define DEV		"/dev/"
#define DEV_LEN		(sizeof(DEV) - 1)
#define MAX_PATH	64
#define DELETE		0x7f
#define STDERR		2
#define CONTROL(letter) ((letter) - '@')

void console_hold_streams(void)
{
	int fd;

	do {
		fd = sys_open(CONSOLE, O_RDWR | O_NOCTTY, 0);
		if (fd < 0)
			fd = sys_open("/", O_RDONLY, 0);
	} while (fd >= 0 && fd < STDERR);
	if (fd > STDERR)
		sys_close(fd);
}

void console_complain(const char *line)
{
	sys_write(STDERR, line, strlen(line));
}

/* The device of the console's terminal: /dev/console itself can be nobody's controlling terminal. */
static void find_terminal(char path[MAX_PATH])
{
	char active[256];
	int fd = sys_open(ACTIVE, O_RDONLY | O_CLOEXEC, 0);
	long len = fd < 0 ? 0 : sys_read(fd, active, sizeof(active));
	size_t end, start;

	if (fd >= 0)
		sys_close(fd);
	/* "tty0 ttyS0": the last one is /dev/console. */
	for (end = len > 0 ? (size_t)len : 0; end > 0 && active[end - 1] <= ' '; end--)
		;
	for (start = end; start > 0 && active[start - 1] > ' '; start--)
		;
	if (start == end || end - start >= MAX_PATH - DEV_LEN) {
		memcpy(path, CONSOLE, sizeof(CONSOLE));
		return;
	}
	memcpy(path, DEV, DEV_LEN);
	memcpy(path + DEV_LEN, active + start, end - start);
	path[DEV_LEN + end - start] = '\0';
}

static int open_found(void)
{
	const int flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
	char path[MAX_PATH];
	int fd;

	find_terminal(path);
	fd = sys_open(path, flags, 0);
	return fd >= 0 ? fd : sys_open(CONSOLE, flags, 0);
}

/* Most kernels begin with just that, and telling the UART again is slow. */
static void set_cooked(int fd)
{
	struct termios now = {.c_line = 0}, wanted;

	if (sys_ioctl(fd, TCGETS, &now) != 0)
		return;
	wanted = now;
	wanted.c_iflag = ICRNL | IXON;
	wanted.c_oflag = OPOST | ONLCR;
	wanted.c_lflag = ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE;
	wanted.c_cc[VINTR] = CONTROL('C');
	wanted.c_cc[VQUIT] = CONTROL('\\');
	wanted.c_cc[VERASE] = DELETE;
	wanted.c_cc[VKILL] = CONTROL('U');
	wanted.c_cc[VEOF] = CONTROL('D');
	wanted.c_cc[VSUSP] = CONTROL('Z');
	if (memcmp(&now, &wanted, sizeof(now)) != 0)
		sys_ioctl(fd, TCSETS, &wanted);
}

int console_open_terminal(uint16_t rows, uint16_t columns)
{
	const struct winsize size = {.ws_row = rows, .ws_col = columns};
	int fd = open_found();

	if (fd < 0)
		return fd;
	sys_call3(__NR_setsid, 0, 0, 0);
	sys_ioctl(fd, TIOCSCTTY, (const void *)1);
	set_cooked(fd);
	if (rows && columns)
		sys_ioctl(fd, TIOCSWINSZ, &size);
	return fd;
}

int console_open_input(void)
{
	struct termios termios = {.c_line = 0};
	int fd = open_found();

	if (fd < 0 || sys_ioctl(fd, TCGETS, &termios) != 0)
		return fd;
	termios.c_iflag = 0;
	termios.c_cflag |= CRTSCTS; /* the host waits while nobody reads (devices/serial.h) */
	termios.c_lflag = ICANON | IEXTEN;
	memset(termios.c_cc, 0, sizeof(termios.c_cc));
	termios.c_cc[VEOF] = CONTROL('D');
	termios.c_cc[VLNEXT] = CONTROL('V');
	sys_ioctl(fd, TCSETS, &termios);
	return fd;
}

void console_drain(int fd)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	/* A shell leaves its own group in the foreground, and others may not wait then. */
	sys_call6(__NR_rt_sigaction, SIGTTOU, (long)&ignore, 0, sizeof(sigset_t), 0, 0);
	sys_ioctl(fd, TCSBRK, (const void *)1);
}
