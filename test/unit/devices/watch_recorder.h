/* SPDX-License-Identifier: Apache-2.0 */
/* A console watch that is fed text, and the events it gave. */
#ifndef VMM_TEST_WATCH_RECORDER_H
#define VMM_TEST_WATCH_RECORDER_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "devices/console_watch.h"

#define MAX_EVENTS 16

struct fixture {
	struct console_watch watch;
	unsigned count;
	enum console_event events[MAX_EVENTS];
	char texts[MAX_EVENTS][CONSOLE_LINE_SIZE + 1];
};

static inline void record_event(void *opaque, enum console_event event, const char *text)
{
	struct fixture *f = opaque;

	assert_true(f->count < MAX_EVENTS);
	f->events[f->count] = event;
	strcpy(f->texts[f->count], text);
	f->count++;
}

static inline int set_up(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){0};
	console_watch_init(&fixture.watch, (struct console_sink){.report = record_event, .opaque = &fixture});
	*state = &fixture;
	return 0;
}

static inline void feed(struct fixture *f, const char *text)
{
	console_watch_feed(&f->watch, (const uint8_t *)text, strlen(text));
}

static inline void feed_text(struct fixture *f, const char *text)
{
	console_watch_feed_text(&f->watch, (const uint8_t *)text, strlen(text));
}

/* The first output has been seen already: only what @text tells is recorded. */
static inline void feed_more(struct fixture *f, const char *text)
{
	f->watch.started = true;
	feed(f, text);
}

static inline void assert_only_event(const struct fixture *f, enum console_event event, const char *text)
{
	assert_int_equal(f->count, 1);
	assert_int_equal(f->events[0], event);
	assert_string_equal(f->texts[0], text);
}

static inline void assert_tail(const struct fixture *f, size_t size, const char *expected)
{
	char tail[CONSOLE_TAIL_SIZE + CONSOLE_LINE_SIZE + 1];

	assert_true(size <= sizeof(tail));
	memset(tail, 0x7e, sizeof(tail));
	assert_int_equal(console_watch_tail(&f->watch, tail, size), strlen(expected));
	assert_string_equal(tail, expected);
}

#endif
