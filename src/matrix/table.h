/* SPDX-License-Identifier: Apache-2.0 */
/* The live table as text: one row a run, as many as there is room for, and a line with the sums. Pure. */
#ifndef VMM_MATRIX_TABLE_H
#define VMM_MATRIX_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "matrix/plan.h"

#define TABLE_MAX_ROWS	  200
#define TABLE_MAX_COLUMNS 400
/* Text of the largest table: each row may hold colours and ends with an erase and a newline. */
#define TABLE_TEXT_SIZE (TABLE_MAX_ROWS * (TABLE_MAX_COLUMNS + 24) + 1)

struct table_shape {
	unsigned rows, columns; /* of the terminal; no line is as long as a terminal's, and one row stays free */
	bool colour;
	const char *line_end; /* behind each row: "\n", or with an erase before it */
	uint64_t now_ns, start_ns;
};

/* Writes the table, NUL-terminated, to @text, TABLE_TEXT_SIZE bytes. Returns the number of lines. */
unsigned table_format(const struct plan *plan, const struct table_shape *shape, char *text);

/* "12 runs: 9 passed, 2 failed, 1 error", without what there is none of. Returns @buf. */
const char *table_sums(const struct plan *plan, char *buf, size_t size);

#endif
