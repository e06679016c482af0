/* SPDX-License-Identifier: Apache-2.0 */
/* Line scanner over the guest's console output; the messages are those of Linux's panic(), reboot and init start. */
#include "devices/console_watch.h"

#include <string.h>

#include "base/compiler.h"
#include "devices/kernel_lines.h"

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
	size_t begin; /* of what is needed to find it again, in the line */
	size_t text;
	size_t text_end;
};

static bool find_marker(const struct console_line *line, const struct marker *marker, struct match *match)
{
	const char *at = strstr(line->text, marker->begin);

	if (!at)
		return false;
	const char *text = at + strlen(marker->begin);
	const char *end = marker->end ? strstr(text, marker->end) : line->text + line->len;
	if (!end)
		return false;
	if (marker->event == CONSOLE_INIT_STARTED)
		text--; /* the path's slash belongs to the text */
	*match = (struct match){
		.event = marker->event,
		.begin = (size_t)(at - line->text),
		.text = (size_t)(text - line->text),
		.text_end = (size_t)(end - line->text),
	};
	return true;
}

/* panic() repeats its message as a closing line. */
static bool is_closing_line(const struct console_line *line, const struct match *match)
{
	static const char closing[] = "---[ end ";
	size_t len = sizeof(closing) - 1;

	return match->begin >= len && memcmp(line->text + match->begin - len, closing, len) == 0;
}

/* A kernel's message begins its line or follows printk's "[ time] "; a program that quotes one mostly does not. */
static bool is_quoted(const struct console_line *line, const struct match *match)
{
	return match->event == CONSOLE_PANIC && match->begin > 0 &&
	       (match->begin < 2 || memcmp(line->text + match->begin - 2, "] ", 2) != 0);
}

static bool find_marked(const struct console_line *line, struct match *match)
{
	for (size_t i = 0; i < ARRAY_SIZE(markers); i++)
		if (find_marker(line, &markers[i], match) && !is_closing_line(line, match) && !is_quoted(line, match))
			return true;
	return false;
}

/* Is there a fault's message at @at, behind @prefix characters of printk's? */
static bool is_fault(const struct console_line *line, size_t at, size_t prefix, struct match *match)
{
	enum kernel_line kind = kernel_lines_judge(line->text + at + prefix);

	*match = (struct match){
		.event = kind == KERNEL_LINE_WARN ? CONSOLE_WARN : CONSOLE_OOPS,
		.begin = at,
		.text = at + prefix,
		.text_end = line->len,
	};
	return kind != KERNEL_LINE_PLAIN;
}

/* The first of printk's prefixes from @from on; its length goes to *prefix, 0 when there is none. */
static size_t find_prefix(const struct console_line *line, size_t from, size_t *prefix)
{
	const char *at = line->text + from;

	*prefix = 0;
	while (*prefix == 0 && (at = strchr(at, '[')) != NULL)
		*prefix = kernel_lines_prefix(at++);
	return at ? (size_t)(at - 1 - line->text) : line->len;
}

static bool find_fault(const struct console_watch *watch, const struct console_line *line, struct match *match)
{
	size_t prefix, at = find_prefix(line, 0, &prefix);

	if (!watch->stamps && !line->cut && is_fault(line, 0, 0, match))
		return true;
	for (; prefix > 0; at = find_prefix(line, at + prefix, &prefix))
		if (is_fault(line, at, prefix, match))
			return true;
	return false;
}

static bool find_message(struct console_watch *watch, const struct console_line *line, struct match *match)
{
	if (line->reported)
		return false;
	if (!line->cut && kernel_lines_prefix(line->text) > 0)
		watch->stamps = true;
	return find_marked(line, match) || find_fault(watch, line, match);
}

static void report(struct console_watch *watch, enum console_event event, const char *text)
{
	watch->sink.report(watch->sink.opaque, event, text);
}

static void report_match(struct console_watch *watch, struct console_line *line, const struct match *match)
{
	char text[CONSOLE_LINE_SIZE + 1];
	size_t len = match->text_end - match->text;

	memcpy(text, line->text + match->text, len);
	text[len] = '\0';
	line->reported = true;
	report(watch, match->event, text);
}

static bool is_spoken(const struct console_watch *watch, const struct console_line *line)
{
	return line == &watch->spoken;
}

static void scan_line(struct console_watch *watch, struct console_line *line)
{
	struct match match;

	line->text[line->len] = '\0';
	if (is_spoken(watch, line) && find_message(watch, line, &match))
		report_match(watch, line, &match);
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

/* Moves the first @len characters of the line to the tail, not into the midst of the other source's line. */
static void shift_line(struct console_watch *watch, struct console_line *line, size_t len)
{
	struct console_line *other = is_spoken(watch, line) ? &watch->quiet : &watch->spoken;

	if (other->in_tail)
		append_tail(watch, "\n", 1);
	other->in_tail = false;
	append_tail(watch, line->text, len);
	line->in_tail = true;
	line->cut = true;
	line->len -= len;
	memmove(line->text, line->text + len, line->len);
}

/* How much of a full line in which nothing was found can go: up to a prefix whose message may not be complete yet. */
static size_t settled_len(const struct console_line *line)
{
	size_t prefix, at = find_prefix(line, 1, &prefix);

	return prefix > 0 && at < line->len - CARRY_SIZE ? at : line->len - CARRY_SIZE;
}

/* The line is longer than the buffer: a message at its start is reported as far as it is known, one further on moves to
 * the start. */
static void make_room(struct console_watch *watch, struct console_line *line)
{
	struct match match;

	line->text[line->len] = '\0';
	if (!is_spoken(watch, line)) {
		shift_line(watch, line, line->len);
	} else if (!find_message(watch, line, &match)) {
		shift_line(watch, line, settled_len(line));
	} else if (match.begin > 0) {
		shift_line(watch, line, match.begin);
	} else {
		report_match(watch, line, &match);
		shift_line(watch, line, line->len);
	}
}

static void begin_line(struct console_line *line)
{
	line->len = 0;
	line->reported = false;
	line->returned = false;
	line->cut = false;
}

static void end_line(struct console_watch *watch, struct console_line *line)
{
	scan_line(watch, line);
	shift_line(watch, line, line->len);
	append_tail(watch, "\n", 1);
	line->in_tail = false;
	begin_line(line);
}

/* What follows a lone CR overwrites the line on a terminal: progress bars do not fill the tail. */
static void restart_line(struct console_watch *watch, struct console_line *line)
{
	scan_line(watch, line);
	begin_line(line);
}

/* Escape sequences (ECMA-48): CSI ends with 0x40-0x7e, a string (OSC, DCS and such) with BEL or ESC \. True when @byte
 * belongs to one. */
static bool skip_escape(struct console_line *line, uint8_t byte)
{
	switch (line->escape) {
	case ESCAPE_START:
		if (byte == '[')
			line->escape = ESCAPE_CSI;
		else if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_')
			line->escape = ESCAPE_STRING;
		else if (byte < 0x20 || byte >= 0x30) /* else an intermediate byte */
			line->escape = ESCAPE_NONE;
		return true;
	case ESCAPE_CSI:
		if (byte >= 0x40)
			line->escape = ESCAPE_NONE;
		return true;
	case ESCAPE_STRING:
		if (byte == '\a')
			line->escape = ESCAPE_NONE;
		return true;
	default:
		return false;
	}
}

/* Line ends and ESC also end an escape sequence that was broken off, so that it cannot hide what follows. */
static bool handle_control(struct console_watch *watch, struct console_line *line, uint8_t byte)
{
	if (byte != '\n' && byte != '\r' && byte != ESC)
		return false;
	line->escape = byte == ESC ? ESCAPE_START : ESCAPE_NONE;
	if (byte == '\n')
		end_line(watch, line);
	else if (byte == '\r')
		line->returned = true;
	return true;
}

static void feed_byte(struct console_watch *watch, struct console_line *line, uint8_t byte)
{
	if (handle_control(watch, line, byte) || skip_escape(line, byte))
		return;
	if (byte == '\t')
		byte = ' ';
	if (byte < 0x20 || byte > 0x7e)
		return;
	if (line->returned)
		restart_line(watch, line);
	if (line->len == CONSOLE_LINE_SIZE)
		make_room(watch, line);
	line->text[line->len++] = (char)byte;
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
		feed_byte(watch, &watch->spoken, data[i]);
}

void console_watch_feed_text(struct console_watch *watch, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		feed_byte(watch, &watch->quiet, data[i]);
}

void console_watch_finish(struct console_watch *watch)
{
	scan_line(watch, &watch->spoken);
}

/* What the tail shows: the ring, the line of which it holds a part, and the other source's, on a line of its own. */
struct tail_view {
	const struct console_watch *watch;
	const struct console_line *first, *second;
	size_t separator; /* 1: a newline stands between the two lines */
	size_t total;
};

static struct tail_view view_tail(const struct console_watch *watch)
{
	bool quiet_first = watch->quiet.in_tail;
	struct tail_view view = {
		.watch = watch,
		.first = quiet_first ? &watch->quiet : &watch->spoken,
		.second = quiet_first ? &watch->spoken : &watch->quiet,
	};

	view.separator = view.second->len > 0 && view.first->len > 0;
	view.total = watch->tail_count + view.first->len + view.separator + view.second->len;
	return view;
}

static char tail_char(const struct tail_view *view, size_t i)
{
	const struct console_watch *watch = view->watch;

	if (i < watch->tail_count)
		return watch->tail[(watch->tail_head + i) % CONSOLE_TAIL_SIZE];
	i -= watch->tail_count;
	if (i < view->first->len)
		return view->first->text[i];
	i -= view->first->len;
	if (i < view->separator)
		return '\n';
	return view->second->text[i - view->separator];
}

size_t console_watch_tail(const struct console_watch *watch, char *buf, size_t size)
{
	const struct tail_view view = view_tail(watch);
	size_t start = view.total > size - 1 ? view.total - (size - 1) : 0;
	bool is_cut = start > 0 || watch->tail_count == CONSOLE_TAIL_SIZE;
	size_t len = 0;

	/* A line whose beginning is lost is left out, unless it is all there is. */
	for (size_t i = start > 0 ? start - 1 : 0; is_cut && i < view.total; i++) {
		if (tail_char(&view, i) == '\n' && i + 1 < view.total) {
			start = i + 1;
			break;
		}
	}
	while (start < view.total)
		buf[len++] = tail_char(&view, start++);
	buf[len] = '\0';
	return len;
}
