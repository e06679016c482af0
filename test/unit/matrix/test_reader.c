/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "matrix/reader.h"

static struct arena arena;
static struct reader reader;
static struct error err;

static int parse(const char *text)
{
	return reader_parse(&reader, "dir/m.json", text, strlen(text), &arena, &err);
}

static int begin(void **state)
{
	(void)state;
	memset(&reader, 0, sizeof(reader));
	return 0;
}

static int end(void **state)
{
	(void)state;
	reader_fini(&reader);
	arena_fini(&arena);
	return 0;
}

/* Enters member @index of the outermost object. */
static const json_t *enter(unsigned index, const char *name)
{
	reader_enter(&reader, index, name);
	return json_object_get(reader.root, name);
}

static void syntax_errors_have_their_place(void **state)
{
	(void)state;
	assert_int_equal(parse("{\n  \"a\": 1,\n}"), -EINVAL);
	assert_memory_equal(err.text, "dir/m.json:3:1: is not JSON: ", 29);
}

static void broken_texts_are_refused(void **state)
{
	static const char *const texts[] = {"",
					    "{",
					    "nul",
					    "{\"a\": \"\xff\"}",
					    "{\"a\": \"\\u0000\"}",
					    "{} {}",
					    "{\"a\"}",
					    "{'a': 1}",
					    "\xef\xbb\xbf{}",
					    "{\"a\": 01}",
					    "{\"a\": 99999999999999999999}",
					    "// x\n{}",
					    "{\"a\": 1, \"a\": 2}"};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(parse(texts[i]), -EINVAL);
		assert_memory_equal(err.text, "dir/m.json:", 11);
		reader_fini(&reader);
	}
}

static void outermost_value_is_an_object(void **state)
{
	(void)state;
	assert_int_equal(parse("[1]"), -EINVAL);
	assert_string_equal(err.text, "dir/m.json:1:1: is not an object; write {\"kernels\": {\"NAME\": \"bzImage\"}}");
}

static void keys_keep_their_order(void **state)
{
	static const char *const order[] = {"z", "a", "m", "6.1", "0", "b"};
	unsigned i = 0;
	const char *key;
	json_t *value;

	(void)state;
	assert_int_equal(parse("{\"z\":1,\"a\":1,\"m\":1,\"6.1\":1,\"0\":1,\"b\":1}"), 0);
	json_object_foreach(reader.root, key, value) assert_string_equal(key, order[i++]);
	assert_int_equal(i, 6);
}

static void wrong_types_are_told_with_place_and_example(void **state)
{
	const char *text;
	unsigned number;
	bool flag;

	(void)state;
	assert_int_equal(parse("{\"a\": {\"b\": [true, \"x\"]}}"), 0);
	reader_enter(&reader, 0, "a");
	assert_int_equal(reader_string(&reader, json_object_get(reader.root, "a"), "\"5m\"", &text), -EINVAL);
	assert_string_equal(err.text, "dir/m.json:1:7: a: is not a string; write \"5m\"");
	reader_enter(&reader, 0, "b");
	assert_int_equal(reader_integer(&reader, json_true(), 1, 64, &number), -EINVAL);
	assert_string_equal(err.text, "dir/m.json:1:13: a.b: write a whole number from 1 to 64, without quotes");
	reader_enter(&reader, 1, NULL);
	assert_int_equal(reader_bool(&reader, json_null(), &flag), -EINVAL);
	assert_string_equal(err.text, "dir/m.json:1:20: a.b[1]: write true or false, without quotes");
	reader_leave(&reader);
	reader_leave(&reader);
	reader_leave(&reader);
}

static void integers_have_bounds(void **state)
{
	unsigned number = 0;
	const char *const good = "{\"a\": 64, \"b\": 65, \"c\": 0, \"d\": 4294967297, \"e\": -1, \"f\": 2.0}";

	(void)state;
	assert_int_equal(parse(good), 0);
	assert_int_equal(reader_integer(&reader, enter(0, "a"), 1, 64, &number), 0);
	assert_int_equal(number, 64);
	for (unsigned i = 1; i < 6; i++) {
		const char name[] = {(char)('a' + i), 0};

		reader_leave(&reader);
		assert_int_equal(reader_integer(&reader, enter(i, name), 1, 64, &number), -EINVAL);
	}
}

static void one_string_is_a_list_too(void **state)
{
	struct arena_list list = {0};

	(void)state;
	assert_int_equal(parse("{\"a\": \"x\", \"b\": [\"y\", \"z\"], \"c\": [\"y\", 1], \"d\": 1}"), 0);
	assert_int_equal(reader_strings(&reader, enter(0, "a"), "", &list), 0);
	reader_leave(&reader);
	assert_int_equal(reader_strings(&reader, enter(1, "b"), "", &list), 0);
	reader_leave(&reader);
	assert_int_equal(list.count, 3);
	assert_string_equal(list.items[2], "z");
	assert_int_equal(reader_strings(&reader, enter(2, "c"), "[\"x\"]", &list), -EINVAL);
	assert_non_null(strstr(err.text, ": c[1]: is not a string"));
	reader_leave(&reader);
	assert_int_equal(reader_strings(&reader, enter(3, "d"), "[\"x\"]", &list), -EINVAL);
	assert_non_null(strstr(err.text, "d: is neither a string nor a list of strings; write [\"x\"]"));
}

static void endless_lists_are_refused(void **state)
{
	struct arena_list list = {0};
	char text[8000] = "{\"a\": [\"\"";

	(void)state;
	for (unsigned i = 0; i < READER_MAX_ITEMS; i++)
		strcat(text, ",\"\"");
	strcat(text, "]}");
	assert_int_equal(parse(text), 0);
	assert_int_equal(reader_strings(&reader, enter(0, "a"), "", &list), -EINVAL);
	assert_non_null(strstr(err.text, "more than 1024 elements"));
}

static void relative_paths_count_from_the_folder_of_the_file(void **state)
{
	const char *path;

	(void)state;
	assert_int_equal(parse("{\"a\": \"x/y\", \"b\": \"/x\", \"c\": \"\"}"), 0);
	assert_int_equal(reader_path(&reader, enter(0, "a"), "", &path), 0);
	assert_string_equal(path, "dir/x/y");
	reader_leave(&reader);
	assert_int_equal(reader_path(&reader, enter(1, "b"), "", &path), 0);
	assert_string_equal(path, "/x");
	reader_leave(&reader);
	assert_int_equal(reader_path(&reader, enter(2, "c"), "\"bzImage\"", &path), -EINVAL);
	assert_non_null(strstr(err.text, "c: is empty; write \"bzImage\""));
	reader_fini(&reader);
	assert_int_equal(reader_parse(&reader, "m.json", "{}", 2, &arena, &err), 0);
	assert_string_equal(reader.folder, "");
}

static void unknown_keys_name_the_nearest_or_all(void **state)
{
	static const char *const known[] = {"kernels", "sizes", NULL};

	(void)state;
	assert_int_equal(parse("{\n \"kernel\": 1, \"x\": 2}"), 0);
	(void)enter(0, "kernel");
	assert_int_equal(reader_fail_key(&reader, known), -EINVAL);
	assert_string_equal(err.text, "dir/m.json:2:2: kernel: unknown key; is \"kernels\" meant?");
	reader_leave(&reader);
	(void)enter(1, "x");
	assert_int_equal(reader_fail_key(&reader, known), -EINVAL);
	assert_string_equal(err.text, "dir/m.json:2:15: x: unknown key; known here: kernels, sizes");
}

static void endless_names_do_not_overflow_the_message(void **state)
{
	static const char *const known[] = {"kernels", NULL};
	char name[400];

	(void)state;
	memset(name, 'k', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	assert_int_equal(parse("{\"a\": 1}"), 0);
	reader_enter(&reader, 0, name);
	reader_enter(&reader, 0, name);
	assert_int_equal(reader_fail_key(&reader, known), -EINVAL);
	assert_true(strlen(err.text) < sizeof(err.text));
}

static void file_that_cannot_be_read_is_told(void **state)
{
	(void)state;
	assert_int_equal(reader_open(&reader, "/nonexistent/m.json", &arena, &err), -ENOENT);
	assert_string_equal(err.text,
			    "matrix /nonexistent/m.json: cannot open: No such file or directory; check the path");
	assert_true(reader_open(&reader, "/dev", &arena, &err) < 0);
	assert_true(reader_open(&reader, "/dev/zero", &arena, &err) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(syntax_errors_have_their_place, begin, end),
		cmocka_unit_test_setup_teardown(broken_texts_are_refused, begin, end),
		cmocka_unit_test_setup_teardown(outermost_value_is_an_object, begin, end),
		cmocka_unit_test_setup_teardown(keys_keep_their_order, begin, end),
		cmocka_unit_test_setup_teardown(wrong_types_are_told_with_place_and_example, begin, end),
		cmocka_unit_test_setup_teardown(integers_have_bounds, begin, end),
		cmocka_unit_test_setup_teardown(one_string_is_a_list_too, begin, end),
		cmocka_unit_test_setup_teardown(endless_lists_are_refused, begin, end),
		cmocka_unit_test_setup_teardown(relative_paths_count_from_the_folder_of_the_file, begin, end),
		cmocka_unit_test_setup_teardown(unknown_keys_name_the_nearest_or_all, begin, end),
		cmocka_unit_test_setup_teardown(endless_names_do_not_overflow_the_message, begin, end),
		cmocka_unit_test_setup_teardown(file_that_cannot_be_read_is_told, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
