/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_fixture.h"

#include <errno.h>
#include <stdio.h>

static struct plan_fixture f;

static int end(void **state)
{
	(void)state;
	plan_fixture_free(&f);
	return 0;
}

static void expect_names(const char *const *names, unsigned count)
{
	assert_int_equal(f.plan.count, count);
	for (unsigned i = 0; i < count; i++)
		assert_string_equal(f.plan.runs[i].name, names[i]);
}

#define EXPECT_NAMES(...)                                                                                              \
	expect_names((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void product_is_in_the_order_of_the_file(void **state)
{
	(void)state;
	assert_int_equal(
		plan_fixture_make(
			&f,
			"{\"kernels\": {\"6.6\": \"x\", \"6.1\": \"y\"}, \"commands\": {\"u\": \"c\", \"a\": \"d\"},"
			"\"sizes\": {\"s\": {}, \"b\": {\"mem\": \"1G\", \"cpus\": 2}}}",
			NULL),
		0);
	EXPECT_NAMES("6.6-u-s", "6.6-u-b", "6.6-a-s", "6.6-a-b", "6.1-u-s", "6.1-u-b", "6.1-a-s", "6.1-a-b");
	assert_int_equal(f.plan.runs[1].cpus, 2);
	assert_string_equal(f.plan.runs[4].kernel, "6.1");
	assert_string_equal(f.plan.runs[4].folder, "logs/6.1-u-s");
	assert_int_equal(f.plan.runs[0].state, PLAN_QUEUED);
	assert_int_equal(f.plan.runs[0].status, -1);
}

static void axes_that_are_missing_are_not_in_the_name(void **state)
{
	(void)state;
	assert_int_equal(plan_fixture_make(&f, "{\"kernels\": {\"a\": \"x\"}}", NULL), 0);
	EXPECT_NAMES("a");
	plan_fixture_free(&f);
	assert_int_equal(plan_fixture_make(&f, "{\"kernels\": {\"a\": \"x\"}, \"sizes\": {\"s\": {}}}", NULL), 0);
	EXPECT_NAMES("a-s");
}

static void skipped_combinations_are_no_runs(void **state)
{
	(void)state;
	assert_int_equal(
		plan_fixture_make(&f,
				  "{\"kernels\": {\"a\": \"x\", \"b\": \"y\"}, \"sizes\": {\"s\": {}, \"t\": {}},"
				  "\"skip\": [{\"kernel\": \"a\", \"size\": \"t\"}]}",
				  NULL),
		0);
	EXPECT_NAMES("a-s", "b-s", "b-t");
	plan_fixture_free(&f);
	assert_int_equal(plan_fixture_make(&f, "{\"kernels\": {\"a\": \"x\"}, \"skip\": [{\"kernel\": \"a\"}]}", NULL),
			 -EINVAL);
	assert_string_equal(f.err.text, "matrix ci/m.json: \"skip\" leaves no run; take an entry out of it");
}

static void names_are_fit_for_files_and_unique(void **state)
{
	(void)state;
	assert_int_equal(
		plan_fixture_make(&f,
				  "{\"kernels\": {\"a/b\": \"x\", \"a b\": \"x\", \"..\": \"x\", \"-k\": \"x\","
				  "\"\xc3\xa4\\n\": \"x\", \"junit.xml\": \"x\", \"summary.json\": \"x\","
				  "\"a_b.2\": \"x\", \"a_b\": \"x\"}}",
				  NULL),
		0);
	EXPECT_NAMES("a_b", "a_b.2", "_.", "_k", "___", "junit.xml.2", "summary.json.2", "a_b.2.2", "a_b.3");
}

static void same_name_from_other_parts_gets_a_number(void **state)
{
	(void)state;
	assert_int_equal(
		plan_fixture_make(
			&f, "{\"kernels\": {\"a\": \"x\", \"a-b\": \"x\"}, \"sizes\": {\"b-c\": {}, \"c\": {}}}", NULL),
		0);
	EXPECT_NAMES("a-b-c", "a-c", "a-b-b-c", "a-b-c.2");
}

static void long_names_are_cut_and_stay_unique(void **state)
{
	char text[2000], name[601];

	(void)state;
	memset(name, 'n', 600);
	name[600] = 0;
	snprintf(text, sizeof(text), "{\"kernels\": {\"%s\": \"x\", \"%sm\": \"x\"}}", name, name);
	assert_int_equal(plan_fixture_make(&f, text, NULL), 0);
	assert_true(strlen(f.plan.runs[1].name) < 200);
	assert_string_not_equal(f.plan.runs[0].name, f.plan.runs[1].name);
}

static void only_keeps_names_as_they_are(void **state)
{
	static const char text[] = "{\"kernels\": {\"a b\": \"x\", \"a/b\": \"x\", \"c\": \"x\"}}";

	(void)state;
	assert_int_equal(plan_fixture_make(&f, text, "a_b.*"), 0);
	EXPECT_NAMES("a_b.2");
	assert_int_equal(f.plan.total, 3);
	plan_fixture_free(&f);
	assert_int_equal(plan_fixture_make(&f, text, "z*"), -EINVAL);
	assert_string_equal(f.err.text, "--only z*: matches none of 3 runs; see `vmm matrix --list ci/m.json`");
}

static void size_wins_over_kernel_and_command_over_size(void **state)
{
	(void)state;
	assert_int_equal(
		plan_fixture_make(&f,
				  "{\"timeout\": \"1s\", \"expect\": 9,"
				  "\"kernels\": {\"k\": {\"path\": \"x\", \"timeout\": \"2s\", \"cpus\": 2}},"
				  "\"sizes\": {\"s\": {\"timeout\": \"3s\", \"cpus\": 3}},"
				  "\"commands\": {\"c\": {\"run\": \"d\", \"timeout\": \"4s\", \"out\": true}}}",
				  NULL),
		0);
	assert_int_equal(f.plan.runs[0].timeout_ns, 4000000000ULL);
	assert_int_equal(f.plan.runs[0].cpus, 3);
	assert_int_equal(f.plan.runs[0].expect, 9);
	assert_string_equal(f.plan.runs[0].out, "logs/k-c-s/out");
}

/* As many sizes as @kernels. */
static int make_square(unsigned kernels)
{
	char text[65536] = "{\"kernels\": {";

	for (unsigned axis = 0; axis < 2; axis++) {
		for (unsigned i = 0; i < kernels; i++)
			snprintf(text + strlen(text), 64, "%s\"%u\": %s", i ? "," : "", i, axis ? "{}" : "\"x\"");
		strcat(text, axis ? "}}" : "}, \"sizes\": {");
	}
	return plan_fixture_make(&f, text, NULL);
}

static void too_many_combinations_are_refused(void **state)
{
	(void)state;
	assert_int_equal(make_square(64), 0);
	assert_int_equal(f.plan.count, 4096);
	plan_fixture_free(&f);
	assert_int_equal(make_square(65), -E2BIG);
	assert_string_equal(f.err.text, "matrix ci/m.json: more than 4096 combinations; split the file");
}

static void states_are_counted(void **state)
{
	unsigned counts[PLAN_STATES];

	(void)state;
	assert_int_equal(plan_fixture_make(&f, "{\"kernels\": {\"a\": \"x\", \"b\": \"x\", \"c\": \"x\"}}", NULL), 0);
	f.plan.runs[1].state = PLAN_FAILED;
	plan_count(&f.plan, counts);
	assert_int_equal(counts[PLAN_QUEUED], 2);
	assert_int_equal(counts[PLAN_FAILED], 1);
	assert_int_equal(counts[PLAN_PASSED], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(product_is_in_the_order_of_the_file, end),
		cmocka_unit_test_teardown(axes_that_are_missing_are_not_in_the_name, end),
		cmocka_unit_test_teardown(skipped_combinations_are_no_runs, end),
		cmocka_unit_test_teardown(names_are_fit_for_files_and_unique, end),
		cmocka_unit_test_teardown(same_name_from_other_parts_gets_a_number, end),
		cmocka_unit_test_teardown(long_names_are_cut_and_stay_unique, end),
		cmocka_unit_test_teardown(only_keeps_names_as_they_are, end),
		cmocka_unit_test_teardown(size_wins_over_kernel_and_command_over_size, end),
		cmocka_unit_test_teardown(too_many_combinations_are_refused, end),
		cmocka_unit_test_teardown(states_are_counted, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
