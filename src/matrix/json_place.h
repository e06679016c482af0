/* SPDX-License-Identifier: Apache-2.0 */
/* Where a value of a JSON text stands, for messages: the parser tells that only for errors of syntax. Pure. */
#ifndef VMM_MATRIX_JSON_PLACE_H
#define VMM_MATRIX_JSON_PLACE_H

#include <stdbool.h>
#include <stddef.h>

struct json_place {
	unsigned line, column; /* from 1; columns count characters */
};

/* @text is JSON that the parser accepted. @steps lead to a value: each is the number, from 0, of a member or an element
 * within the one before. @at_key: where the last member's key stands, not its value. */
struct json_place json_place_find(const char *text, size_t len, const unsigned *steps, unsigned count, bool at_key);

#endif
