/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_fixture.h"

#include "matrix/run_words.h"

static struct plan_fixture f;

static int end(void **state)
{
	(void)state;
	plan_fixture_free(&f);
	return 0;
}

static void expect_line(const char *text, const char *line)
{
	if (plan_fixture_make(&f, text, NULL))
		fail_msg("%s", f.err.text);
	assert_string_equal(run_words_quote(&f.plan.runs[0], &f.arena), line);
	assert_null(f.plan.runs[0].words[f.plan.runs[0].nr_words]);
}

static void bare_boot_has_no_command(void **state)
{
	(void)state;
	expect_line("{\"kernels\": {\"k\": \"bzImage\"}}",
		    "vmm run --kernel ci/bzImage --mem 256M --cpus 1 --timeout 10m --console file=logs/k/console.log "
		    "--events logs/k/events.jsonl");
}

static void every_setting_becomes_an_option(void **state)
{
	(void)state;
	expect_line(
		"{\"kernels\": {\"k\": \"/x\"}, \"mem\": \"1G\", \"cpus\": 2, \"timeout\": \"5m\","
		"\"initrd\": [\"a\", \"b\"], \"initrd-dir\": \"root fs\", \"append\": [\"x\", \"y z\"],"
		"\"env\": {\"A\": \"1\", \"B\": \"it's\"}, \"chdir\": \"/w\", \"fail-on\": \"warn\", \"out\": true,"
		"\"out-limit\": \"5M\", \"vmm-args\": [\"--assist\", \"on\"], \"commands\": {\"c\": [\"/bin/true\", "
		"\"--\", \"\"]}}",
		"vmm run --kernel /x --mem 1G --cpus 2 --initrd ci/a --initrd ci/b --initrd-dir 'ci/root fs' "
		"--append x --append 'y z' --env A=1 --env 'B=it'\\''s' --chdir /w --fail-on warn "
		"--out logs/k-c/out --out-limit 5M --timeout 5m --console file=logs/k-c/console.log "
		"--events logs/k-c/events.jsonl --assist on -- /bin/true -- ''");
}

static void empty_words_have_room_for_their_quotes(void **state)
{
	static const char *words[200];
	struct plan_run run = {.words = words, .nr_words = ARRAY_SIZE(words)};
	const char *line, *next;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = "";
	line = run_words_quote(&run, &f.arena);
	next = arena_format(&f.arena, "%s", "next");
	assert_non_null(line);
	assert_non_null(next);
	assert_int_equal(strlen(line), 3 * ARRAY_SIZE(words) - 1);
	assert_string_equal(next, "next");
}

static void limit_without_out_is_not_passed_on(void **state)
{
	(void)state;
	assert_int_equal(plan_fixture_make(&f, "{\"kernels\": {\"k\": \"x\"}, \"out-limit\": \"5M\"}", NULL), 0);
	for (unsigned i = 0; i < f.plan.runs[0].nr_words; i++)
		assert_string_not_equal(f.plan.runs[0].words[i], "--out-limit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(bare_boot_has_no_command, end),
		cmocka_unit_test_teardown(every_setting_becomes_an_option, end),
		cmocka_unit_test_teardown(empty_words_have_room_for_their_quotes, end),
		cmocka_unit_test_teardown(limit_without_out_is_not_passed_on, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
