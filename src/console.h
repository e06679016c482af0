/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side of COM1: output through a bounded queue to stdout or a file, input from stdin with the Ctrl-A
 * escapes, and the watch that reads along. What the guest sends while the queue is full waits in the UART, as on a slow
 * line.
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
#include "out_stream.h"

#define CONSOLE_ESCAPE	   0x01 /* Ctrl-A */
#define CONSOLE_INPUT_SIZE 256

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
	int out_fd;
	bool owns_out_fd;
	int wake_fd; /* borrowed */
	struct uring *ring;
	struct uring_op input_op;
	int in_fd;	  /* -1: no input */
	bool is_terminal; /* raw: escapes are looked for */
	bool escaped;	  /* the last key was Ctrl-A */
	bool closing;
	bool is_midline;		   /* the last byte of output was no newline; guarded by dev_lock */
	uint8_t fresh[CONSOLE_INPUT_SIZE]; /* where input_op reads to */
	uint8_t input[CONSOLE_INPUT_SIZE]; /* what waits for the guest: input_at to input_len */
	size_t input_at, input_len;
};

/* Opens what @config says. 0, or -errno with a line in @err; console_fini is due either way. */
MUST_CHECK int console_init(struct console *console, const struct config *config, struct uring *ring, int wake_fd,
			    struct console_keys keys, struct console_sink sink, struct error *err);
void console_fini(struct console *console);

/* Connects the UART, whose back-end is console_backend(). Before any vCPU runs. */
void console_attach(struct console *console, struct serial *serial, pthread_mutex_t *dev_lock);
struct serial_backend console_backend(struct console *console);

/* Puts the terminal into raw mode and starts reading input. I/O thread. */
void console_start(struct console *console);
/* The wake-up arrived: writes what waits, offers input again. I/O thread. */
void console_on_wake(struct console *console);
/* No more input. I/O thread. */
void console_close_input(struct console *console);

/* Filters @len keys in place for Ctrl-A x (quit), c (status), a (a Ctrl-A for the guest); returns what is left. */
size_t console_filter_keys(struct console *console, uint8_t *keys, size_t len);

#endif
