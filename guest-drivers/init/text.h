/* SPDX-License-Identifier: Apache-2.0 */
/* A line of text for people, put together from pieces; what does not fit is cut. */
#ifndef VMM_INIT_TEXT_H
#define VMM_INIT_TEXT_H

#include <stddef.h>

struct text {
	size_t used;
	char bytes[1000];
};

/* Empties the text and puts @first into it. */
void text_begin(struct text *text, const char *first);
void text_add(struct text *text, const char *more);
void text_add_number(struct text *text, unsigned long value);

/* A name that somebody else chose: control characters become question marks, and a long one is cut. */
void text_add_name(struct text *text, const char *name);

#endif
