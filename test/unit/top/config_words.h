/* SPDX-License-Identifier: Apache-2.0 */
/* The words behind `vmm run`, parsed into a struct of the test's own, and what must come of them. */
#ifndef VMM_TEST_CONFIG_WORDS_H
#define VMM_TEST_CONFIG_WORDS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config.h"

#define MAX_WORDS 300

static struct config config;
static struct error err;

/* getopt moves the words of its array about, never the words themselves. */
static inline int parse_words(const char *const words[], int count)
{
	static char *argv[MAX_WORDS + 2];
	union {
		const char *in;
		char *out;
	} word = {.in = "run"};

	assert_true(count <= MAX_WORDS);
	memset(argv, 0, sizeof(argv));
	argv[0] = word.out;
	for (int i = 0; i < count; i++) {
		word.in = words[i];
		argv[i + 1] = word.out;
	}
	memset(&config, 0xa5, sizeof(config));
	err.text[0] = 0;
	return config_parse(&config, count + 1, argv, &err);
}

#define PARSE(...)                                                                                                     \
	parse_words((const char *const[]){__VA_ARGS__},                                                                \
		    (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)))

#define ACCEPT(...) assert_int_equal(PARSE(__VA_ARGS__), 0)

/* Refused with one line that holds @part. */
#define REFUSE(part, ...)                                                                                              \
	do {                                                                                                           \
		assert_int_equal(PARSE(__VA_ARGS__), -EINVAL);                                                         \
		assert_non_null(strstr(err.text, part));                                                               \
		assert_null(strchr(err.text, '\n'));                                                                   \
	} while (0)

#endif
