/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/top/config_words.h"

static void a_kernel_alone_gets_the_defaults(void **state)
{
	(void)state;
	ACCEPT("bzImage");
	assert_string_equal(config.kernel, "bzImage");
	assert_int_equal(config.mem_size, 256 << 20);
	assert_int_equal(config.nr_cpus, 1);
	assert_int_equal(config.nr_initrds, 0);
	assert_string_equal(config.cmdline, CONFIG_DEFAULT_CMDLINE);
	assert_int_equal(config.protocol, IMAGE_PROTOCOL_AUTO);
	assert_int_equal(config.timeout_ns, 0);
	assert_int_equal(config.console, CONFIG_CONSOLE_STDIO);
	assert_int_equal(config.assist, ASSIST_AUTO);
	assert_null(config.events);
	assert_null(config.dump_fdt);
	assert_false(config.dry_run || config.stats || config.quiet || config.help || config.console_time);
	assert_int_equal(config.fail_on, CONFIG_FAIL_ON_NOTHING);
	assert_int_equal(config.command.nr_arguments, 0);
	assert_int_equal(config.command.nr_variables, 0);
	assert_int_equal(config.command.tty, CONFIG_TTY_AUTO);
	assert_null(config.command.folder);
	assert_null(config.command.out);
}

static void the_kernel_may_stand_anywhere_and_have_an_option(void **state)
{
	(void)state;
	ACCEPT("-m", "1G", "bzImage", "-c", "2");
	assert_string_equal(config.kernel, "bzImage");
	assert_int_equal(config.nr_cpus, 2);
	ACCEPT("-k", "vmlinux");
	assert_string_equal(config.kernel, "vmlinux");
	ACCEPT("--kernel=vmlinux");
	assert_string_equal(config.kernel, "vmlinux");
	REFUSE("no kernel given", "-m", "1G");
	REFUSE("two: unexpected word; the kernel is one", "one", "two");
	REFUSE("two: unexpected word; the kernel is one", "-k", "one", "two");
}

static void memory_sizes_have_limits(void **state)
{
	(void)state;
	ACCEPT("k", "-m", "512M");
	assert_int_equal(config.mem_size, 512 << 20);
	ACCEPT("k", "--mem", "2M");
	assert_int_equal(config.mem_size, 2 << 20);
	ACCEPT("k", "--mem=16T");
	assert_int_equal(config.mem_size, 16ULL << 40);
	REFUSE("--mem 1M: too small; give at least 2M", "k", "-m", "1M");
	REFUSE("too small", "k", "-m", "0");
	REFUSE("--mem 17T: too large", "k", "-m", "17T");
	REFUSE("too large", "k", "-m", "99999999999T");
	REFUSE("--mem much: is not a size", "k", "-m", "much");
	REFUSE("is not a size", "k", "-m", "-1M");
	REFUSE("is not a size", "k", "-m", "");
	REFUSE("--mem 2097153: is not a multiple of 4K", "k", "-m", "2097153");
}

static void there_are_1_to_64_cpus(void **state)
{
	(void)state;
	ACCEPT("k", "-c", "64");
	assert_int_equal(config.nr_cpus, 64);
	ACCEPT("k", "--cpus=1");
	assert_int_equal(config.nr_cpus, 1);
	REFUSE("--cpus 0: give a number from 1 to 64", "k", "-c", "0");
	REFUSE("--cpus 65: give a number from 1 to 64", "k", "-c", "65");
	REFUSE("--cpus two", "k", "-c", "two");
	REFUSE("--cpus -1", "k", "-c", "-1");
	REFUSE("--cpus 99999999999999999999", "k", "-c", "99999999999999999999");
}

static void initrds_are_collected_in_order(void **state)
{
	const char *words[2 * (CONFIG_MAX_INITRDS + 1) + 1];
	int count = 0;

	(void)state;
	ACCEPT("-i", "one", "k", "--initrd", "two", "--initrd=three");
	assert_int_equal(config.nr_initrds, 3);
	assert_string_equal(config.initrds[0].path, "one");
	assert_string_equal(config.initrds[1].path, "two");
	assert_string_equal(config.initrds[2].path, "three");
	words[count++] = "k";
	for (unsigned i = 0; i < CONFIG_MAX_INITRDS; i++) {
		words[count++] = "-i";
		words[count++] = "file";
	}
	assert_int_equal(parse_words(words, count), 0);
	assert_int_equal(config.nr_initrds, CONFIG_MAX_INITRDS);
	words[count++] = "-i";
	words[count++] = "last";
	assert_int_equal(parse_words(words, count), -EINVAL);
	assert_non_null(strstr(err.text, "--initrd last: more than 16"));
	words[count - 2] = "--initrd-dir";
	assert_int_equal(parse_words(words, count), -EINVAL);
	assert_non_null(strstr(err.text, "--initrd-dir last: more than 16"));
}

/* One list: the order between the two kinds is the order in which the guest unpacks them. */
static void folders_and_files_share_one_order(void **state)
{
	static const char *const paths[] = {"a", "b", "c", "d"};

	(void)state;
	ACCEPT("k", "--initrd-dir", "a", "-i", "b", "--initrd-dir=c", "--initrd", "d");
	assert_int_equal(config.nr_initrds, ARRAY_SIZE(paths));
	for (unsigned i = 0; i < ARRAY_SIZE(paths); i++) {
		assert_string_equal(config.initrds[i].path, paths[i]);
		assert_int_equal(config.initrds[i].is_folder, i % 2 == 0);
	}
	assert_int_equal(config.command.nr_arguments, 0);
}

static void appended_words_follow_the_beginning_in_order(void **state)
{
	(void)state;
	ACCEPT("k", "-a", "one", "-a", "two three");
	assert_string_equal(config.cmdline, CONFIG_DEFAULT_CMDLINE " one two three");
	ACCEPT("k", "--append", "one", "--cmdline", "base", "-a", "two");
	assert_string_equal(config.cmdline, "base one two");
	ACCEPT("k", "--cmdline", "");
	assert_string_equal(config.cmdline, "");
	ACCEPT("k", "--cmdline", "", "-a", "only");
	assert_string_equal(config.cmdline, "only");
	ACCEPT("k", "--cmdline", "base", "-a", "", "-a", "x");
	assert_string_equal(config.cmdline, "base x");
}

static void the_command_line_fits_its_buffer_or_is_refused(void **state)
{
	char longest[CONFIG_CMDLINE_SIZE], too_long[CONFIG_CMDLINE_SIZE + 1];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	memset(too_long, 'x', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = 0;
	ACCEPT("k", "--cmdline", longest);
	assert_int_equal(strlen(config.cmdline), CONFIG_CMDLINE_SIZE - 1);
	REFUSE("longer than 4095 bytes", "k", "--cmdline", too_long);
	REFUSE("longer than 4095 bytes", "k", "--cmdline", longest, "-a", "x");
	REFUSE("longer than 4095 bytes", "k", "-a", longest);
}

static void too_many_appends_are_refused(void **state)
{
	const char *words[1 + 65];
	int count = 0;

	(void)state;
	words[count++] = "k";
	while (count < 65)
		words[count++] = "--append=x";
	assert_int_equal(parse_words(words, count), 0);
	words[count++] = "--append=x";
	assert_int_equal(parse_words(words, count), -EINVAL);
	assert_non_null(strstr(err.text, "given more than 64 times"));
}

static void choices_are_listed_when_none_fits(void **state)
{
	static const struct {
		const char *word;
		enum image_protocol protocol;
	} boots[] = {{"auto", IMAGE_PROTOCOL_AUTO},
		     {"linux", IMAGE_PROTOCOL_LINUX},
		     {"pvh", IMAGE_PROTOCOL_PVH},
		     {"multiboot", IMAGE_PROTOCOL_MULTIBOOT}};
	static const struct {
		const char *word;
		enum assist_mode mode;
	} assists[] = {{"auto", ASSIST_AUTO}, {"on", ASSIST_ON}, {"off", ASSIST_OFF}};
	static const struct {
		const char *word;
		enum config_fail_on what;
	} fail_ons[] = {
		{"nothing", CONFIG_FAIL_ON_NOTHING}, {"oops", CONFIG_FAIL_ON_OOPS}, {"warn", CONFIG_FAIL_ON_WARN}};
	static const struct {
		const char *word;
		enum config_tty mode;
	} ttys[] = {{"auto", CONFIG_TTY_AUTO}, {"on", CONFIG_TTY_ON}, {"off", CONFIG_TTY_OFF}};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(boots); i++) {
		ACCEPT("k", "--boot", boots[i].word);
		assert_int_equal(config.protocol, boots[i].protocol);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(assists); i++) {
		ACCEPT("k", "--assist", assists[i].word);
		assert_int_equal(config.assist, assists[i].mode);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(fail_ons); i++) {
		ACCEPT("k", "--fail-on", fail_ons[i].word);
		assert_int_equal(config.fail_on, fail_ons[i].what);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(ttys); i++) {
		ACCEPT("k", "--tty", ttys[i].word, "--", "sh");
		assert_int_equal(config.command.tty, ttys[i].mode);
	}
	REFUSE("--boot uefi: choose one of auto, linux, pvh, multiboot", "k", "--boot", "uefi");
	REFUSE("--assist yes: choose one of auto, on, off", "k", "--assist", "yes");
	REFUSE("--assist : choose", "k", "--assist", "");
	REFUSE("--fail-on panic: choose one of nothing, oops, warn", "k", "--fail-on", "panic");
	REFUSE("--tty yes: choose one of auto, on, off", "k", "--tty", "yes", "--", "sh");
}

static void the_console_goes_to_three_places(void **state)
{
	(void)state;
	ACCEPT("k", "--console", "stdio");
	assert_int_equal(config.console, CONFIG_CONSOLE_STDIO);
	ACCEPT("k", "--console", "null");
	assert_int_equal(config.console, CONFIG_CONSOLE_NULL);
	ACCEPT("k", "--console", "file=a=b");
	assert_int_equal(config.console, CONFIG_CONSOLE_FILE);
	assert_string_equal(config.console_path, "a=b");
	REFUSE("choose one of stdio, null, file=PATH", "k", "--console", "file=");
	REFUSE("--console file: choose", "k", "--console", "file");
	REFUSE("--console tty", "k", "--console", "tty");
}

static void a_timeout_is_a_duration_above_zero(void **state)
{
	(void)state;
	ACCEPT("k", "--timeout", "90s");
	assert_int_equal(config.timeout_ns, 90000000000);
	ACCEPT("k", "--timeout", "500ms");
	assert_int_equal(config.timeout_ns, 500000000);
	REFUSE("--timeout 0: is not a duration above zero", "k", "--timeout", "0");
	REFUSE("--timeout soon", "k", "--timeout", "soon");
	REFUSE("--timeout 99999999999h", "k", "--timeout", "99999999999h");
}

static void the_rest_is_taken_as_it_is(void **state)
{
	(void)state;
	ACCEPT("k", "--events", "fd:2", "--dump-fdt", "-", "--dry-run", "--stats", "-q");
	assert_string_equal(config.events, "fd:2");
	assert_string_equal(config.dump_fdt, "-");
	assert_true(config.dry_run && config.stats && config.quiet);
	ACCEPT("k", "--quiet", "--console-time");
	assert_true(config.quiet && config.console_time);
}

static void help_needs_no_kernel(void **state)
{
	(void)state;
	ACCEPT("--help");
	assert_true(config.help);
	ACCEPT("-h");
	assert_true(config.help);
	assert_non_null(strstr(config_usage(), "Usage: vmm run"));
}

static void an_option_that_is_given_twice_is_refused(void **state)
{
	(void)state;
	REFUSE("--mem: given twice", "k", "-m", "1G", "--mem", "2G");
	REFUSE("--cpus: given twice", "k", "-c1", "-c1");
	REFUSE("--kernel: given twice", "-k", "a", "-k", "b");
	REFUSE("--cmdline: given twice", "k", "--cmdline", "a", "--cmdline", "b");
	REFUSE("--dry-run: given twice", "k", "--dry-run", "--dry-run");
	REFUSE("--quiet: given twice", "k", "-q", "-q");
	REFUSE("--console-time: given twice", "k", "--console-time", "--console-time");
	REFUSE("--fail-on: given twice", "k", "--fail-on", "warn", "--fail-on", "oops");
	REFUSE("--chdir: given twice", "k", "--chdir", "a", "--chdir", "a", "--", "sh");
	REFUSE("--tty: given twice", "k", "--tty", "on", "--tty", "on", "--", "sh");
	REFUSE("--out: given twice", "k", "--out", "a", "--out", "a", "--", "sh");
	REFUSE("--out-limit: given twice", "k", "--out", "a", "--out-limit", "1", "--out-limit", "1", "--", "sh");
}

static void an_option_without_its_value_is_refused(void **state)
{
	(void)state;
	REFUSE("-m: needs a value", "k", "-m");
	REFUSE("--mem: needs a value", "k", "--mem");
	REFUSE("--cmdline: needs a value", "k", "--cmdline");
	REFUSE("--chdir: needs a value", "k", "--chdir", "--", "sh");
}

static void unknown_options_are_named(void **state)
{
	(void)state;
	REFUSE("--frobnicate: unknown option", "k", "--frobnicate");
	REFUSE("--frobnicate=1: unknown option", "k", "--frobnicate=1");
	REFUSE("-z: unknown option", "k", "-z");
	REFUSE("-z: unknown option", "k", "-qz");
	REFUSE("-z: unknown option", "-zq", "k");
	REFUSE("--dry-run=yes: unknown option or unexpected value", "k", "--dry-run=yes");
}

static void parsing_again_starts_afresh(void **state)
{
	(void)state;
	REFUSE("-z: unknown option", "-qz", "k");
	ACCEPT("k", "-m", "512M", "-i", "a");
	ACCEPT("other");
	assert_string_equal(config.kernel, "other");
	assert_int_equal(config.mem_size, CONFIG_DEFAULT_MEM);
	assert_int_equal(config.nr_initrds, 0);
}

/* Whatever the words are, the line fits and ends. */
static void long_words_do_not_overflow_the_line(void **state)
{
	char word[2000];

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = 0;
	assert_int_equal(PARSE("k", "-m", word), -EINVAL);
	assert_true(strlen(err.text) < ERROR_TEXT_SIZE);
	assert_int_equal(PARSE("k", "--boot", word), -EINVAL);
	assert_true(strlen(err.text) < ERROR_TEXT_SIZE);
	assert_int_equal(PARSE("k", word), -EINVAL);
	assert_true(strlen(err.text) < ERROR_TEXT_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kernel_alone_gets_the_defaults),
		cmocka_unit_test(the_kernel_may_stand_anywhere_and_have_an_option),
		cmocka_unit_test(memory_sizes_have_limits),
		cmocka_unit_test(there_are_1_to_64_cpus),
		cmocka_unit_test(initrds_are_collected_in_order),
		cmocka_unit_test(folders_and_files_share_one_order),
		cmocka_unit_test(appended_words_follow_the_beginning_in_order),
		cmocka_unit_test(the_command_line_fits_its_buffer_or_is_refused),
		cmocka_unit_test(too_many_appends_are_refused),
		cmocka_unit_test(choices_are_listed_when_none_fits),
		cmocka_unit_test(the_console_goes_to_three_places),
		cmocka_unit_test(a_timeout_is_a_duration_above_zero),
		cmocka_unit_test(the_rest_is_taken_as_it_is),
		cmocka_unit_test(help_needs_no_kernel),
		cmocka_unit_test(an_option_that_is_given_twice_is_refused),
		cmocka_unit_test(an_option_without_its_value_is_refused),
		cmocka_unit_test(unknown_options_are_named),
		cmocka_unit_test(parsing_again_starts_afresh),
		cmocka_unit_test(long_words_do_not_overflow_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
