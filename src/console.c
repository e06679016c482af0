/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "terminal.h"

static void on_input(struct uring_op *op, int result);
static void on_space(void *opaque);

/*
 * A terminal that is stopped blocks whoever writes to it. A description of our own can be non-blocking without changing
 * the caller's.
 */
static void open_stdout(struct console *console)
{
	console->out_fd = STDOUT_FILENO;
	if (!isatty(STDOUT_FILENO))
		return;
	console->out_fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	console->owns_out_fd = console->out_fd >= 0;
	if (!console->owns_out_fd)
		console->out_fd = STDOUT_FILENO;
}

static int open_output(struct console *console, const struct config *config, struct error *err)
{
	if (config->console == CONFIG_CONSOLE_STDIO)
		open_stdout(console);
	if (config->console != CONFIG_CONSOLE_FILE)
		return 0;
	/* O_NONBLOCK: a FIFO without a reader is an error, not a wait. */
	console->out_fd =
		open(config->console_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0666);
	if (console->out_fd < 0 && errno == ENXIO)
		return error_set(err, -ENXIO, "--console file=%s: is a FIFO that nobody reads; start its reader first",
				 config->console_path);
	if (console->out_fd < 0)
		return error_set(err, -errno, "--console file=%s: cannot open: %s; give a writable path",
				 config->console_path, strerror(errno));
	console->owns_out_fd = true;
	return 0;
}

int console_init(struct console *console, const struct config *config, struct uring *ring, int wake_fd,
		 struct console_keys keys, struct console_sink sink, struct error *err)
{
	int ret;

	*console = (struct console){
		.keys = keys, .out_fd = -1, .in_fd = -1, .wake_fd = wake_fd, .ring = ring, .input_op.done = on_input};
	console_watch_init(&console->watch, sink);
	ret = open_output(console, config, err);
	if (ret)
		return ret;
	ret = out_stream_init(&console->out, ring, console->out_fd, wake_fd);
	if (ret)
		return error_set(err, ret, "console: %s", strerror(-ret));
	console->out.on_space = on_space;
	console->out.opaque = console;
	if (config->console == CONFIG_CONSOLE_STDIO && fcntl(STDIN_FILENO, F_GETFD) >= 0)
		console->in_fd = STDIN_FILENO;
	return 0;
}

void console_fini(struct console *console)
{
	terminal_restore();
	if (console->out.bytes)
		out_stream_fini(&console->out);
	if (console->owns_out_fd)
		close_fd(&console->out_fd);
}

void console_attach(struct console *console, struct serial *serial, pthread_mutex_t *dev_lock)
{
	console->serial = serial;
	console->dev_lock = dev_lock;
}

static size_t backend_write(void *opaque, const uint8_t *data, size_t len)
{
	struct console *console = opaque;
	size_t taken = out_stream_put(&console->out, data, len);

	console_watch_feed(&console->watch, data, taken);
	if (taken)
		console->is_midline = data[taken - 1] != '\n';
	return taken;
}

/* The guest takes input (again): the I/O thread offers what waits. */
static void backend_rx_space(void *opaque)
{
	const struct console *console = opaque;

	wake_eventfd(console->wake_fd);
}

struct serial_backend console_backend(struct console *console)
{
	return (struct serial_backend){.write = backend_write, .rx_space = backend_rx_space, .opaque = console};
}

static void on_space(void *opaque)
{
	struct console *console = opaque;

	pthread_mutex_lock(console->dev_lock);
	serial_tx_resume(console->serial);
	pthread_mutex_unlock(console->dev_lock);
}

size_t console_filter_keys(struct console *console, uint8_t *keys, size_t len)
{
	size_t kept = 0;

	for (size_t i = 0; i < len; i++) {
		if (!console->escaped) {
			console->escaped = keys[i] == CONSOLE_ESCAPE;
			if (!console->escaped)
				keys[kept++] = keys[i];
			continue;
		}
		console->escaped = false;
		if (keys[i] == 'x')
			console->keys.quit(console->keys.opaque);
		else if (keys[i] == 'c')
			console->keys.status(console->keys.opaque);
		else if (keys[i] == 'a' || keys[i] == CONSOLE_ESCAPE)
			keys[kept++] = CONSOLE_ESCAPE;
	}
	return kept;
}

static void read_more(struct console *console)
{
	if (console->in_fd < 0 || console->closing || console->input_op.in_flight)
		return;
	/* The ring holds far more ops than this process ever starts. */
	if (uring_read(console->ring, &console->input_op, console->in_fd, console->fresh, sizeof(console->fresh)))
		console->in_fd = -1;
}

/* Offers what was read to the UART; reads on when all of it is gone. A terminal is always read: its escapes must work
 * also while the guest does not listen. */
static void offer_input(struct console *console)
{
	pthread_mutex_lock(console->dev_lock);
	if (serial_is_listening(console->serial))
		console->input_at += serial_receive(console->serial, console->input + console->input_at,
						    console->input_len - console->input_at);
	pthread_mutex_unlock(console->dev_lock);
	if (console->is_terminal || console->input_at == console->input_len)
		read_more(console);
}

/* Adds to what waits. Only a terminal can bring too much; its last keys are lost then, as in a full line discipline. */
static void keep_input(struct console *console, const uint8_t *data, size_t len)
{
	size_t waiting = console->input_len - console->input_at;

	memmove(console->input, console->input + console->input_at, waiting);
	if (len > sizeof(console->input) - waiting)
		len = sizeof(console->input) - waiting;
	memcpy(console->input + waiting, data, len);
	console->input_at = 0;
	console->input_len = waiting + len;
}

static void on_input(struct uring_op *op, int result)
{
	struct console *console = container_of(op, struct console, input_op);
	size_t len;

	if (result == -EINTR) {
		read_more(console);
		return;
	}
	if (result <= 0) { /* end of file: the guest goes on without input */
		console->in_fd = -1;
		return;
	}
	len = (size_t)result;
	if (console->is_terminal)
		len = console_filter_keys(console, console->fresh, len);
	keep_input(console, console->fresh, len);
	offer_input(console);
}

void console_start(struct console *console)
{
	if (console->in_fd < 0)
		return;
	console->is_terminal = terminal_enter_raw(console->in_fd);
	/* A background process that read its terminal would be stopped by SIGTTIN. */
	if (!console->is_terminal && isatty(console->in_fd)) {
		console->in_fd = -1;
		return;
	}
	read_more(console);
}

void console_on_wake(struct console *console)
{
	out_stream_pump(&console->out);
	if (console->input_at < console->input_len)
		offer_input(console);
}

void console_close_input(struct console *console)
{
	console->closing = true;
	uring_cancel(console->ring, &console->input_op);
}
