/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads along with the guest's console and reports what its kernel says about its life: started, complained, panicked,
 * halted. Also keeps the last lines for reports. Pure: fed by whoever takes the output, with that caller's lock.
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
	CONSOLE_HALTED,	      /* this and the next two: text is the rest of the line */
	CONSOLE_POWER_DOWN,
	CONSOLE_RESTARTING,
	CONSOLE_WARN, /* kernel_lines.h; text: the line without printk's prefix. One trouble may give several lines. */
	CONSOLE_OOPS, /* so too */
};

/*
 * @text is printable ASCII, valid during the call. A guest's programs can print all of these lines too: they are what
 * the console says, not proof.
 *
 * CONSOLE_WARN and CONSOLE_OOPS count directly behind printk's prefix ("[   12.345678] "), wherever it stands: a
 * kernel's message follows a prompt on its line. At the line's beginning they count as long as no line has begun with
 * such a prefix: then the kernel is one that does not print it (printk.time=0). So a program's own "BUG: ..." is no
 * event; one that prints the prefix too (dmesg does), or writes to /dev/kmsg, can forge them, and on a kernel without
 * prefixes, by printing one, hide those to come. Output that comes by console_watch_feed_text can do neither.
 */
struct console_sink {
	void (*report)(void *opaque, enum console_event event, const char *text);
	void *opaque;
};

#define CONSOLE_LINE_SIZE 512
#define CONSOLE_TAIL_SIZE 4096

enum console_escape { ESCAPE_NONE, ESCAPE_START, ESCAPE_CSI, ESCAPE_STRING };

/* The line under way of one source. */
struct console_line {
	char text[CONSOLE_LINE_SIZE + 1]; /* printable characters not yet in the tail */
	size_t len;
	bool reported; /* it already gave its event */
	bool returned; /* after a CR: the next character starts the line again */
	bool cut;      /* its beginning is not in @text any more */
	bool in_tail;  /* the tail ends with a part of it */
	enum console_escape escape;
};

struct console_watch {
	struct console_sink sink;
	struct console_line spoken; /* of the console: the kernel's and everybody's */
	struct console_line quiet;  /* of console_watch_feed_text */
	bool started;
	bool stamps;		      /* a line has begun with printk's prefix */
	char tail[CONSOLE_TAIL_SIZE]; /* ring */
	size_t tail_head, tail_count;
};

void console_watch_init(struct console_watch *watch, struct console_sink sink);

void console_watch_feed(struct console_watch *watch, const uint8_t *data, size_t len);

/* Output that is not the kernel's: it gives no events and is only kept for the tail, in lines of its own. */
void console_watch_feed_text(struct console_watch *watch, const uint8_t *data, size_t len);

/* No more output will come: looks also at the last, unfinished line. */
void console_watch_finish(struct console_watch *watch);

/* Copies the last lines, whole ones from the first on, as many as fit, NUL-terminated, without escape sequences.
 * Returns the length. @size is at least 1. */
size_t console_watch_tail(const struct console_watch *watch, char *buf, size_t size);

#endif
