/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "matrix/settings.h"

static struct arena arena;
static struct error err;

static int end(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

/* Reads a file that consists of settings. */
static int read_all(struct settings *settings, const char *text)
{
	struct reader reader;
	unsigned index = 0;
	const char *key;
	json_t *value;
	int ret = 1;

	*settings = SETTINGS_NONE;
	assert_int_equal(reader_parse(&reader, "m", text, strlen(text), &arena, &err), 0);
	json_object_foreach(reader.root, key, value)
	{
		reader_enter(&reader, index++, key);
		ret = settings_read(&reader, settings, key, value);
		reader_leave(&reader);
		if (ret < 1)
			break;
	}
	reader_fini(&reader);
	return ret;
}

static void every_setting_is_read(void **state)
{
	struct settings s;

	(void)state;
	assert_int_equal(read_all(&s,
				  "{\"mem\":\"1G\",\"cpus\":4,\"timeout\":\"90s\",\"expect\":3,\"out\":true,"
				  "\"out-limit\":\"5M\",\"fail-on\":\"oops\",\"chdir\":\"/root\",\"initrd\":\"a\","
				  "\"initrd-dir\":[\"b\",\"/c\"],\"append\":[\"x\",\"y z\"],"
				  "\"env\":{\"K\":\"v=w\",\"E\":\"\"},\"vmm-args\":[\"--stats\"]}"),
			 1);
	assert_string_equal(s.mem, "1G");
	assert_int_equal(s.cpus, 4);
	assert_string_equal(s.timeout, "90s");
	assert_int_equal(s.timeout_ns, 90000000000ULL);
	assert_int_equal(s.expect, 3);
	assert_int_equal(s.out, 1);
	assert_string_equal(s.out_limit, "5M");
	assert_string_equal(s.fail_on, "oops");
	assert_string_equal(s.chdir, "/root");
	assert_string_equal(s.initrds.items[0], "a");
	assert_string_equal(s.initrd_dirs.items[1], "/c");
	assert_string_equal(s.appends.items[1], "y z");
	assert_string_equal(s.env.items[0], "K=v=w");
	assert_string_equal(s.env.items[1], "E=");
	assert_string_equal(s.vmm_args.items[0], "--stats");
}

static void wrong_values_are_told(void **state)
{
	static const struct {
		const char *text, *line;
	} cases[] = {
		{"{\"mem\": 256}", "m:1:9: mem: is not a string; write \"256M\" or \"4G\""},
		{"{\"mem\": \"lots\"}", "m:1:9: mem: \"lots\" is not a size; write \"256M\" or \"4G\""},
		{"{\"mem\": \"0\"}", "m:1:9: mem: \"0\" is not a size; write \"256M\" or \"4G\""},
		{"{\"cpus\": \"2\"}", "m:1:10: cpus: write a whole number from 1 to 64, without quotes"},
		{"{\"cpus\": 65}", "m:1:10: cpus: write a whole number from 1 to 64, without quotes"},
		{"{\"timeout\": 5}", "m:1:13: timeout: is not a string; write \"90s\" or \"5m\""},
		{"{\"timeout\": \"0s\"}",
		 "m:1:13: timeout: \"0s\" is not a duration above zero; write \"90s\" or \"5m\""},
		{"{\"expect\": 256}", "m:1:12: expect: write a whole number from 0 to 255, without quotes"},
		{"{\"expect\": 125}", "m:1:12: expect: 125 says that vmm itself failed; expect another status"},
		{"{\"out\": \"yes\"}", "m:1:9: out: write true or false, without quotes"},
		{"{\"fail-on\": \"bug\"}", "m:1:13: fail-on: \"bug\" is unknown; write \"warn\" or \"oops\""},
		{"{\"env\": [\"A=b\"]}", "m:1:9: env: is not an object; write {\"NAME\": \"value\"}"},
		{"{\"env\": {\"A\": 1}}", "m:1:15: env.A: is not a string; write \"value\", in quotes"},
		{"{\"env\": {\"A=B\": \"\"}}", "m:1:17: env.A=B: is no name for a variable; write \"NAME\": \"value\""},
		{"{\"env\": {\"\": \"\"}}", "m:1:14: env.: is no name for a variable; write \"NAME\": \"value\""},
		{"{\"vmm-args\": [\"--stats\", \"--\"]}",
		 "m:1:14: vmm-args: \"--\" would end the options; name the "
		 "command under \"commands\""},
	};
	struct settings s;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(read_all(&s, cases[i].text), -EINVAL);
		assert_string_equal(err.text, cases[i].line);
	}
}

static void other_keys_are_left_to_the_caller(void **state)
{
	struct arena_list keys = {0};
	struct settings s;

	(void)state;
	assert_int_equal(read_all(&s, "{\"kernels\": 1}"), 0);
	assert_int_equal(settings_add_keys(&arena, &keys), 0);
	assert_int_equal(keys.count, 13);
}

static void nearer_ones_win_and_lists_add_up(void **state)
{
	struct settings low, high;

	(void)state;
	assert_int_equal(
		read_all(&low,
			 "{\"mem\":\"1G\",\"cpus\":4,\"timeout\":\"1s\",\"expect\":1,\"out\":true,\"append\":\"a\","
			 "\"env\":{\"A\":\"1\",\"AB\":\"2\"},\"initrd\":\"x\",\"fail-on\":\"warn\"}"),
		1);
	assert_int_equal(read_all(&high,
				  "{\"mem\":\"2G\",\"expect\":0,\"out\":false,\"append\":\"b\","
				  "\"env\":{\"A\":\"3\",\"C\":\"4\"}}"),
			 1);
	assert_int_equal(settings_merge(&low, &high, &arena), 0);
	assert_string_equal(low.mem, "2G");
	assert_int_equal(low.cpus, 4);
	assert_int_equal(low.timeout_ns, 1000000000ULL);
	assert_int_equal(low.expect, 0);
	assert_int_equal(low.out, 0);
	assert_string_equal(low.fail_on, "warn");
	assert_int_equal(low.appends.count, 2);
	assert_string_equal(low.appends.items[1], "b");
	assert_int_equal(low.initrds.count, 1);
	assert_int_equal(low.env.count, 3);
	assert_string_equal(low.env.items[0], "A=3");
	assert_string_equal(low.env.items[1], "AB=2");
	assert_string_equal(low.env.items[2], "C=4");
}

static void what_nobody_set_has_a_default(void **state)
{
	struct settings s = SETTINGS_NONE;

	(void)state;
	settings_complete(&s);
	assert_string_equal(s.mem, "256M");
	assert_int_equal(s.cpus, 1);
	assert_int_equal(s.timeout_ns, 600000000000ULL);
	assert_int_equal(s.expect, 0);
	assert_int_equal(s.out, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(every_setting_is_read, end),
		cmocka_unit_test_teardown(wrong_values_are_told, end),
		cmocka_unit_test_teardown(other_keys_are_left_to_the_caller, end),
		cmocka_unit_test_teardown(nearer_ones_win_and_lists_add_up, end),
		cmocka_unit_test_teardown(what_nobody_set_has_a_default, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
