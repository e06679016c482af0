/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "matrix/summary.h"

static struct plan_fixture f;
static struct error err;

static int begin(void **state)
{
	memset(&f, 0, sizeof(f));
	return fake_root_setup(state);
}

static int end(void **state)
{
	plan_fixture_free(&f);
	return fake_root_teardown(state);
}

static void add_three(const struct fake_root *root)
{
	struct plan_run *run = plan_fixture_add(&f, root, "good", "");

	run->state = PLAN_PASSED;
	run->status = 0;
	run->elapsed_ns = 1500000000;
	run->start_ns = 1;
	run->folder = "logs/good";
	run = plan_fixture_add(&f, root, "bad", "");
	run->state = PLAN_FAILED;
	run->status = 7;
	run->expect = 3;
	run->start_ns = 1;
	run->folder = "logs/bad";
	snprintf(run->reason, sizeof(run->reason), "exit 7");
	run = plan_fixture_add(&f, root, "later", "");
	run->state = PLAN_NOT_RUN;
	run->folder = "logs/later";
	snprintf(run->reason, sizeof(run->reason), "stopped");
}

static void json_has_all_of_it(void **state)
{
	const struct fake_root *root = *state;
	char path[64], text[2048] = "";
	FILE *from;

	add_three(root);
	snprintf(path, sizeof(path), "%s/summary.json", root->path);
	assert_int_equal(summary_write_json(&f.plan, path, 2500000000ULL, &err), 0);
	from = fopen(path, "r");
	assert_non_null(from);
	assert_non_null(fgets(text, sizeof(text), from));
	fclose(from);
	assert_string_equal(
		text,
		"{\"runs\":3,\"passed\":1,\"failed\":1,\"errors\":0,\"not-run\":1,\"seconds\":2.500,\"results\":["
		"{\"name\":\"good\",\"kernel\":\"sh\",\"result\":\"passed\",\"status\":0,\"expected\":0,"
		"\"seconds\":1.500,\"reason\":\"\",\"logs\":\"logs/good\"},"
		"{\"name\":\"bad\",\"kernel\":\"sh\",\"result\":\"failed\",\"status\":7,\"expected\":3,"
		"\"seconds\":0.000,\"reason\":\"exit 7\",\"logs\":\"logs/bad\"},"
		"{\"name\":\"later\",\"kernel\":\"sh\",\"result\":\"not-run\",\"status\":null,\"expected\":0,"
		"\"seconds\":0.000,\"reason\":\"stopped\",\"logs\":\"logs/later\"}]}\n");
}

static void worst_text_still_fits(void **state)
{
	const struct fake_root *root = *state;
	struct plan_run *run = plan_fixture_add(&f, root, "r", "");
	char path[64];

	memset(run->reason, 1, sizeof(run->reason) - 1);
	run->kernel = "\x02\x02\x02\x02\x02\x02\x02\x02";
	snprintf(path, sizeof(path), "%s/summary.json", root->path);
	assert_int_equal(summary_write_json(&f.plan, path, 0, &err), 0);
}

static void place_that_is_missing_is_told(void **state)
{
	(void)state;
	assert_int_equal(summary_write_json(&f.plan, "/nonexistent/s.json", 0, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/s.json: cannot write"));
}

static void people_see_what_did_not_pass_and_where_to_look(void **state)
{
	const struct fake_root *root = *state;
	char *text;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	add_three(root);
	summary_print(&f.plan, "logs", 2500000000ULL, to);
	fclose(to);
	assert_string_equal(text,
			    "FAILED bad 0.0s: exit 7\n"
			    "    see logs/bad/\n"
			    "3 runs: 1 passed, 1 failed, 1 not run; 2.5s; logs/junit.xml\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(json_has_all_of_it, begin, end),
		cmocka_unit_test_setup_teardown(worst_text_still_fits, begin, end),
		cmocka_unit_test_setup_teardown(place_that_is_missing_is_told, begin, end),
		cmocka_unit_test_setup_teardown(people_see_what_did_not_pass_and_where_to_look, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
