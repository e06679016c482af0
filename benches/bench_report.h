/* SPDX-License-Identifier: Apache-2.0 */
/* Text tables: filled cell by cell, printed with aligned columns; the first column to the left, the others to the
 * right. */
#ifndef VMM_BENCH_REPORT_H
#define VMM_BENCH_REPORT_H

#include <stddef.h>

#include "bench.h"

#define BENCH_TABLE_COLUMNS 10
#define BENCH_TABLE_ROWS    64
#define BENCH_CELL_SIZE	    96

struct bench_table {
	size_t rows, columns, filled; /* filled: cells of the row that is being written */
	char cells[BENCH_TABLE_ROWS][BENCH_TABLE_COLUMNS][BENCH_CELL_SIZE];
};

/* The first row is the header. What exceeds the table's size is left out. */
void bench_report_cell(struct bench_table *table, const char *fmt, ...) PRINTF_LIKE(2, 3);
void bench_report_end_row(struct bench_table *table);

/* The header and rows of a table of summaries: case, n, median, quartiles, range. */
void bench_report_head_summary(struct bench_table *table, const char *what, const char *unit);
void bench_report_add_summary(struct bench_table *table, const char *label, const struct bench_summary *summary,
			      int decimals);

void bench_report_print(struct bench *bench, const struct bench_table *table);

#endif
