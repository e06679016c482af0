/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "matrix/table.h"

static struct plan_run runs[300];
static struct plan plan = {.runs = runs};
static char text[TABLE_TEXT_SIZE];
static char names[300][16];

static void make_runs(unsigned count, enum plan_state state)
{
	plan.count = count;
	for (unsigned i = 0; i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "run%u", i);
		runs[i] = (struct plan_run){.name = names[i], .state = state};
	}
}

static unsigned format(unsigned rows, unsigned columns)
{
	const struct table_shape shape = {.rows = rows, .columns = columns, .line_end = "\n", .now_ns = 12300000000ULL};

	return table_format(&plan, &shape, text);
}

static unsigned count_lines(size_t *longest)
{
	unsigned lines = 0;

	*longest = 0;
	for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		lines++;
		if ((size_t)(end - line) > *longest)
			*longest = (size_t)(end - line);
	}
	return lines;
}

static void every_state_has_its_row(void **state)
{
	(void)state;
	make_runs(6, PLAN_QUEUED);
	runs[0].state = PLAN_PASSED;
	runs[0].elapsed_ns = 1260000000;
	snprintf(runs[0].reason, sizeof(runs[0].reason), "is not shown");
	runs[1].state = PLAN_FAILED;
	runs[1].elapsed_ns = 83000000000;
	snprintf(runs[1].reason, sizeof(runs[1].reason), "exit 7");
	runs[2].state = PLAN_RUNNING;
	runs[2].start_ns = 2300000000;
	snprintf(runs[2].said, sizeof(runs[2].said), "booting");
	runs[3].state = PLAN_ERROR;
	runs[4].state = PLAN_NOT_RUN;
	assert_int_equal(format(24, 80), 7);
	assert_string_equal(text,
			    "run0 passed      1.3s  \n"
			    "run1 FAILED     83.0s  exit 7\n"
			    "run2 running    10.0s  booting\n"
			    "run3 ERROR       0.0s  \n"
			    "run4 not run           \n"
			    "run5 queued            \n"
			    "6 runs: 1 passed, 1 failed, 1 error, 1 running, 1 queued, 1 not run  12.3s\n");
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	(void)state;
	for (unsigned columns = 0; columns < 500; columns += 7) {
		unsigned width = columns < 20 ? 20 : columns > TABLE_MAX_COLUMNS ? TABLE_MAX_COLUMNS : columns;
		size_t longest;

		make_runs(5, PLAN_RUNNING);
		for (unsigned i = 0; i < 5; i++)
			memset(runs[i].said, 'x', sizeof(runs[i].said) - 1);
		runs[0].name = "a-name-that-takes-more-than-its-share-of-a-narrow-terminal";
		assert_int_equal(format(24, columns), 6);
		assert_int_equal(count_lines(&longest), 6);
		assert_true(longest < width);
	}
}

static void no_more_lines_than_the_terminal_has(void **state)
{
	(void)state;
	for (unsigned rows = 0; rows < 300; rows++) {
		unsigned room = rows < 3 ? 3 : rows > TABLE_MAX_ROWS ? TABLE_MAX_ROWS : rows;
		unsigned lines;
		size_t longest;

		make_runs(300, PLAN_QUEUED);
		lines = format(rows, 80);
		assert_int_equal(count_lines(&longest), lines);
		assert_true(lines < room);
	}
}

static void running_and_failed_come_first_when_there_is_no_room(void **state)
{
	(void)state;
	make_runs(100, PLAN_QUEUED);
	runs[0].state = PLAN_PASSED;
	runs[50].state = PLAN_FAILED;
	runs[99].state = PLAN_RUNNING;
	assert_int_equal(format(6, 80), 5);
	assert_memory_equal(text, "run99", 5);
	assert_memory_equal(strchr(text, '\n') + 1, "run50", 5);
	assert_non_null(strstr(text, "\nrun1 "));
	assert_null(strstr(text, "run0 "));
	assert_non_null(strstr(text, "\n100 runs: 1 passed, 1 failed, 1 running, 97 queued"));
}

static void colours_are_only_there_when_wanted(void **state)
{
	struct table_shape shape = {.rows = 24, .columns = 80, .line_end = "\n"};

	(void)state;
	make_runs(2, PLAN_PASSED);
	runs[1].state = PLAN_FAILED;
	table_format(&plan, &shape, text);
	assert_null(strchr(text, '\033'));
	shape.colour = true;
	table_format(&plan, &shape, text);
	assert_non_null(strstr(text, "\033[32mpassed \033[0m"));
	assert_non_null(strstr(text, "\033[31mFAILED \033[0m"));
}

static void largest_table_fits_its_buffer(void **state)
{
	const struct table_shape shape = {.rows = 1000, .columns = 1000, .colour = true, .line_end = "\033[K\n"};

	(void)state;
	make_runs(300, PLAN_FAILED);
	for (unsigned i = 0; i < 300; i++)
		memset(runs[i].reason, 'x', sizeof(runs[i].reason) - 1);
	assert_int_equal(table_format(&plan, &shape, text), TABLE_MAX_ROWS - 1);
	assert_memory_equal(text + strlen(text) - 4, "\033[K\n", 4);
}

static void sums_leave_out_what_there_is_none_of(void **state)
{
	char buf[128];

	(void)state;
	make_runs(1, PLAN_PASSED);
	assert_string_equal(table_sums(&plan, buf, sizeof(buf)), "1 run: 1 passed");
	make_runs(3, PLAN_ERROR);
	assert_string_equal(table_sums(&plan, buf, sizeof(buf)), "3 runs: 3 errors");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_has_its_row),
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(no_more_lines_than_the_terminal_has),
		cmocka_unit_test(running_and_failed_come_first_when_there_is_no_room),
		cmocka_unit_test(colours_are_only_there_when_wanted),
		cmocka_unit_test(largest_table_fits_its_buffer),
		cmocka_unit_test(sums_leave_out_what_there_is_none_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
