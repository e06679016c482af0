/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

#define LOWEST_FD      16 /* above every descriptor that the child gets */
#define LINE_SIZE      4096
#define GRACE_NS       500000000ULL
#define SIGNAL_BASE    128
#define STATUS_NOT_RUN 127
#define NS_PER_MS      1000000ULL

/* A pipe, or only its state: fd is -1 when the stream is not wanted or has ended. */
struct reader {
	int fd, child_fd;
	size_t len;
	char line[LINE_SIZE];
};

struct session {
	const struct bench_command *command;
	struct bench_child *child;
	struct reader readers[BENCH_STREAMS];
	int report[2]; /* the child tells its size, and why exec failed */
	int pidfd;
	pid_t pid;
	uint64_t start_ns, deadline_ns;
};

static int open_pipe(int *read_fd, int *write_fd)
{
	int fds[2], ret;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	*read_fd = fcntl(fds[0], F_DUPFD_CLOEXEC, LOWEST_FD);
	*write_fd = fcntl(fds[1], F_DUPFD_CLOEXEC, LOWEST_FD);
	ret = *read_fd < 0 || *write_fd < 0 ? -errno : 0;
	close_fd(&fds[0]);
	close_fd(&fds[1]);
	return ret;
}

static int open_pipes(struct session *s)
{
	int ret = open_pipe(&s->report[0], &s->report[1]);

	for (unsigned i = 0; i < BENCH_STREAMS && !ret; i++) {
		struct reader *r = &s->readers[i];

		if ((i == BENCH_STDOUT && !s->command->wants_stdout) ||
		    (i == BENCH_EVENTS && !s->command->wants_events))
			continue;
		ret = open_pipe(&r->fd, &r->child_fd);
		if (!ret && fcntl(r->fd, F_SETFL, O_NONBLOCK))
			ret = -errno;
	}
	return ret;
}

static void close_pipes(struct session *s)
{
	for (unsigned i = 0; i < BENCH_STREAMS; i++) {
		close_fd(&s->readers[i].fd);
		close_fd(&s->readers[i].child_fd);
	}
	close_fd(&s->report[0]);
	close_fd(&s->report[1]);
	close_fd(&s->pidfd);
}

/* In the child. A bench that is killed takes its child along: no machine is left running. */
static _Noreturn void become_command(struct session *s)
{
	static const int targets[BENCH_STREAMS] = {STDOUT_FILENO, STDERR_FILENO, 3};
	struct rusage usage = {0};
	int null_fd, word;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	getrusage(RUSAGE_SELF, &usage);
	word = (int)usage.ru_maxrss;
	if (write_all(s->report[1], &word, sizeof(word)))
		_exit(STATUS_NOT_RUN);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0)
		goto failed;
	if (!s->command->wants_stdout && dup2(null_fd, STDOUT_FILENO) < 0)
		goto failed;
	for (unsigned i = 0; i < BENCH_STREAMS; i++)
		if (s->readers[i].child_fd >= 0 && dup2(s->readers[i].child_fd, targets[i]) < 0)
			goto failed;
	/* execvp takes pointers to char that it does not write to. */
	execvp(s->command->argv[0], (char *const *)(uintptr_t)s->command->argv);
failed:
	word = errno;
	_exit(write_all(s->report[1], &word, sizeof(word)) ? STATUS_NOT_RUN + 1 : STATUS_NOT_RUN);
}

/* Until exec closes the pipe. 0, or what kept the command from running. */
static int read_report(struct session *s)
{
	int words[2] = {0, 0};
	size_t len = 0;

	while (len < sizeof(words)) {
		ssize_t got = read(s->report[0], (char *)words + len, sizeof(words) - len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		len += (size_t)got;
	}
	if (len < sizeof(words[0]))
		return -EIO;
	s->child->floor_rss_kib = (uint64_t)words[0];
	return -words[1];
}

static int start(struct session *s)
{
	int ret;

	s->start_ns = monotonic_ns();
	s->deadline_ns = s->start_ns + s->command->timeout_ns;
	s->pid = fork();
	if (s->pid < 0)
		return -errno;
	if (s->pid == 0)
		become_command(s);
	for (unsigned i = 0; i < BENCH_STREAMS; i++)
		close_fd(&s->readers[i].child_fd);
	close_fd(&s->report[1]);
	s->pidfd = pidfd_open(s->pid, 0);
	if (s->pidfd < 0)
		return -errno;
	ret = read_report(s);
	return ret;
}

static void deliver(struct session *s, enum bench_stream stream, uint64_t now)
{
	struct reader *r = &s->readers[stream];

	if (r->len && r->line[r->len - 1] == '\r')
		r->len--;
	r->line[r->len] = '\0';
	r->len = 0;
	if (stream == BENCH_STDERR && r->line[0])
		snprintf(s->child->last_error, sizeof(s->child->last_error), "%.*s", BENCH_TEXT_SIZE - 1, r->line);
	if (!s->command->on_line || s->command->on_line(s->command->arg, stream, r->line, now - s->start_ns))
		return;
	if (!s->child->stopped && now + GRACE_NS < s->deadline_ns)
		s->deadline_ns = now + GRACE_NS;
	s->child->stopped = true;
}

static void split_lines(struct session *s, enum bench_stream stream, const char *bytes, size_t len, uint64_t now)
{
	struct reader *r = &s->readers[stream];

	if (len && !s->child->first_byte_ns[stream])
		s->child->first_byte_ns[stream] = now - s->start_ns;
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n') {
			deliver(s, stream, now);
			continue;
		}
		if (r->len == LINE_SIZE - 1)
			deliver(s, stream, now);
		r->line[r->len++] = bytes[i] ? bytes[i] : '?';
	}
}

/* All that is there now. */
static void read_stream(struct session *s, enum bench_stream stream, uint64_t now)
{
	struct reader *r = &s->readers[stream];
	char bytes[LINE_SIZE];

	while (r->fd >= 0) {
		ssize_t got = read(r->fd, bytes, sizeof(bytes));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return;
		if (got > 0) {
			split_lines(s, stream, bytes, (size_t)got, now);
			continue;
		}
		if (r->len)
			deliver(s, stream, now);
		close_fd(&r->fd);
	}
}

/* Milliseconds until the deadline, rounded up, so that poll does not return early. */
static int remaining_ms(const struct session *s, uint64_t now)
{
	uint64_t left = now < s->deadline_ns ? (s->deadline_ns - now + NS_PER_MS - 1) / NS_PER_MS : 0;

	return left < INT32_MAX ? (int)left : INT32_MAX;
}

static void watch(struct session *s)
{
	struct pollfd fds[BENCH_STREAMS + 1];
	bool killed = false, ended = false;

	while (!ended) {
		uint64_t now = monotonic_ns();

		if (!killed && now >= s->deadline_ns) {
			s->child->timed_out = !s->child->stopped;
			killed = kill(s->pid, SIGKILL) == 0;
		}
		for (unsigned i = 0; i < BENCH_STREAMS; i++)
			fds[i] = (struct pollfd){.fd = s->readers[i].fd, .events = POLLIN};
		fds[BENCH_STREAMS] = (struct pollfd){.fd = s->pidfd, .events = POLLIN};
		poll(fds, BENCH_STREAMS + 1, killed ? -1 : remaining_ms(s, now));
		now = monotonic_ns();
		ended = fds[BENCH_STREAMS].revents != 0;
		if (ended)
			s->child->wall_ns = now - s->start_ns;
		for (unsigned i = 0; i < BENCH_STREAMS; i++)
			if (fds[i].revents || ended)
				read_stream(s, (enum bench_stream)i, now);
	}
}

static uint64_t cpu_time(const struct rusage *usage)
{
	return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000000 +
	       (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1000;
}

static void reap(struct session *s)
{
	struct rusage usage;
	int status;

	while (wait4(s->pid, &status, 0, &usage) < 0 && errno == EINTR)
		;
	s->child->cpu_ns = cpu_time(&usage);
	s->child->peak_rss_kib = (uint64_t)usage.ru_maxrss;
	s->child->status = WIFSIGNALED(status) ? SIGNAL_BASE + WTERMSIG(status) : WEXITSTATUS(status);
}

int bench_child_run(const struct bench_command *command, struct bench_child *child, struct error *err)
{
	struct session *s = calloc(1, sizeof(*s));
	int ret;

	if (!s)
		return error_set(err, -ENOMEM, "out of memory");
	*child = (struct bench_child){0};
	*s = (struct session){.command = command, .child = child, .report = {-1, -1}, .pidfd = -1, .pid = -1};
	for (unsigned i = 0; i < BENCH_STREAMS; i++)
		s->readers[i].fd = s->readers[i].child_fd = -1;
	ret = open_pipes(s);
	if (!ret)
		ret = start(s);
	if (!ret)
		watch(s);
	else if (s->pid > 0)
		kill(s->pid, SIGKILL);
	if (s->pid > 0)
		reap(s);
	close_pipes(s);
	free(s);
	if (ret)
		return error_set(err, ret, "%s: cannot run: %s", command->argv[0], strerror(-ret));
	return 0;
}
