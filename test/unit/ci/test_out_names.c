/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/compiler.h"
#include "ci/out_names.h"

static void assert_path(const char *name, const char *expected)
{
	const char *reason = NULL, *path = out_names_path(name, strlen(name), &reason);

	if (!path)
		fail_msg("%s is refused: %s", name, reason);
	assert_string_equal(path, expected);
	assert_true(path >= name && path <= name + strlen(name));
}

static void assert_refused(const char *name, size_t len)
{
	const char *reason = NULL;

	if (out_names_path(name, len, &reason))
		fail_msg("%s is accepted", name);
	assert_non_null(reason);
}

static void names_below_the_folder_are_accepted(void **state)
{
	(void)state;
	assert_path("a", "a");
	assert_path("a/b/c", "a/b/c");
	assert_path("./a/b", "a/b");
	assert_path("././a", "a");
	assert_path(".a", ".a");
	assert_path("..a", "..a");
	assert_path("a..", "a..");
	assert_path("...", "...");
	assert_path("a/..b", "a/..b");
	assert_path(" ", " ");
	assert_path("\n\x80\xff", "\n\x80\xff");
	assert_path("\\..\\a", "\\..\\a");
	assert_path("TRAILER!!!", "TRAILER!!!");
}

static void the_folder_itself_has_an_empty_path(void **state)
{
	(void)state;
	assert_path(".", "");
	assert_path("./", "");
	assert_path("./.", "");
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
	static const char *const names[] = {
		"",	"/",	  "/a",	  "//a", "..",	 "../a",  "a/../b", "a/..",   "a/../../b",
		"./..", "./../a", "a//b", "a/",	 ".//a", "a/./b", "a/.",    "a/b/..", "/..",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_refused(names[i], strlen(names[i]));
}

static void a_name_with_a_nul_inside_is_refused(void **state)
{
	(void)state;
	assert_refused("a\0b", 3);
	assert_refused("a\0", 2);
	assert_refused("\0a", 2);
	assert_refused("a\0/../../b", 10);
	assert_refused(".\0", 2);
}

static void long_names_are_refused(void **state)
{
	char name[4200];
	const char *reason;

	(void)state;
	memset(name, 'x', sizeof(name));
	name[255] = '\0';
	assert_path(name, name);
	name[255] = 'x';
	name[256] = '\0';
	assert_refused(name, 256);
	name[0] = '/';
	memmove(name + 1, name, 257);
	name[0] = 'a';
	assert_path(name, name);
	memset(name, 'x', sizeof(name));
	for (size_t at = 200; at < sizeof(name); at += 201)
		name[at] = '/';
	name[4095] = '\0';
	assert_non_null(out_names_path(name, 4095, &reason));
	name[4095] = 'x';
	name[4096] = '\0';
	assert_refused(name, 4096);
}

static void very_deep_names_are_refused(void **state)
{
	char name[2 * OUT_NAMES_MAX_DEPTH + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(name); i += 2) {
		name[i] = 'd';
		name[i + 1] = '/';
	}
	name[2 * OUT_NAMES_MAX_DEPTH - 1] = '\0';
	assert_path(name, name);
	assert_int_equal(out_names_depth(name), OUT_NAMES_MAX_DEPTH - 1);
	name[2 * OUT_NAMES_MAX_DEPTH - 1] = '/';
	name[2 * OUT_NAMES_MAX_DEPTH + 1] = '\0';
	assert_refused(name, strlen(name));
}

static void depth_is_the_number_of_folders(void **state)
{
	(void)state;
	assert_int_equal(out_names_depth(""), 0);
	assert_int_equal(out_names_depth("a"), 0);
	assert_int_equal(out_names_depth("a/b"), 1);
	assert_int_equal(out_names_depth("aa/bb/cc"), 2);
}

static void links_that_stay_inside_are_accepted(void **state)
{
	static const struct {
		const char *target;
		unsigned depth;
	} cases[] = {
		{"a", 0},	 {"a/b", 0},   {"./a", 0},   {".", 0},	       {"a/", 0},
		{"a//b/./c", 0}, {"..", 1},    {"../a", 1},  {"../../a/b", 2}, {"./.././/..", 2},
		{"...", 0},	 {"..a/b", 0}, {"a/..b", 0}, {"../..", 5},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (out_names_refuse_target(cases[i].target, strlen(cases[i].target), cases[i].depth))
			fail_msg("%s at %u is refused", cases[i].target, cases[i].depth);
}

static void links_that_may_lead_out_are_refused(void **state)
{
	static const struct {
		const char *target;
		unsigned depth;
	} cases[] = {
		{"", 0},	{"/", 0},      {"/etc/passwd", 9}, {"//", 0},	      {"..", 0},
		{"../a", 0},	{"../..", 1},  {"./../..", 1},	   {"a/..", 5},	      {"a/../b", 5},
		{"../a/..", 5}, {"a/./..", 5}, {"a//../b", 5},	   {"..//..//..", 2},
	};
	char longest[4200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (!out_names_refuse_target(cases[i].target, strlen(cases[i].target), cases[i].depth))
			fail_msg("%s at %u is accepted", cases[i].target, cases[i].depth);
	assert_non_null(out_names_refuse_target("a\0/../..", 8, 0));
	memset(longest, 'x', sizeof(longest));
	longest[4095] = '\0';
	assert_null(out_names_refuse_target(longest, 4095, 0));
	longest[4095] = 'x';
	longest[4096] = '\0';
	assert_non_null(out_names_refuse_target(longest, 4096, 0));
}

static void names_are_shown_without_what_a_terminal_obeys(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(out_names_show("a b~", 4, buf, sizeof(buf)), "a b~");
	assert_string_equal(out_names_show("\x1b[2J\n\x7f\xe9", 7, buf, sizeof(buf)), "\\x1b[2J\\x0a\\x7f\\xe9");
	assert_string_equal(out_names_show("a\0b\\", 4, buf, sizeof(buf)), "a\\x00b\\x5c");
	assert_string_equal(out_names_show("", 0, buf, sizeof(buf)), "");
	assert_string_equal(out_names_show("%s%n", 4, buf, sizeof(buf)), "%s%n");
}

static void long_names_are_shown_cut_off(void **state)
{
	char buf[16];

	(void)state;
	for (size_t size = 4; size <= sizeof(buf); size++) {
		memset(buf, '#', sizeof(buf));
		out_names_show("abcdefghijklmnopqrstuvwxyz", 26, buf, size);
		assert_int_equal(strlen(buf), size - 1);
		assert_string_equal(buf + size - 4, "...");
		out_names_show("\n\n\n\n\n\n\n\n\n\n", 10, buf, size);
		assert_true(strlen(buf) < size);
		assert_string_equal(buf + strlen(buf) - 3, "...");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_below_the_folder_are_accepted),
		cmocka_unit_test(the_folder_itself_has_an_empty_path),
		cmocka_unit_test(names_that_lead_elsewhere_are_refused),
		cmocka_unit_test(a_name_with_a_nul_inside_is_refused),
		cmocka_unit_test(long_names_are_refused),
		cmocka_unit_test(very_deep_names_are_refused),
		cmocka_unit_test(depth_is_the_number_of_folders),
		cmocka_unit_test(links_that_stay_inside_are_accepted),
		cmocka_unit_test(links_that_may_lead_out_are_refused),
		cmocka_unit_test(names_are_shown_without_what_a_terminal_obeys),
		cmocka_unit_test(long_names_are_shown_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
