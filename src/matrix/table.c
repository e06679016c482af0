/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "matrix/verdict.h"

#define STATE_WIDTH   7
#define SECONDS_WIDTH 8
#define MIN_COLUMNS   20

/* Where to write, and how many columns the line may still take. */
struct pen {
	char *at, *end;
	unsigned left;
};

static void put_raw(struct pen *pen, const char *text)
{
	size_t len = strlen(text), room = (size_t)(pen->end - pen->at);

	if (len >= room)
		return;
	memcpy(pen->at, text, len + 1);
	pen->at += len;
}

static void put(struct pen *pen, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void put(struct pen *pen, const char *fmt, ...)
{
	char part[TABLE_MAX_COLUMNS + 1];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(part, sizeof(part), fmt, ap);
	va_end(ap);
	if (strlen(part) > pen->left)
		part[pen->left] = 0;
	pen->left -= (unsigned)strlen(part);
	put_raw(pen, part);
}

static const char *colour_of(enum plan_state state)
{
	switch (state) {
	case PLAN_PASSED:
		return "\033[32m";
	case PLAN_FAILED:
	case PLAN_ERROR:
		return "\033[31m";
	case PLAN_RUNNING:
		return "\033[1m";
	default:
		return "";
	}
}

static unsigned name_width(const struct plan *plan, unsigned columns)
{
	size_t width = 4;

	for (unsigned i = 0; i < plan->count; i++)
		if (strlen(plan->runs[i].name) > width)
			width = strlen(plan->runs[i].name);
	return width > columns / 2 ? columns / 2 : (unsigned)width;
}

static void put_row(struct pen *pen, const struct plan_run *run, const struct table_shape *shape, unsigned width)
{
	uint64_t ns = run->state == PLAN_RUNNING ? shape->now_ns - run->start_ns : run->elapsed_ns;
	const char *colour = shape->colour ? colour_of(run->state) : "";

	put(pen, "%-*.*s ", (int)width, (int)width, run->name);
	put_raw(pen, colour);
	put(pen, "%-*s", STATE_WIDTH, verdict_name(run->state));
	put_raw(pen, *colour ? "\033[0m" : "");
	if (run->state == PLAN_QUEUED || run->state == PLAN_NOT_RUN)
		put(pen, " %*s", SECONDS_WIDTH, "");
	else
		put(pen, " %*.1fs", SECONDS_WIDTH - 1, (double)ns / 1e9);
	put(pen, "  %s", run->state == PLAN_RUNNING ? run->said : run->state == PLAN_PASSED ? "" : run->reason);
	put_raw(pen, shape->line_end);
}

/* What a person wants to see first, when there is no room for all. */
static unsigned rank(const struct plan_run *run)
{
	static const unsigned char ranks[PLAN_STATES] = {
		[PLAN_RUNNING] = 0, [PLAN_FAILED] = 1,	[PLAN_ERROR] = 1,
		[PLAN_QUEUED] = 2,  [PLAN_NOT_RUN] = 2, [PLAN_PASSED] = 3,
	};

	return ranks[run->state];
}

const char *table_sums(const struct plan *plan, char *buf, size_t size)
{
	static const char *const words[PLAN_STATES] = {
		[PLAN_PASSED] = "passed",   [PLAN_FAILED] = "failed", [PLAN_ERROR] = "errors",
		[PLAN_RUNNING] = "running", [PLAN_QUEUED] = "queued", [PLAN_NOT_RUN] = "not run",
	};
	static const enum plan_state order[PLAN_STATES] = {PLAN_PASSED,	 PLAN_FAILED, PLAN_ERROR,
							   PLAN_RUNNING, PLAN_QUEUED, PLAN_NOT_RUN};
	unsigned counts[PLAN_STATES];
	size_t len;
	bool is_first = true;

	plan_count(plan, counts);
	len = (size_t)snprintf(buf, size, "%u run%s:", plan->count, plan->count == 1 ? "" : "s");
	for (unsigned i = 0; i < PLAN_STATES; i++) {
		unsigned n = counts[order[i]];

		if (!n || len >= size)
			continue;
		len += (size_t)snprintf(buf + len, size - len, "%s %u %s", is_first ? "" : ",", n,
					n == 1 && order[i] == PLAN_ERROR ? "error" : words[order[i]]);
		is_first = false;
	}
	return buf;
}

static unsigned clamp(unsigned value, unsigned low, unsigned high)
{
	return value < low ? low : value > high ? high : value;
}

unsigned table_format(const struct plan *plan, const struct table_shape *shape, char *text)
{
	unsigned columns = clamp(shape->columns, MIN_COLUMNS, TABLE_MAX_COLUMNS) - 1;
	unsigned lines = clamp(shape->rows, 3, TABLE_MAX_ROWS) - 2; /* the sums, and where the cursor rests */
	unsigned width = name_width(plan, columns), drawn = 0;
	struct pen pen = {text, text + TABLE_TEXT_SIZE, columns};
	bool all = plan->count <= lines;
	char sums[128];

	text[0] = 0;
	for (unsigned wanted = 0; wanted <= (all ? 0 : 3); wanted++) {
		for (unsigned i = 0; i < plan->count && drawn < lines; i++) {
			if (!all && rank(&plan->runs[i]) != wanted)
				continue;
			pen.left = columns;
			put_row(&pen, &plan->runs[i], shape, width);
			drawn++;
		}
	}
	pen.left = columns;
	put(&pen, "%s  %.1fs", table_sums(plan, sums, sizeof(sums)), (double)(shape->now_ns - shape->start_ns) / 1e9);
	put_raw(&pen, shape->line_end);
	return drawn + 1;
}
