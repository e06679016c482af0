/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/plain_line.h"

#include <stdbool.h>

#define ESCAPE 0x1b

/* Length of the escape sequence at @p (ECMA-48, 5.3 and 5.4), ESC included. */
static size_t skip_escape(const char *p, size_t len)
{
	size_t at = 1;

	if (len < 2)
		return len;
	if (p[1] != '[')
		return 2;
	/* Parameters and intermediates, then one final byte. */
	for (at = 2; at < len && p[at] >= 0x20 && p[at] <= 0x3f; at++)
		;
	return at < len ? at + 1 : len;
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Returns how many characters were written. */
static size_t clean(const char *p, size_t len, char *line, size_t size)
{
	size_t out = 0, at = 0;

	while (at < len && out + 1 < size) {
		if (p[at] == ESCAPE) {
			at += skip_escape(p + at, len - at);
			continue;
		}
		if (p[at] == '\t')
			line[out++] = ' ';
		else if (p[at] >= ' ' && p[at] <= '~')
			line[out++] = p[at];
		else if ((p[at] & 0x80) && !is_continuation(p[at]))
			line[out++] = '?';
		at++;
	}
	while (out && line[out - 1] == ' ')
		out--;
	line[out] = 0;
	return out;
}

static bool ends_line(char c)
{
	return c == '\n' || c == '\r';
}

void plain_line_last(const char *text, size_t len, char *line, size_t size)
{
	size_t end = len, start;

	line[0] = 0;
	while (end) {
		for (start = end; start && !ends_line(text[start - 1]); start--)
			;
		if (clean(text + start, end - start, line, size))
			return;
		end = start ? start - 1 : 0;
	}
}
