/* SPDX-License-Identifier: Apache-2.0 */
/* The depth is bounded by the stack of open brackets, not by recursion. */
#include "json_check.h"

#include <stdio.h>
#include <string.h>

#define MAX_DEPTH 16

struct scanner {
	const char *at, *end;
};

static bool take(struct scanner *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

static bool take_word(struct scanner *s, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
		return false;
	s->at += len;
	return true;
}

static bool take_hex4(struct scanner *s)
{
	for (int i = 0; i < 4; i++, s->at++)
		if (s->at == s->end || !*s->at || !strchr("0123456789abcdefABCDEF", *s->at))
			return false;
	return true;
}

static bool take_string(struct scanner *s)
{
	if (!take(s, '"'))
		return false;
	while (s->at < s->end && *s->at != '"') {
		unsigned char c = (unsigned char)*s->at++;

		if (c < ' ')
			return false;
		if (c != '\\')
			continue;
		if (take(s, 'u')) {
			if (!take_hex4(s))
				return false;
		} else if (s->at == s->end || !*s->at || !strchr("\"\\/bfnrt", *s->at++)) {
			return false;
		}
	}
	return take(s, '"');
}

static bool take_digits(struct scanner *s)
{
	const char *start = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > start;
}

static bool take_number(struct scanner *s)
{
	(void)take(s, '-');
	if (!take(s, '0') && !take_digits(s))
		return false;
	if (take(s, '.') && !take_digits(s))
		return false;
	if (!take(s, 'e') && !take(s, 'E'))
		return true;
	if (!take(s, '+'))
		(void)take(s, '-');
	return take_digits(s);
}

static bool take_scalar(struct scanner *s)
{
	return take_string(s) || take_number(s) || take_word(s, "true") || take_word(s, "false") ||
	       take_word(s, "null");
}

static bool take_key(struct scanner *s)
{
	return take_string(s) && take(s, ':');
}

/* Behind a value: closes brackets, up to the next value. False at an error; depth 0 is the end. */
static bool go_on(struct scanner *s, const char *open, unsigned *depth)
{
	while (*depth > 0) {
		char kind = open[*depth - 1];

		if (take(s, ','))
			return kind == '[' || take_key(s);
		if (!take(s, kind == '{' ? '}' : ']'))
			return false;
		--*depth;
	}
	return true;
}

/* vmm writes no white space between tokens, and none is allowed here. */
static bool take_value(struct scanner *s)
{
	char open[MAX_DEPTH];
	unsigned depth = 0;

	do {
		bool object = take(s, '{');

		if (object || take(s, '[')) {
			if (depth == MAX_DEPTH)
				return false;
			open[depth++] = object ? '{' : '[';
			if (s->at < s->end && *s->at == (object ? '}' : ']')) {
				s->at++;
				depth--;
			} else if (object && !take_key(s)) {
				return false;
			} else {
				continue;
			}
		} else if (!take_scalar(s)) {
			return false;
		}
		if (!go_on(s, open, &depth))
			return false;
	} while (depth > 0);
	return true;
}

bool json_check_object(const char *text, size_t len)
{
	struct scanner s = {.at = text, .end = text + len};

	return len > 0 && *text == '{' && take_value(&s) && s.at == s.end;
}

/* The scanner stands at an object; afterwards at the value of @key in it. */
static bool enter_key(struct scanner *s, const char *key, size_t len)
{
	if (!take(s, '{'))
		return false;
	do {
		const char *name = s->at + 1;

		if (!take_key(s))
			return false;
		/* Between the quotes; the colon is behind them. */
		if ((size_t)(s->at - 2 - name) == len && memcmp(name, key, len) == 0)
			return true;
		if (!take_value(s))
			return false;
	} while (take(s, ','));
	return false;
}

bool json_check_find(const char *text, const char *key, char *buf, size_t size)
{
	struct scanner s = {.at = text, .end = text + strlen(text)};
	const char *dot = strchr(key, '.'), *start;

	if (dot && !enter_key(&s, key, (size_t)(dot - key)))
		return false;
	if (!enter_key(&s, dot ? dot + 1 : key, strlen(dot ? dot + 1 : key)))
		return false;
	start = s.at;
	if (!take_value(&s))
		return false;
	if (*start == '"')
		snprintf(buf, size, "%.*s", (int)(s.at - start - 2), start + 1);
	else
		snprintf(buf, size, "%.*s", (int)(s.at - start), start);
	return true;
}
