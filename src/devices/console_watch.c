/* SPDX-License-Identifier: Apache-2.0 */
/* Line scanner over the guest's console output; the messages are those of Linux's panic(), reboot and init start. */
#include "devices/console_watch.h"

#include <string.h>

#include "base/compiler.h"

/* What stays of an unending line in which nothing was found, so that a message across the border is still seen. */
#define CARRY_SIZE 128

#define ESC 0x1b

struct marker {
	enum console_event event;
	const char *begin;
	const char
		*end; /* the text ends here, and without it there is no event; NULL: it runs to the end of the line */
};

/* "System halted" has no "reboot: " since the early boot code says it too. */
static const struct marker markers[] = {
	{CONSOLE_PANIC, "Kernel panic - not syncing: ", NULL},
	{CONSOLE_INIT_STARTED, "Run /", " as init process"},
	{CONSOLE_HALTED, "System halted", NULL},
	{CONSOLE_POWER_DOWN, "reboot: Power down", NULL},
	{CONSOLE_RESTARTING, "reboot: Restarting system", NULL},
};

struct match {
	enum console_event event;
	size_t begin; /* of the marker, in the line */
	size_t text;
	size_t text_end;
};

static bool find_marker(const struct console_watch *watch, const struct marker *marker, struct match *match)
{
	const char *at = strstr(watch->line, marker->begin);

	if (!at)
		return false;
	const char *text = at + strlen(marker->begin);
	const char *end = marker->end ? strstr(text, marker->end) : watch->line + watch->len;
	if (!end)
		return false;
	if (marker->event == CONSOLE_INIT_STARTED)
		text--; /* the path's slash belongs to the text */
	*match = (struct match){
		.event = marker->event,
		.begin = (size_t)(at - watch->line),
		.text = (size_t)(text - watch->line),
		.text_end = (size_t)(end - watch->line),
	};
	return true;
}

/* panic() repeats its message as a closing line. */
static bool is_closing_line(const struct console_watch *watch, const struct match *match)
{
	static const char closing[] = "---[ end ";
	size_t len = sizeof(closing) - 1;

	return match->begin >= len && memcmp(watch->line + match->begin - len, closing, len) == 0;
}

/* A kernel's message begins its line or follows printk's "[ time] "; a program that quotes one mostly does not. */
static bool is_quoted(const struct console_watch *watch, const struct match *match)
{
	return match->event == CONSOLE_PANIC && match->begin > 0 &&
	       (match->begin < 2 || memcmp(watch->line + match->begin - 2, "] ", 2) != 0);
}

static bool find_message(const struct console_watch *watch, struct match *match)
{
	if (watch->reported)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(markers); i++)
		if (find_marker(watch, &markers[i], match) && !is_closing_line(watch, match) &&
		    !is_quoted(watch, match))
			return true;
	return false;
}

static void report(struct console_watch *watch, enum console_event event, const char *text)
{
	watch->sink.report(watch->sink.opaque, event, text);
}

static void report_match(struct console_watch *watch, const struct match *match)
{
	char text[CONSOLE_LINE_SIZE + 1];
	size_t len = match->text_end - match->text;

	memcpy(text, watch->line + match->text, len);
	text[len] = '\0';
	watch->reported = true;
	report(watch, match->event, text);
}

static void scan_line(struct console_watch *watch)
{
	struct match match;

	watch->line[watch->len] = '\0';
	if (find_message(watch, &match))
		report_match(watch, &match);
}

static void append_tail(struct console_watch *watch, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		watch->tail[(watch->tail_head + watch->tail_count) % CONSOLE_TAIL_SIZE] = text[i];
		if (watch->tail_count < CONSOLE_TAIL_SIZE)
			watch->tail_count++;
		else
			watch->tail_head = (watch->tail_head + 1) % CONSOLE_TAIL_SIZE;
	}
}

/* Moves the first @len characters of the line to the tail. */
static void shift_line(struct console_watch *watch, size_t len)
{
	append_tail(watch, watch->line, len);
	watch->len -= len;
	memmove(watch->line, watch->line + len, watch->len);
}

/* The line is longer than the buffer: a message at its start is reported as far as it is known, one further on moves to
 * the start. */
static void make_room(struct console_watch *watch)
{
	struct match match;

	watch->line[watch->len] = '\0';
	if (!find_message(watch, &match)) {
		shift_line(watch, watch->len - CARRY_SIZE);
	} else if (match.begin > 0) {
		shift_line(watch, match.begin);
	} else {
		report_match(watch, &match);
		shift_line(watch, watch->len);
	}
}

static void end_line(struct console_watch *watch)
{
	scan_line(watch);
	shift_line(watch, watch->len);
	append_tail(watch, "\n", 1);
	watch->reported = false;
}

/* What follows a lone CR overwrites the line on a terminal: progress bars do not fill the tail. */
static void restart_line(struct console_watch *watch)
{
	scan_line(watch);
	watch->len = 0;
	watch->reported = false;
	watch->returned = false;
}

/* Escape sequences (ECMA-48): CSI ends with 0x40-0x7e, a string (OSC, DCS and such) with BEL or ESC \. True when @byte
 * belongs to one. */
static bool skip_escape(struct console_watch *watch, uint8_t byte)
{
	switch (watch->escape) {
	case ESCAPE_START:
		if (byte == '[')
			watch->escape = ESCAPE_CSI;
		else if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_')
			watch->escape = ESCAPE_STRING;
		else if (byte < 0x20 || byte >= 0x30) /* else an intermediate byte */
			watch->escape = ESCAPE_NONE;
		return true;
	case ESCAPE_CSI:
		if (byte >= 0x40)
			watch->escape = ESCAPE_NONE;
		return true;
	case ESCAPE_STRING:
		if (byte == '\a')
			watch->escape = ESCAPE_NONE;
		return true;
	default:
		return false;
	}
}

/* Line ends and ESC also end an escape sequence that was broken off, so that it cannot hide what follows. */
static bool handle_control(struct console_watch *watch, uint8_t byte)
{
	if (byte != '\n' && byte != '\r' && byte != ESC)
		return false;
	watch->escape = byte == ESC ? ESCAPE_START : ESCAPE_NONE;
	if (byte == '\n')
		end_line(watch);
	else if (byte == '\r')
		watch->returned = true;
	return true;
}

static void feed_byte(struct console_watch *watch, uint8_t byte)
{
	if (handle_control(watch, byte) || skip_escape(watch, byte))
		return;
	if (byte == '\t')
		byte = ' ';
	if (byte < 0x20 || byte > 0x7e)
		return;
	if (watch->returned)
		restart_line(watch);
	if (watch->len == CONSOLE_LINE_SIZE)
		make_room(watch);
	watch->line[watch->len++] = (char)byte;
}

void console_watch_init(struct console_watch *watch, struct console_sink sink)
{
	*watch = (struct console_watch){.sink = sink};
}

void console_watch_feed(struct console_watch *watch, const uint8_t *data, size_t len)
{
	if (len > 0 && !watch->started) {
		watch->started = true;
		report(watch, CONSOLE_FIRST_OUTPUT, "");
	}
	for (size_t i = 0; i < len; i++)
		feed_byte(watch, data[i]);
}

void console_watch_finish(struct console_watch *watch)
{
	scan_line(watch);
}

/* Character @i of the tail followed by the current line. */
static char tail_char(const struct console_watch *watch, size_t i)
{
	if (i < watch->tail_count)
		return watch->tail[(watch->tail_head + i) % CONSOLE_TAIL_SIZE];
	return watch->line[i - watch->tail_count];
}

size_t console_watch_tail(const struct console_watch *watch, char *buf, size_t size)
{
	size_t total = watch->tail_count + watch->len;
	size_t start = total > size - 1 ? total - (size - 1) : 0;
	bool is_cut = start > 0 || watch->tail_count == CONSOLE_TAIL_SIZE;
	size_t len = 0;

	/* A line whose beginning is lost is left out, unless it is all there is. */
	for (size_t i = start > 0 ? start - 1 : 0; is_cut && i < total; i++) {
		if (tail_char(watch, i) == '\n' && i + 1 < total) {
			start = i + 1;
			break;
		}
	}
	while (start < total)
		buf[len++] = tail_char(watch, start++);
	buf[len] = '\0';
	return len;
}
