/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side of COM1: output through a bounded queue to stdout or a file, input from stdin with the Ctrl-A
 * escapes, and the watch that reads along. What the guest sends while the queue is full waits in the UART, as on a slow
 * line. A command's output that comes another way (relay) joins it between COM1's lines.
 */
#ifndef VMM_CONSOLE_H
#define VMM_CONSOLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/uring.h"
#include "config.h"
#include "devices/console_watch.h"
#include "devices/serial.h"
#include "input_pace.h"
#include "line_quote.h"
#include "out_stream.h"

#define CONSOLE_ESCAPE	   0x01 /* Ctrl-A */
#define CONSOLE_INPUT_SIZE 256
/* Where every instruction of the guest's kernel is emulated, 16 bytes take COM1 less than a millisecond; the rest is
 * for a vCPU that has to wait for a CPU of the host. */
#define CONSOLE_LINE_WAIT_NS 50000000

/* What the user asked for with an escape. Called on the I/O thread. */
struct console_keys {
	void (*quit)(void *opaque);
	void (*status)(void *opaque);
	void *opaque;
};

struct console {
	struct serial *serial;	   /* borrowed, guarded by dev_lock */
	pthread_mutex_t *dev_lock; /* borrowed */
	struct console_keys keys;
	struct console_watch watch; /* guarded by dev_lock */
	struct out_stream out;
	bool has_stamps;
	uint64_t start_ns;
	int out_fd;
	bool owns_out_fd;
	int wake_fd; /* borrowed */
	struct uring *ring;
	struct uring_op input_op;
	struct uring_op rest_op; /* until pace.ready_ns */
	struct input_pace pace;	 /* guarded by dev_lock */
	int in_fd;		 /* -1: no input */
	bool is_terminal;	 /* raw: escapes are looked for */
	bool escaped;		 /* the last key was Ctrl-A */
	bool closing;
	bool sends_end;	   /* see console_set_end_of_input */
	bool quotes_input; /* see console_quote_input */
	bool has_ended;	   /* such an input: its end is repeated */
	struct line_quote quote;
	bool input_is_midline;		   /* the last byte of input was no newline */
	bool holds_input;		   /* guarded by dev_lock */
	bool is_midline;		   /* the last byte of output was no newline; guarded by dev_lock */
	bool serial_is_midline;		   /* COM1's last byte was none; guarded by dev_lock */
	uint64_t serial_last_ns;	   /* when COM1 last sent such a byte; guarded by dev_lock */
	uint8_t fresh[CONSOLE_INPUT_SIZE]; /* where input_op reads to */
	uint8_t input[CONSOLE_INPUT_SIZE]; /* what waits for the guest: input_at to input_len */
	size_t input_at, input_len;
};

/* Opens what @config says. @start_ns: what --console-time counts from (CLOCK_MONOTONIC). 0, or -errno with a line in
 * @err; console_fini is due either way. */
MUST_CHECK int console_init(struct console *console, const struct config *config, uint64_t start_ns, struct uring *ring,
			    int wake_fd, struct console_keys keys, struct console_sink sink, struct error *err);
void console_fini(struct console *console);

/* Connects the UART, whose back-end is console_backend(). Before any vCPU runs. */
void console_attach(struct console *console, struct serial *serial, pthread_mutex_t *dev_lock);
struct serial_backend console_backend(struct console *console);

/*
 * Output of a command in the guest that did not come through COM1: no kernel's message is looked for in it. Takes what
 * it can and returns how much that was: fewer bytes when the queue is full, none while COM1 has bytes waiting or is in
 * the midst of a line (until it has been silent for CONSOLE_LINE_WAIT_NS: a prompt). Nobody tells when there is room
 * again: the caller offers the rest later. Under dev_lock.
 */
size_t console_relay(struct console *console, const uint8_t *data, size_t len);

/* Nothing is offered to the guest until console_release_input; escapes work. Before console_start. */
void console_hold_input(struct console *console);
/* Any thread, under dev_lock. */
void console_release_input(struct console *console);

/* Whether the end of an input that is no terminal is told to the guest's terminal, by the character that means it
 * there (Ctrl-D, when the terminal is in canonical mode). No input at all ends at once. Before console_start. */
void console_set_end_of_input(struct console *console, bool sends_end);

/* Every byte of an input that is no terminal is meant for the program behind the guest's terminal, none for that
 * terminal itself, which is in canonical mode (guest-drivers/init/console.h). A terminal of ours that is the input
 * stays in the mode it is in, and is read by lines. Before console_start. */
void console_quote_input(struct console *console);

/* Puts the terminal into raw mode and starts reading input. I/O thread. */
void console_start(struct console *console);
/* The wake-up arrived: writes what waits, offers input again. I/O thread. */
void console_on_wake(struct console *console);
/* No more input. I/O thread. */
void console_close_input(struct console *console);

/* Filters @len keys in place for Ctrl-A x (quit), c (status), a (a Ctrl-A for the guest); returns what is left. */
size_t console_filter_keys(struct console *console, uint8_t *keys, size_t len);

#endif
