/* SPDX-License-Identifier: Apache-2.0 */
/* `vmm run KERNEL [options] -- COMMAND`: the command and the options that say more about it. */
#include "unit/top/config_words.h"

#include "ci/out_extract.h"

/* What is behind the dashes is the command's alone, however much it looks like ours. */
static void the_command_is_everything_behind_the_dashes(void **state)
{
	static const char *const words[] = {"ls", "-l", "--mem", "1G", "--", "-h", "", "a b\n\"c\"", "\xff"};
	const char *line[2 + ARRAY_SIZE(words)] = {"k", "--"};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		line[2 + i] = words[i];
	assert_int_equal(parse_words(line, ARRAY_SIZE(line)), 0);
	assert_int_equal(config.command.nr_arguments, ARRAY_SIZE(words));
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		assert_ptr_equal(config.command.arguments[i], words[i]);
	assert_int_equal(config.mem_size, CONFIG_DEFAULT_MEM);
	assert_int_equal(config.command.out_limit, OUT_DEFAULT_LIMIT);
	assert_false(config.help);
}

static void options_and_the_kernel_stand_before_the_dashes(void **state)
{
	(void)state;
	ACCEPT("-m", "1G", "k", "-c", "2", "--", "-c", "3");
	assert_string_equal(config.kernel, "k");
	assert_int_equal(config.nr_cpus, 2);
	assert_int_equal(config.command.nr_arguments, 2);
	REFUSE("no kernel given", "--", "k");
	REFUSE("two: unexpected word; the kernel is one", "one", "two", "--", "three");
	REFUSE("--: no command behind it", "k", "--");
	REFUSE("--: no command behind it", "k", "--", "");
	ACCEPT("--help", "--", "ls");
	assert_true(config.help);
}

static void the_command_has_an_environment_a_folder_and_files(void **state)
{
	(void)state;
	ACCEPT("k", "--env", "A=1", "--chdir", "/src", "--out", "dir", "--env=B=", "--out-limit", "20M", "--env",
	       "C=a=b c", "--", "make");
	assert_int_equal(config.command.nr_variables, 3);
	assert_string_equal(config.command.variables[0], "A=1");
	assert_string_equal(config.command.variables[1], "B=");
	assert_string_equal(config.command.variables[2], "C=a=b c");
	assert_string_equal(config.command.folder, "/src");
	assert_string_equal(config.command.out, "dir");
	assert_int_equal(config.command.out_limit, 20 << 20);
	ACCEPT("k", "--out", "dir", "--", "make");
	assert_int_equal(config.command.out_limit, OUT_DEFAULT_LIMIT);
}

static void variables_without_a_name_or_a_value_are_refused(void **state)
{
	(void)state;
	REFUSE("--env HOME: is not NAME=VALUE", "k", "--env", "HOME", "--", "sh");
	REFUSE("--env =x: is not NAME=VALUE", "k", "--env", "=x", "--", "sh");
	REFUSE("--env : is not NAME=VALUE", "k", "--env", "", "--", "sh");
}

static void there_is_a_limit_to_variables(void **state)
{
	static char options[CONFIG_MAX_VARIABLES][32];
	const char *words[CONFIG_MAX_VARIABLES + 4];
	int count = 0;

	(void)state;
	words[count++] = "k";
	for (unsigned i = 0; i < CONFIG_MAX_VARIABLES; i++) {
		snprintf(options[i], sizeof(options[i]), "--env=A%u=1", i);
		words[count++] = options[i];
	}
	words[count++] = "--";
	words[count++] = "sh";
	assert_int_equal(parse_words(words, count), 0);
	assert_int_equal(config.command.nr_variables, CONFIG_MAX_VARIABLES);
	words[count - 2] = "--env=LAST=1";
	words[count - 1] = "--";
	words[count++] = "sh";
	assert_int_equal(parse_words(words, count), -EINVAL);
	assert_non_null(strstr(err.text, "--env LAST=1: more than 256 variables"));
}

static void of_a_variable_given_twice_the_last_counts(void **state)
{
	(void)state;
	ACCEPT("k", "--env", "A=1", "--env", "AB=2", "--env", "A=3", "--", "sh");
	assert_int_equal(config.command.nr_variables, 2);
	assert_string_equal(config.command.variables[0], "A=3");
	assert_string_equal(config.command.variables[1], "AB=2");
}

static void an_out_limit_is_a_size_above_zero(void **state)
{
	(void)state;
	REFUSE("--out-limit 0: is not a size above zero", "k", "--out", "d", "--out-limit", "0", "--", "sh");
	REFUSE("--out-limit much: is not", "k", "--out", "d", "--out-limit", "much", "--", "sh");
	REFUSE("--out-limit 99999999999T: is not", "k", "--out", "d", "--out-limit", "99999999999T", "--", "sh");
	REFUSE("--out-limit: there is no --out to limit", "k", "--out-limit", "1G", "--", "sh");
}

/* Ignored in silence, such an option would look as if it worked. */
static void options_of_a_command_need_one(void **state)
{
	(void)state;
	REFUSE("--env: there is no command; write --", "k", "--env", "A=1");
	REFUSE("--chdir: there is no command", "k", "--chdir", "/");
	REFUSE("--tty: there is no command", "k", "--tty", "auto");
	REFUSE("--out: there is no command", "k", "--out", "d");
	REFUSE("--out: there is no command", "k", "--out", "d", "--out-limit", "1G");
}

static void a_command_makes_the_kernel_start_our_init(void **state)
{
	(void)state;
	ACCEPT("k", "--", "sh");
	assert_string_equal(config.cmdline, "rdinit=/.vmm/init " CONFIG_DEFAULT_CMDLINE);
	/* Not behind the user's dashes, where the kernel would not look. */
	ACCEPT("k", "--cmdline", "quiet", "-a", "-- word", "--", "sh");
	assert_string_equal(config.cmdline, "rdinit=/.vmm/init quiet -- word");
	ACCEPT("k", "--cmdline", "", "--", "sh");
	assert_string_equal(config.cmdline, "rdinit=/.vmm/init");
	ACCEPT("k", "-a", "rdinit=/init");
	assert_string_equal(config.cmdline, CONFIG_DEFAULT_CMDLINE " rdinit=/init");
}

static void an_init_of_the_users_and_a_command_exclude_each_other(void **state)
{
	(void)state;
	REFUSE("--append rdinit=/init: rdinit= and a command exclude", "k", "-a", "rdinit=/init", "--", "sh");
	REFUSE("exclude each other", "k", "-a", "quiet rdinit=/init", "--", "sh");
	REFUSE("--cmdline rdinit=/init: rdinit= and a command exclude", "k", "--cmdline", "rdinit=/init", "--", "sh");
	REFUSE("exclude each other", "k", "-a", "\"rdinit=/an init\"", "--", "sh");
	REFUSE("exclude each other", "k", "-a", "one", "-a", "two rdinit=/init three", "--", "sh");
	REFUSE("exclude each other", "k", "-a", "nordinit=1 rdinit=/init", "--", "sh");
	ACCEPT("k", "-a", "nordinit=1 init=/init", "--", "sh");
	assert_string_equal(config.cmdline, "rdinit=/.vmm/init " CONFIG_DEFAULT_CMDLINE " nordinit=1 init=/init");
}

static void our_init_counts_towards_the_command_line(void **state)
{
	char longest[CONFIG_CMDLINE_SIZE];
	const size_t room = sizeof(longest) - 1 - strlen("rdinit=/.vmm/init ");

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[room] = 0;
	ACCEPT("k", "--cmdline", longest, "--", "sh");
	assert_int_equal(strlen(config.cmdline), CONFIG_CMDLINE_SIZE - 1);
	longest[room] = 'x';
	longest[room + 1] = 0;
	REFUSE("longer than 4095 bytes", "k", "--cmdline", longest, "--", "sh");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_command_is_everything_behind_the_dashes),
		cmocka_unit_test(options_and_the_kernel_stand_before_the_dashes),
		cmocka_unit_test(the_command_has_an_environment_a_folder_and_files),
		cmocka_unit_test(variables_without_a_name_or_a_value_are_refused),
		cmocka_unit_test(there_is_a_limit_to_variables),
		cmocka_unit_test(of_a_variable_given_twice_the_last_counts),
		cmocka_unit_test(an_out_limit_is_a_size_above_zero),
		cmocka_unit_test(options_of_a_command_need_one),
		cmocka_unit_test(a_command_makes_the_kernel_start_our_init),
		cmocka_unit_test(an_init_of_the_users_and_a_command_exclude_each_other),
		cmocka_unit_test(our_init_counts_towards_the_command_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
