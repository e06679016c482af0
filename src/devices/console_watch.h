/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads along with the guest's console and reports what its kernel says about its life: started, panicked, halted. Also
 * keeps the last lines for reports. Pure: fed by whoever takes the console's output, with that caller's lock.
 */
#ifndef VMM_DEVICES_CONSOLE_WATCH_H
#define VMM_DEVICES_CONSOLE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum console_event {
	CONSOLE_FIRST_OUTPUT, /* text: empty */
	CONSOLE_INIT_STARTED, /* text: the program's path */
	CONSOLE_PANIC,	      /* text: the reason */
	CONSOLE_HALTED,	      /* this and those below: text is the rest of the line */
	CONSOLE_POWER_DOWN,
	CONSOLE_RESTARTING,
};

/* @text is printable ASCII, valid during the call. A guest's programs can print all of these lines too: they are what
 * the console says, not proof. */
struct console_sink {
	void (*report)(void *opaque, enum console_event event, const char *text);
	void *opaque;
};

#define CONSOLE_LINE_SIZE 512
#define CONSOLE_TAIL_SIZE 4096

enum console_escape { ESCAPE_NONE, ESCAPE_START, ESCAPE_CSI, ESCAPE_STRING };

struct console_watch {
	struct console_sink sink;
	char line[CONSOLE_LINE_SIZE + 1]; /* printable characters of the current line not yet in @tail */
	size_t len;
	bool reported; /* the current line already gave its event */
	bool returned; /* after a CR: the next character starts the line again */
	bool started;
	enum console_escape escape;
	char tail[CONSOLE_TAIL_SIZE]; /* ring */
	size_t tail_head, tail_count;
};

void console_watch_init(struct console_watch *watch, struct console_sink sink);

void console_watch_feed(struct console_watch *watch, const uint8_t *data, size_t len);

/* No more output will come: looks also at the last, unfinished line. */
void console_watch_finish(struct console_watch *watch);

/* Copies the last lines, whole ones from the first on, as many as fit, NUL-terminated, without escape sequences.
 * Returns the length. @size is at least 1. */
size_t console_watch_tail(const struct console_watch *watch, char *buf, size_t size);

#endif
