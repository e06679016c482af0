/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#define FIRST_PRINTABLE ' '
#define LONG_NAME	500
#define DELETE		0x7f

static void add_byte(struct text *text, char byte)
{
	if (text->used < sizeof(text->bytes))
		text->bytes[text->used++] = byte;
}

void text_begin(struct text *text, const char *first)
{
	text->used = 0;
	text_add(text, first);
}

void text_add(struct text *text, const char *more)
{
	for (; *more; more++)
		add_byte(text, *more);
}

void text_add_number(struct text *text, unsigned long value)
{
	char digits[21];
	size_t at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	text_add(text, &digits[at]);
}

void text_add_name(struct text *text, const char *name)
{
	for (size_t len = 0; *name; name++, len++) {
		unsigned char byte = (unsigned char)*name;

		if (len == LONG_NAME) {
			text_add(text, "...");
			return;
		}
		add_byte(text, byte < FIRST_PRINTABLE || byte == DELETE ? '?' : *name);
	}
}
