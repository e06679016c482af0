/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "matrix/matrix_file.h"

static struct arena arena;
static struct matrix_file file;
static struct error err;

static int end(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

static int parse(const char *text)
{
	return matrix_file_parse(&file, "ci/m.json", text, strlen(text), &arena, &err);
}

static void all_forms_are_read(void **state)
{
	const struct matrix_entry *e;

	(void)state;
	assert_int_equal(
		parse("{\"jobs\": 2, \"logs\": \"logs\", \"timeout\": \"5m\","
		      "\"kernels\": {\"6.6\": \"b/66\", \"6.1\": {\"path\": \"/b/61\", \"append\": \"nosmp\"}},"
		      "\"commands\": {\"unit\": [\"/bin/make\", \"a b\"], \"line\": \"make | tee\","
		      "  \"smoke\": {\"run\": \"true\", \"expect\": 1}, \"boot\": {}},"
		      "\"sizes\": {\"small\": {\"mem\": \"64M\"}},"
		      "\"skip\": [{\"kernel\": \"6.1\", \"size\": \"small\"}, {\"command\": \"boot\"}]}"),
		0);
	assert_int_equal(file.jobs, 2);
	assert_string_equal(file.logs, "ci/logs");
	assert_string_equal(file.settings.timeout, "5m");
	assert_int_equal(file.counts[MATRIX_KERNELS], 2);
	e = file.entries[MATRIX_KERNELS];
	assert_string_equal(e[0].name, "6.6");
	assert_string_equal(e[0].path, "ci/b/66");
	assert_string_equal(e[1].path, "/b/61");
	assert_string_equal(e[1].settings.appends.items[0], "nosmp");
	assert_int_equal(file.counts[MATRIX_COMMANDS], 4);
	e = file.entries[MATRIX_COMMANDS];
	assert_string_equal(e[0].words.items[1], "a b");
	assert_string_equal(e[1].words.items[0], "/bin/sh");
	assert_string_equal(e[1].words.items[1], "-c");
	assert_string_equal(e[1].words.items[2], "make | tee");
	assert_int_equal(e[2].words.count, 3);
	assert_int_equal(e[2].settings.expect, 1);
	assert_int_equal(e[3].words.count, 0);
	assert_string_equal(file.entries[MATRIX_SIZES][0].settings.mem, "64M");
	assert_int_equal(file.nr_skips, 2);
	assert_int_equal(file.skips[0].index[MATRIX_KERNELS], 1);
	assert_int_equal(file.skips[0].index[MATRIX_COMMANDS], -1);
	assert_int_equal(file.skips[0].index[MATRIX_SIZES], 0);
	assert_int_equal(file.skips[1].index[MATRIX_COMMANDS], 3);
}

static void missing_axes_have_one_entry_without_a_name(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"kernels\": {\"k\": \"x\"}}"), 0);
	assert_int_equal(file.counts[MATRIX_COMMANDS], 1);
	assert_int_equal(file.counts[MATRIX_SIZES], 1);
	assert_null(file.entries[MATRIX_COMMANDS][0].name);
	assert_int_equal(file.entries[MATRIX_COMMANDS][0].words.count, 0);
	assert_int_equal(file.jobs, 0);
	assert_null(file.logs);
}

static void skip_may_stand_before_what_it_names(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"skip\": [{\"kernel\": \"k\"}], \"kernels\": {\"j\": \"x\", \"k\": \"x\"}}"), 0);
	assert_int_equal(file.skips[0].index[MATRIX_KERNELS], 1);
	assert_int_equal(parse("{\"skip\": [], \"kernels\": {\"k\": \"x\"}}"), 0);
	assert_int_equal(file.nr_skips, 0);
}

static void every_mistake_is_told_with_its_place(void **state)
{
	static const struct {
		const char *text, *line;
	} cases[] = {
		{"{}", ":1:1: names no kernel; write \"kernels\": {\"6.1\": \"bzImage\"}"},
		{"{\"kernels\": {}}", ":1:13: kernels: is empty; write {\"6.1\": \"bzImage\"}"},
		{"{\"kernels\": [\"a\"]}", ":1:13: kernels: is not an object; write {\"6.1\": \"bzImage\"}"},
		{"{\"kernels\": {\"a\": 6}}", ":1:19: kernels.a: is not a string; write \"bzImage\""},
		{"{\"kernels\": {\"a\": \"\"}}", ":1:19: kernels.a: is empty; write \"bzImage\""},
		{"{\"kernels\": {\"\": \"x\"}}", ":1:18: kernels.: has an empty name; write {\"6.1\": \"bzImage\"}"},
		{"{\"kernels\": {\"a\": {}}}", ":1:19: kernels.a: has no \"path\"; write {\"path\": \"bzImage\"}"},
		{"{\"kernels\": {\"a\": {\"paht\": \"x\"}}}", ":1:20: kernels.a.paht: unknown key; is \"path\" meant?"},
		{"{\"kernels\": {\"a\": {\"run\": \"x\"}}}",
		 ":1:20: kernels.a.run: unknown key; known here: path, mem, cpus, timeout, expect, initrd, initrd-dir, "
		 "append, env, chdir, fail-on, out, out-limit, vmm-args"},
		{"{\"kernels\": {\"a\": \"x\"}, \"sizes\": {\"s\": {\"path\": \"x\"}}}",
		 ":1:41: sizes.s.path: unknown key; known here: mem, cpus, timeout, expect, initrd, initrd-dir, "
		 "append, "
		 "env, chdir, fail-on, out, out-limit, vmm-args"},
		{"{\"kernels\": {\"a\": \"x\"}, \"sizes\": {\"s\": \"64M\"}}",
		 ":1:40: sizes.s: is not an object; write {\"small\": {\"mem\": \"256M\", \"cpus\": 1}}"},
		{"{\"kernels\": {\"a\": \"x\"}, \"commands\": {\"c\": []}}",
		 ":1:43: commands.c: names no program; write [\"/bin/true\"]"},
		{"{\"kernels\": {\"a\": \"x\"}, \"commands\": {\"c\": {\"run\": [\"\", \"x\"]}}}",
		 ":1:51: commands.c.run: names no program; write [\"/bin/true\"]"},
		{"{\"kernels\": {\"a\": \"x\"}, \"commands\": {\"c\": 1}}",
		 ":1:43: commands.c: is neither a string nor a list of strings; write [\"/bin/sh\", \"-c\", \"make "
		 "check\"]"},
		{"{\"kernels\": {\"a\": \"x\"}, \"jobs\": 0}",
		 ":1:33: jobs: write a whole number from 1 to 256, without quotes"},
		{"{\"kernels\": {\"a\": \"x\"}, \"size\": {}}", ":1:25: size: unknown key; is \"sizes\" meant?"},
		{"{\"kernels\": {\"a\": \"x\"}, \"skip\": {}}",
		 ":1:33: skip: is not a list; write [{\"kernel\": \"6.1\", \"size\": \"small\"}]"},
		{"{\"kernels\": {\"a\": \"x\"}, \"skip\": [{}]}",
		 ":1:34: skip[0]: would skip everything; name a kernel, a command or a size"},
		{"{\"kernels\": {\"a\": \"x\"}, \"skip\": [{\"kernels\": \"a\"}]}",
		 ":1:35: skip[0].kernels: unknown key; is \"kernel\" meant?"},
		{"{\"kernels\": {\"a\": \"x\"}, \"skip\": [{\"kernel\": \"b\"}]}",
		 ":1:45: skip[0].kernel: \"b\" is not among the kernels; write one of those"},
		{"{\"kernels\": {\"a\": \"x\"}, \"skip\": [{\"size\": \"a\"}]}",
		 ":1:43: skip[0].size: \"a\" is not among the sizes; write one of those"},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(cases[i].text), -EINVAL);
		assert_memory_equal(err.text, "ci/m.json", 9);
		assert_string_equal(err.text + 9, cases[i].line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(all_forms_are_read, end),
		cmocka_unit_test_teardown(missing_axes_have_one_entry_without_a_name, end),
		cmocka_unit_test_teardown(skip_may_stand_before_what_it_names, end),
		cmocka_unit_test_teardown(every_mistake_is_told_with_its_place, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
