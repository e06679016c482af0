/* SPDX-License-Identifier: Apache-2.0 */
#include "sigchld.h"

#include "sys.h"

#define LONG_TIME 1000000 /* seconds */

/* The handler ends a wait that has not begun yet: it makes the time zero that ppoll is about to read. So nothing has to
 * be blocked, neither here nor in the command. */
static struct {
	volatile bool came;
	volatile struct __kernel_timespec time;
} state;

static void on_sigchld(int signal)
{
	(void)signal;
	state.came = true;
	state.time.tv_sec = 0;
	state.time.tv_nsec = 0;
}

__asm__("return_from_handler:\n"
	"	mov $15, %eax\n" /* rt_sigreturn */
	"	syscall\n");

_Static_assert(__NR_rt_sigreturn == 15, "x86-64");

void sigchld_install(void)
{
	extern void return_from_handler(void);
	struct sigaction action = {
		.sa_handler = on_sigchld,
		.sa_flags = SA_RESTORER | SA_RESTART | SA_NOCLDSTOP,
		.sa_restorer = return_from_handler,
	};

	sys_call6(__NR_rt_sigaction, SIGCHLD, (long)&action, 0, sizeof(sigset_t), 0, 0);
}

bool sigchld_take(void)
{
	if (!state.came) /* to store here would erase one that comes now */
		return false;
	state.came = false;
	return true;
}

bool sigchld_wait(int fd, int ms)
{
	struct pollfd poll = {.fd = fd, .events = POLLIN};

	state.time.tv_sec = ms < 0 ? LONG_TIME : ms / 1000;
	state.time.tv_nsec = ms < 0 ? 0 : ms % 1000 * 1000000L;
	if (state.came)
		return false;
	return sys_call6(__NR_ppoll, (long)&poll, fd >= 0, (long)&state.time, 0, 0, 0) > 0;
}
