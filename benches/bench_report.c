/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_report.h"

#include <stdarg.h>
#include <string.h>

void bench_report_cell(struct bench_table *table, const char *fmt, ...)
{
	va_list args;

	if (table->rows >= BENCH_TABLE_ROWS || table->filled >= BENCH_TABLE_COLUMNS)
		return;
	va_start(args, fmt);
	vsnprintf(table->cells[table->rows][table->filled], BENCH_CELL_SIZE, fmt, args);
	va_end(args);
	table->filled++;
}

void bench_report_end_row(struct bench_table *table)
{
	if (table->filled > table->columns)
		table->columns = table->filled;
	if (table->rows < BENCH_TABLE_ROWS)
		table->rows++;
	table->filled = 0;
}

void bench_report_head_summary(struct bench_table *table, const char *what, const char *unit)
{
	static const char *const heads[] = {"n", "median", "quartile 1", "quartile 3", "min", "max"};

	bench_report_cell(table, "%s, %s", what, unit);
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		bench_report_cell(table, "%s", heads[i]);
	bench_report_end_row(table);
}

void bench_report_add_summary(struct bench_table *table, const char *label, const struct bench_summary *summary,
			      int decimals)
{
	const double values[] = {summary->median, summary->q1, summary->q3, summary->min, summary->max};

	bench_report_cell(table, "%s", label);
	bench_report_cell(table, "%zu", summary->count);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		bench_report_cell(table, summary->count ? "%.*f" : "-", decimals, values[i]);
	bench_report_end_row(table);
}

static size_t measure_column(const struct bench_table *table, size_t column)
{
	size_t width = 0;

	for (size_t row = 0; row < table->rows; row++) {
		size_t len = strlen(table->cells[row][column]);

		width = len > width ? len : width;
	}
	return width;
}

static void print_rule(struct bench *bench, size_t width)
{
	bench_say(bench, "  ");
	for (size_t i = 0; i < width; i++)
		bench_say(bench, "-");
	bench_say(bench, "\n");
}

void bench_report_print(struct bench *bench, const struct bench_table *table)
{
	size_t widths[BENCH_TABLE_COLUMNS] = {0};
	size_t total = 0;

	for (size_t column = 0; column < table->columns; column++) {
		widths[column] = measure_column(table, column);
		total += widths[column] + (column ? 2 : 0);
	}
	for (size_t row = 0; row < table->rows; row++) {
		bench_say(bench, "  %-*s", (int)widths[0], table->cells[row][0]);
		for (size_t column = 1; column < table->columns; column++)
			bench_say(bench, "  %*s", (int)widths[column], table->cells[row][column]);
		bench_say(bench, "\n");
		if (row == 0)
			print_rule(bench, total);
	}
}
