/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/json_place.h"

#include <string.h>

struct cursor {
	const char *at, *end;
};

static char peek(const struct cursor *c)
{
	return c->at < c->end ? *c->at : 0;
}

static void skip_blanks(struct cursor *c)
{
	while (c->at < c->end && strchr(" \t\r\n", *c->at) && *c->at)
		c->at++;
}

static void skip_char(struct cursor *c)
{
	if (c->at < c->end)
		c->at++;
}

static void skip_string(struct cursor *c)
{
	skip_char(c); /* the quote */
	while (c->at < c->end && *c->at != '"') {
		if (*c->at == '\\')
			skip_char(c);
		skip_char(c);
	}
	skip_char(c);
}

static void skip_value(struct cursor *c)
{
	size_t depth = 0;

	do {
		char byte = peek(c);

		if (byte == '"') {
			skip_string(c);
			continue;
		}
		if (byte == '{' || byte == '[')
			depth++;
		else if ((byte == '}' || byte == ']' || byte == ',') && depth == 0)
			return; /* behind a number or a word */
		else if (byte == '}' || byte == ']')
			depth--;
		skip_char(c);
		/* A number or a word goes on; what began with a bracket ends with its own. */
		if (depth == 0 && (byte == '}' || byte == ']'))
			return;
	} while (c->at < c->end && (depth || !strchr(" \t\r\n,]}", *c->at)));
}

/* From the key to its value. */
static void skip_key(struct cursor *c)
{
	skip_string(c);
	skip_blanks(c);
	skip_char(c); /* the colon */
	skip_blanks(c);
}

/* From a container's bracket to its member or element number @index: to the key, if it has one. */
static bool enter(struct cursor *c, unsigned index)
{
	bool is_object = peek(c) == '{';

	skip_char(c);
	skip_blanks(c);
	for (; index; index--) {
		if (is_object)
			skip_key(c);
		skip_value(c);
		skip_blanks(c);
		skip_char(c); /* the comma */
		skip_blanks(c);
	}
	return is_object;
}

static struct json_place count_lines(const char *text, const char *to)
{
	struct json_place place = {1, 1};

	for (; text < to; text++) {
		if (*text == '\n') {
			place.line++;
			place.column = 1;
		} else if (((unsigned char)*text & 0xc0) != 0x80) {
			place.column++; /* not a further byte of the same character */
		}
	}
	return place;
}

struct json_place json_place_find(const char *text, size_t len, const unsigned *steps, unsigned count, bool at_key)
{
	struct cursor c = {text, text + len};

	skip_blanks(&c);
	for (unsigned i = 0; i < count; i++) {
		bool has_key = enter(&c, steps[i]);

		if (has_key && !(at_key && i + 1 == count))
			skip_key(&c);
	}
	return count_lines(text, c.at);
}
