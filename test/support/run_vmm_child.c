/* SPDX-License-Identifier: Apache-2.0 */
#include "support/run_vmm_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/compiler.h"

#define NOT_RUN 126

/* What the child gets; -1: that descriptor is closed. Above RUN_EVENTS_FD, so that dup2 never meets one of them. */
struct far_ends {
	int input, output, error, events, setup;
};

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Moves @fd out of the way of the numbers that the child's descriptors get. */
static int lift(int fd)
{
	int lifted;

	if (fd < 0)
		return -1;
	lifted = fcntl(fd, F_DUPFD_CLOEXEC, RUN_EVENTS_FD + 1);
	close(fd);
	return lifted;
}

static bool make_pipe(int *read_end, int *write_end)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return false;
	*read_end = lift(fds[0]);
	*write_end = lift(fds[1]);
	return *read_end >= 0 && *write_end >= 0;
}

static bool make_terminal(struct run_child_fds *near, struct far_ends *far)
{
	near->output = lift(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
	if (near->output < 0 || grantpt(near->output) < 0 || unlockpt(near->output) < 0)
		return false;
	near->terminal = lift(open(ptsname(near->output), O_RDWR | O_NOCTTY | O_CLOEXEC));
	if (near->terminal < 0 || tcgetattr(near->terminal, &near->attributes) < 0)
		return false;
	near->input = fcntl(near->output, F_DUPFD_CLOEXEC, RUN_EVENTS_FD + 1);
	far->input = fcntl(near->terminal, F_DUPFD_CLOEXEC, RUN_EVENTS_FD + 1);
	far->output = fcntl(near->terminal, F_DUPFD_CLOEXEC, RUN_EVENTS_FD + 1);
	return near->input >= 0 && far->input >= 0 && far->output >= 0;
}

/* An unnamed file with @data, at its beginning. */
static int data_file(const char *data)
{
	int fd = open(run_scratch(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 && data && (write(fd, data, strlen(data)) < 0 || lseek(fd, 0, SEEK_SET) < 0))
		close_one(&fd);
	return lift(fd);
}

static bool make_input(const struct run_request *request, struct run_child_fds *near, struct far_ends *far)
{
	switch (request->input) {
	case RUN_INPUT_NULL:
		far->input = lift(open("/dev/null", O_RDONLY | O_CLOEXEC));
		return far->input >= 0;
	case RUN_INPUT_PIPE:
	case RUN_INPUT_HELD:
		return make_pipe(&far->input, &near->input);
	case RUN_INPUT_FILE:
		far->input = data_file(request->data);
		return far->input >= 0;
	case RUN_INPUT_TERMINAL:
		return make_terminal(near, far);
	case RUN_INPUT_CLOSED:
		break;
	}
	return true;
}

static bool make_output(const struct run_request *request, struct run_child_fds *near, struct far_ends *far)
{
	if (request->input == RUN_INPUT_TERMINAL || request->output == RUN_OUTPUT_CLOSED)
		return true;
	if (!make_pipe(&near->output, &far->output))
		return false;
	if (request->output == RUN_OUTPUT_STALLED && fcntl(far->output, F_SETPIPE_SZ, RUN_PIPE_SIZE) != RUN_PIPE_SIZE)
		return false;
	if (request->output == RUN_OUTPUT_BROKEN)
		close_one(&near->output);
	return true;
}

static bool make_ends(const struct run_request *request, struct run_child_fds *near, struct far_ends *far)
{
	int *const ours[] = {&near->input, &near->output, &near->error, &near->events, &near->setup};

	if (!make_input(request, near, far) || !make_output(request, near, far) ||
	    !make_pipe(&near->error, &far->error) || !make_pipe(&near->setup, &far->setup))
		return false;
	if (request->events && !make_pipe(&near->events, &far->events))
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(ours); i++)
		if (*ours[i] >= 0 && fcntl(*ours[i], F_SETFL, O_NONBLOCK) < 0)
			return false;
	return true;
}

static void place(int fd, int number)
{
	if (fd < 0)
		close(number);
	else if (dup2(fd, number) < 0)
		_exit(NOT_RUN);
}

static _Noreturn void be_child(const struct run_request *request, const struct far_ends *far, pid_t parent)
{
	const struct rlimit no_core = {0};
	const char *words[RUN_MAX_WORDS + 1] = {"vmm"};
	int program = open(getenv("VMM_BINARY") ? getenv("VMM_BINARY") : VMM_BINARY, O_RDONLY | O_CLOEXEC);
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || program < 0 || chdir(run_scratch()) < 0)
		_exit(NOT_RUN);
	setsid();
	setrlimit(RLIMIT_CORE, &no_core);
	setenv("TMPDIR", run_scratch(), 1);
	signal(SIGPIPE, SIG_DFL);
	if (request->input == RUN_INPUT_TERMINAL && ioctl(far->input, TIOCSCTTY, 0) < 0)
		_exit(NOT_RUN);
	err = request->before_exec ? request->before_exec() : 0;
	if (err) {
		(void)!write(far->setup, &err, sizeof(err));
		_exit(NOT_RUN);
	}
	/* A change of user has cleared it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	program = fcntl(program, F_DUPFD_CLOEXEC, RUN_EVENTS_FD + 1);
	place(far->input, STDIN_FILENO);
	place(far->output, STDOUT_FILENO);
	place(far->error, STDERR_FILENO);
	place(far->events, RUN_EVENTS_FD);
	for (int fd = STDERR_FILENO + 1; fd < RUN_EVENTS_FD; fd++)
		close(fd);
	for (unsigned i = 0; i < RUN_MAX_WORDS && request->words[i]; i++)
		words[i + 1] = request->words[i];
	/* By descriptor: an unprivileged child may not be able to reach the build folder. */
	execveat(program, "", (char *const *)(uintptr_t)words, environ, AT_EMPTY_PATH);
	_exit(NOT_RUN);
}

pid_t run_child_start(const struct run_request *request, struct run_child_fds *fds)
{
	struct far_ends far = {-1, -1, -1, -1, -1};
	int *const theirs[] = {&far.input, &far.output, &far.error, &far.events, &far.setup};
	pid_t parent = getpid(), pid = -1;

	memset(fds, 0, sizeof(*fds));
	fds->input = fds->output = fds->error = fds->events = fds->setup = fds->terminal = -1;
	if (make_ends(request, fds, &far))
		pid = fork();
	if (pid == 0)
		be_child(request, &far, parent);
	for (unsigned i = 0; i < ARRAY_SIZE(theirs); i++)
		close_one(theirs[i]);
	return pid;
}

void run_child_close(struct run_child_fds *fds)
{
	int *const ours[] = {&fds->input, &fds->output, &fds->error, &fds->events, &fds->setup, &fds->terminal};

	for (unsigned i = 0; i < ARRAY_SIZE(ours); i++)
		close_one(ours[i]);
}
