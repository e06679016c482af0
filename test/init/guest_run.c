/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_run.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "guest_world.h"

#define BUSYBOX	      "/usr/bin/busybox"
#define PATIENCE_MS   60000 /* without a byte: it hangs */
#define FAILED_STATUS 99

const uint8_t guest_token[COMMAND_TOKEN_SIZE] = "sixteen bytes ok";

struct terminal {
	int master, slave; /* the slave end is held, so that nothing ends when a guest closes it */
};

/* The ends of a run that the test program holds. */
struct run {
	struct terminal com2, console;
	int status_fd; /* the wait status of init comes out here */
	pid_t keeper;  /* the parent of init */
	uint8_t *stream;
	size_t stream_len;
	bool has_typed;
};

static bool is_static(const char *path)
{
	static const char loader[] = "/lib64/ld-linux";
	char beginning[1024];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, beginning, sizeof(beginning));

	close_fd(&fd);
	return n > 0 && !memmem(beginning, (size_t)n, loader, sizeof(loader) - 1);
}

int guest_missing(void)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(guest_world_is_possible() ? 0 : 1);
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
		fprintf(stderr, "needs user, PID, mount and network namespaces, and a /proc in them\n");
		return EXIT_SKIPPED;
	}
	if (!is_static(BUSYBOX)) {
		fprintf(stderr, "needs a static " BUSYBOX " (package busybox-static)\n");
		return EXIT_SKIPPED;
	}
	return 0;
}

static size_t put_string(uint8_t *file, size_t at, size_t size, const char *text)
{
	assert_true(strlen(text) + 1 <= size - at);
	memcpy(file + at, text, strlen(text) + 1);
	return at + strlen(text) + 1;
}

size_t guest_make_file(const struct guest_request *request, uint8_t *file, size_t size)
{
	struct command_file head = {
		.magic = COMMAND_MAGIC,
		.version = COMMAND_PROTO_VERSION,
		.flags = request->flags,
		.rows = request->rows,
		.columns = request->columns,
	};
	size_t at = sizeof(head);

	for (; request->arguments[head.nr_arguments]; head.nr_arguments++)
		at = put_string(file, at, size, request->arguments[head.nr_arguments]);
	for (; request->variables[head.nr_variables]; head.nr_variables++)
		at = put_string(file, at, size, request->variables[head.nr_variables]);
	at = put_string(file, at, size, request->folder ? request->folder : "");
	head.size = (uint32_t)at;
	memcpy(head.token, guest_token, sizeof(head.token));
	memcpy(file, &head, sizeof(head));
	return at;
}

static void open_terminal(struct terminal *terminal, char path[64])
{
	terminal->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	assert_true(terminal->master >= 0);
	assert_int_equal(grantpt(terminal->master), 0);
	assert_int_equal(unlockpt(terminal->master), 0);
	assert_int_equal(ptsname_r(terminal->master, path, 64), 0);
	terminal->slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(terminal->slave >= 0);
}

/* The parent of init, in the namespaces but for the new PID one. */
static void keep_init(const struct guest_world *world, int status_fd)
{
	int status = 0;
	pid_t init;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!guest_world_unshare())
		_exit(FAILED_STATUS);
	init = fork();
	if (init == 0) {
		guest_world_enter(world);
		_exit(FAILED_STATUS);
	}
	if (init < 0 || waitpid(init, &status, 0) != init || write_all(status_fd, &status, sizeof(status)) != 0)
		_exit(FAILED_STATUS);
	_exit(0);
}

static void start(struct run *run, const struct guest_world *world)
{
	int pipe_fds[2];

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	run->keeper = fork();
	assert_true(run->keeper >= 0);
	if (run->keeper == 0)
		keep_init(world, pipe_fds[1]);
	close(pipe_fds[1]);
	run->status_fd = pipe_fds[0];
}

/* Takes what a terminal has; false when it has nothing more at the moment. */
static bool take_bytes(int fd, uint8_t *to, size_t *used, size_t size)
{
	ssize_t n = read(fd, to + *used, size - *used);

	assert_true(*used < size);
	if (n > 0)
		*used += (size_t)n;
	return n > 0;
}

static void take_all(struct run *run, struct guest_result *result)
{
	size_t taken;

	while (take_bytes(run->com2.master, run->stream, &run->stream_len, FRAMES_MAX_OUTPUT)) {
		taken = frames_take(&result->frames, guest_token, run->stream, run->stream_len);
		run->stream_len -= taken;
		memmove(run->stream, run->stream + taken, run->stream_len);
	}
	while (take_bytes(run->console.master, (uint8_t *)result->console, &result->console_len,
			  sizeof(result->console) - 1))
		;
	result->console[result->console_len] = 0;
}

static void type(struct run *run, const struct guest_request *request, const struct guest_result *result)
{
	if (run->has_typed || !request->input || !strchr(result->frames.order, 'A' + COMMAND_FRAME_STARTED - 1))
		return;
	run->has_typed = true;
	assert_int_equal(write_all(run->console.master, request->input, strlen(request->input)), 0);
}

/* Until init has ended, whose status comes last. */
static void watch(struct run *run, const struct guest_request *request, struct guest_result *result)
{
	struct pollfd polls[] = {{.fd = run->com2.master, .events = POLLIN},
				 {.fd = run->console.master, .events = POLLIN},
				 {.fd = run->status_fd, .events = POLLIN}};

	do {
		if (poll(polls, 3, PATIENCE_MS) <= 0)
			fail_msg("the guest hangs; frames %s, console: %s", result->frames.order, result->console);
		take_all(run, result);
		type(run, request, result);
	} while (!polls[2].revents);
	take_all(run, result);
	assert_int_equal(read(run->status_fd, &result->wait_status, sizeof(result->wait_status)),
			 sizeof(result->wait_status));
	assert_int_equal(run->stream_len, 0);
}

static void close_terminal(struct terminal *terminal)
{
	close_fd(&terminal->master);
	close_fd(&terminal->slave);
}

void guest_run(const struct guest_request *request, struct guest_result *result)
{
	struct guest_world world = {
		.init = open(GUEST_INIT, O_RDONLY | O_CLOEXEC),
		.busybox = open(BUSYBOX, O_RDONLY | O_CLOEXEC),
		.request = request,
	};
	uint8_t file[16384];
	struct run run = {.stream = malloc(FRAMES_MAX_OUTPUT)};

	assert_non_null(run.stream);
	memset(result, 0, sizeof(*result));
	frames_init(&result->frames);
	world.file = request->file_size ? request->file : file;
	world.file_size = request->file_size ? request->file_size : guest_make_file(request, file, sizeof(file));
	if (request->without_file)
		world.file = NULL;
	open_terminal(&run.com2, world.com2);
	open_terminal(&run.console, world.console);
	start(&run, &world);
	watch(&run, request, result);
	assert_int_equal(waitpid(run.keeper, NULL, 0), run.keeper);
	close_terminal(&run.com2);
	close_terminal(&run.console);
	close(run.status_fd);
	close(world.init);
	close(world.busybox);
	free(run.stream);
}

void guest_fini(struct guest_result *result)
{
	frames_fini(&result->frames);
}

static void assert_powered_off(const struct guest_result *result)
{
	const char *order = result->frames.order;

	assert_int_equal(result->frames.hello.version, COMMAND_PROTO_VERSION);
	assert_int_equal(result->frames.hello.transport, COMMAND_BY_SERIAL);
	assert_int_equal(order[0], 'A' + COMMAND_FRAME_HELLO - 1);
	assert_int_equal(order[strlen(order) - 1], 'A' + COMMAND_FRAME_DONE - 1);
	assert_true(WIFSIGNALED(result->wait_status));
	assert_int_equal(WTERMSIG(result->wait_status), SIGINT);
}

void guest_run_script(const char *script, uint32_t flags, struct guest_result *result)
{
	const struct guest_request request = {.arguments = {"sh", "-c", script}, .flags = flags};

	guest_run(&request, result);
	assert_powered_off(result);
	assert_non_null(strchr(result->frames.order, 'A' + COMMAND_FRAME_STARTED - 1));
}

void guest_assert_exited(const struct guest_result *result, unsigned status)
{
	assert_powered_off(result);
	assert_int_equal(result->frames.exit.end, COMMAND_EXITED);
	assert_int_equal(result->frames.exit.value, status);
	assert_int_equal(result->frames.exit.step, COMMAND_STEP_NONE);
}

void guest_assert_not_started(const struct guest_result *result, int error, enum command_step step)
{
	assert_powered_off(result);
	assert_null(strchr(result->frames.order, 'A' + COMMAND_FRAME_STARTED - 1));
	assert_int_equal(result->frames.exit.end, COMMAND_NOT_STARTED);
	assert_int_equal(result->frames.exit.value, error);
	assert_int_equal(result->frames.exit.step, step);
}

void guest_put_bytes(const char *path, const void *bytes, size_t len, unsigned mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);

	if (fd < 0 || write_all(fd, bytes, len) != 0 || fchmod(fd, mode) != 0)
		_exit(FAILED_STATUS);
	close(fd);
}

void guest_put(const char *path, const char *text, unsigned mode)
{
	guest_put_bytes(path, text, strlen(text), mode);
}
