/* SPDX-License-Identifier: Apache-2.0 */
/* The forked half may not return: a child that could not execute its program ends here, and only here. */
#include "matrix/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/close_range.h>

#include "base/file.h"

#define NOT_STARTED 125

/* In the child. Returns only when something failed; errno says why. */
static void become(const struct child_request *request, pid_t parent)
{
	int null;

	/* Its own group: a terminal's Ctrl-C comes to us, and we pass it on once. */
	if (setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		return;
	/* A parent that died before that would not be noticed. */
	if (getppid() != parent) {
		errno = ESRCH;
		return;
	}
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(request->output, STDOUT_FILENO) < 0 ||
	    dup2(request->output, STDERR_FILENO) < 0)
		return;
	/* What we were started with is not for the runs; old kernels cannot, and then they get it. */
	(void)close_range(STDERR_FILENO + 1, ~0u, (int)CLOSE_RANGE_CLOEXEC);
	signal(SIGPIPE, SIG_DFL);
	if (sigprocmask(SIG_SETMASK, request->mask, NULL) < 0)
		return;
	execv(request->program, (char *const *)(uintptr_t)request->words);
}

/* The child's errno; 0 when the program runs: the exec has closed the pipe. */
static int await_exec(int fd)
{
	int code = 0;
	ssize_t n;

	do
		n = read(fd, &code, sizeof(code));
	while (n < 0 && errno == EINTR);
	return n == sizeof(code) ? code : 0;
}

int child_start(const struct child_request *request, struct child *child)
{
	pid_t parent = getpid();
	int report[2], code;

	*child = (struct child){.pid = -1, .pidfd = -1};
	if (pipe2(report, O_CLOEXEC) < 0)
		return -errno;
	child->pid = fork();
	if (child->pid == 0) {
		become(request, parent);
		code = errno;
		(void)!write(report[1], &code, sizeof(code));
		_exit(NOT_STARTED);
	}
	code = child->pid < 0 ? errno : 0;
	close_fd(&report[1]);
	if (!code)
		code = await_exec(report[0]);
	close_fd(&report[0]);
	if (child->pid < 0)
		return -code;
	/* Not reaped yet: the number is still its own. */
	if (!code) {
		child->pidfd = pidfd_open(child->pid, 0);
		code = child->pidfd < 0 ? errno : 0;
	}
	if (code) {
		kill(-child->pid, SIGKILL);
		kill(child->pid, SIGKILL);
		while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	return -code;
}

void child_signal(const struct child *child, int signal)
{
	kill(signal == SIGKILL ? -child->pid : child->pid, signal);
}

int child_collect(struct child *child, int *signal)
{
	int status = 0;

	/* While it is a zombie no other group can have its number. */
	kill(-child->pid, SIGKILL);
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	close_fd(&child->pidfd);
	*signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	return *signal ? 128 + *signal : WEXITSTATUS(status);
}
