/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "line_stamp.h"
#include "terminal.h"

/* What is read at once when it becomes longer by quoting. */
#define QUOTED_READ (CONSOLE_INPUT_SIZE / 2 - 1)

_Static_assert(LINE_QUOTE_SIZE(QUOTED_READ) <= CONSOLE_INPUT_SIZE, "all that was read finds room");

/* A pipe at its end is at its end for every read, a terminal for one per end character: a program that asks again, or
 * the next one, would wait for ever. So many come so often, until they fill the terminal and it lowers RTS. */
#define MORE_ENDS    16
#define MORE_ENDS_NS 100000000

static void on_input(struct uring_op *op, int result);
static void on_rest(struct uring_op *op, int result);
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

int console_init(struct console *console, const struct config *config, uint64_t start_ns, struct uring *ring,
		 int wake_fd, struct console_keys keys, struct console_sink sink, struct error *err)
{
	int ret;

	*console = (struct console){.keys = keys,
				    .has_stamps = config->console_time,
				    .start_ns = start_ns,
				    .out_fd = -1,
				    .in_fd = -1,
				    .wake_fd = wake_fd,
				    .ring = ring,
				    .input_op.done = on_input,
				    .rest_op.done = on_rest};
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

/* dev_lock is held. A terminal in raw mode still makes CR LF of LF (terminal.c), so the bytes go out as they are. */
static size_t write_out(struct console *console, const uint8_t *data, size_t len)
{
	size_t taken;

	if (console->has_stamps)
		taken = line_stamp_put(&console->out, console->start_ns, console->is_midline, data, len);
	else
		taken = out_stream_put(&console->out, data, len);
	if (taken)
		console->is_midline = data[taken - 1] != '\n';
	return taken;
}

static size_t backend_write(void *opaque, const uint8_t *data, size_t len)
{
	struct console *console = opaque;
	size_t taken = write_out(console, data, len);

	console_watch_feed(&console->watch, data, taken);
	if (taken)
		console->serial_is_midline = data[taken - 1] != '\n';
	if (console->serial_is_midline)
		console->serial_last_ns = monotonic_ns();
	return taken;
}

/* Would other output now cut a line of COM1's in two? What the queue refused waits in the UART, and goes first. */
static bool is_serial_busy(const struct console *console)
{
	return console->serial->tx_count > 0 ||
	       (console->serial_is_midline && monotonic_ns() < console->serial_last_ns + CONSOLE_LINE_WAIT_NS);
}

size_t console_relay(struct console *console, const uint8_t *data, size_t len)
{
	size_t taken;

	if (is_serial_busy(console))
		return 0;
	taken = write_out(console, data, len);
	console_watch_feed_text(&console->watch, data, taken);
	return taken;
}

/* The guest takes input (again): the I/O thread offers what waits. */
static void backend_rx_space(void *opaque)
{
	struct console *console = opaque;

	input_pace_empty(&console->pace, monotonic_ns());
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

static bool must_quote(const struct console *console)
{
	return console->quotes_input && !console->is_terminal;
}

static void read_more(struct console *console)
{
	if (console->in_fd < 0 || console->closing || console->input_op.in_flight)
		return;
	/* The ring holds far more ops than this process ever starts. */
	if (uring_read(console->ring, &console->input_op, console->in_fd, console->fresh,
		       must_quote(console) ? QUOTED_READ : sizeof(console->fresh)))
		console->in_fd = -1;
}

/* What waits is offered again at @until_ns. */
static void rest(struct console *console, uint64_t until_ns)
{
	if (console->closing || console->rest_op.in_flight || console->input_at == console->input_len)
		return;
	if (uring_timer(console->ring, &console->rest_op, until_ns)) /* as above */
		console->in_fd = -1;
}

/* Under dev_lock. */
static void give_input(struct console *console, uint64_t now)
{
	size_t taken = serial_receive(console->serial, console->input + console->input_at,
				      console->input_len - console->input_at);

	console->input_at += taken;
	if (taken)
		input_pace_fill(&console->pace, now);
}

/* Returns when they may go. */
static uint64_t repeat_end(struct console *console, uint64_t now)
{
	memset(console->input, LINE_QUOTE_END, MORE_ENDS);
	console->input_at = 0;
	console->input_len = MORE_ENDS;
	pthread_mutex_lock(console->dev_lock);
	console->pace.ready_ns = now + MORE_ENDS_NS;
	pthread_mutex_unlock(console->dev_lock);
	return now + MORE_ENDS_NS;
}

/* Offers what was read to the UART; reads on when all of it is gone. A terminal is always read: its escapes must work
 * also while the guest does not listen. */
static void offer_input(struct console *console)
{
	uint64_t now = monotonic_ns(), ready_ns;

	pthread_mutex_lock(console->dev_lock);
	ready_ns = console->pace.ready_ns;
	if (now >= ready_ns && !console->holds_input && serial_is_listening(console->serial))
		give_input(console, now);
	pthread_mutex_unlock(console->dev_lock);
	if (console->has_ended && console->input_at == console->input_len)
		ready_ns = repeat_end(console, now);
	if (now < ready_ns)
		rest(console, ready_ns);
	if (console->is_terminal || console->input_at == console->input_len)
		read_more(console);
}

static void on_rest(struct uring_op *op, int result)
{
	struct console *console = container_of(op, struct console, rest_op);

	(void)result;
	if (console->input_at < console->input_len)
		offer_input(console);
}

void console_hold_input(struct console *console)
{
	console->holds_input = true;
}

void console_release_input(struct console *console)
{
	console->holds_input = false;
	wake_eventfd(console->wake_fd);
}

void console_set_end_of_input(struct console *console, bool sends_end)
{
	console->sends_end = sends_end;
}

void console_quote_input(struct console *console)
{
	console->quotes_input = true;
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
	if (len > 0)
		console->input_is_midline = data[len - 1] != '\n';
}

/* All that was read before is gone. */
static void keep_quoted(struct console *console, const uint8_t *data, size_t len)
{
	console->input_at = 0;
	console->input_len = line_quote_put(&console->quote, console->input, data, len);
	console->input_is_midline = console->quote.line > 0;
}

/* There will be no more. In the midst of a line the first end character only makes the guest's terminal hand out that
 * line; a second one is then the end. */
static void end_input(struct console *console)
{
	static const uint8_t ends[] = {LINE_QUOTE_END, LINE_QUOTE_END};

	console->in_fd = -1;
	if (!console->sends_end || console->is_terminal || console->closing)
		return;
	keep_input(console, ends, console->input_is_midline ? 2 : 1);
	console->has_ended = console->quotes_input;
	offer_input(console);
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
		end_input(console);
		return;
	}
	len = (size_t)result;
	if (console->is_terminal)
		len = console_filter_keys(console, console->fresh, len);
	if (must_quote(console))
		keep_quoted(console, console->fresh, len);
	else
		keep_input(console, console->fresh, len);
	offer_input(console);
}

void console_start(struct console *console)
{
	const bool has_terminal = console->in_fd >= 0 && isatty(console->in_fd);

	/* For a command that has no terminal ours stays as it is: its lines, Ctrl-D and Ctrl-C mean what they always
	 * do. */
	console->is_terminal = has_terminal && !console->quotes_input && terminal_enter_raw(console->in_fd);
	/* A background process that read its terminal would be stopped by SIGTTIN. */
	if (console->in_fd < 0 || (has_terminal && !terminal_is_foreground(console->in_fd)))
		end_input(console);
	else
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
	uring_cancel(console->ring, &console->rest_op);
}
