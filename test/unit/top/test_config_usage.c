/* SPDX-License-Identifier: Apache-2.0 */
/* The help against the parser itself; test/style/options.sh compares it with the parser's table. */
#include "unit/top/config_words.h"

#define MAX_LINE 110

/* The next word of @text that begins with two dashes; returns where to go on, NULL at the end. */
static const char *next_option(const char *text, char *name, size_t size)
{
	size_t len;

	do {
		text = strstr(text, "--");
		if (!text)
			return NULL;
		len = strspn(text, "abcdefghijklmnopqrstuvwxyz-");
		text += len;
	} while (len == 2); /* those before a command */
	assert_true(len < size);
	memcpy(name, text - len, len);
	name[len] = '\0';
	return text;
}

static void every_option_it_names_is_one(void **state)
{
	const char *at = config_usage();
	unsigned count = 0;
	char name[32];

	(void)state;
	while ((at = next_option(at, name, sizeof(name)))) {
		if (strcmp(name, "--help")) {
			(void)!PARSE("k", name);
			if (strstr(err.text, "unknown option"))
				fail_msg("%s is in the help, and not in the parser", name);
		}
		count++;
	}
	assert_true(count > 20);
}

/* "  -m, --mem SIZE": both forms do the same. */
static void a_letter_and_its_long_form_are_one_option(void **state)
{
	static const struct {
		const char *letter, *name, *value;
	} rows[] = {{"-m", "--mem", "2M"},
		    {"-c", "--cpus", "3"},
		    {"-i", "--initrd", "file"},
		    {"-a", "--append", "word"},
		    {"-k", "--kernel", "other"}};
	char row[32];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *kernel = strcmp(rows[i].letter, "-k") ? "k" : "-q";
		struct config by_letter;

		snprintf(row, sizeof(row), "\n  %s, %s ", rows[i].letter, rows[i].name);
		assert_non_null(strstr(config_usage(), row));
		ACCEPT(kernel, rows[i].letter, rows[i].value);
		by_letter = config;
		ACCEPT(kernel, rows[i].name, rows[i].value);
		assert_memory_equal(&config, &by_letter, sizeof(config));
	}
}

/* What it says of defaults is what the parser does. */
static void the_defaults_it_tells_are_the_parsers(void **state)
{
	char size[32];

	(void)state;
	ACCEPT("k", "--", "sh");
	assert_int_equal(config.mem_size, 256 << 20);
	assert_non_null(strstr(config_usage(), "(default 256M)"));
	assert_int_equal(config.command.out_limit, 1 << 30);
	assert_non_null(strstr(config_usage(), "(default 1G)"));
	assert_non_null(strstr(config_usage(), "\"" CONFIG_DEFAULT_CMDLINE "\""));
	snprintf(size, sizeof(size), "1 to %d (default 1)", LAYOUT_MAX_CPUS);
	assert_non_null(strstr(config_usage(), size));
}

/* Fits a terminal, and pastes without surprises. */
static void its_lines_are_short_and_plain(void **state)
{
	(void)state;
	for (const char *line = config_usage(); *line;) {
		size_t len = strcspn(line, "\n");

		if (len > MAX_LINE)
			fail_msg("%zu characters: %.*s", len, (int)len, line);
		assert_int_equal(line[len], '\n');
		for (size_t i = 0; i < len; i++)
			assert_in_range(line[i], ' ', '~');
		assert_true(len == 0 || line[len - 1] != ' ');
		line += len + 1;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_option_it_names_is_one),
		cmocka_unit_test(a_letter_and_its_long_form_are_one_option),
		cmocka_unit_test(the_defaults_it_tells_are_the_parsers),
		cmocka_unit_test(its_lines_are_short_and_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
