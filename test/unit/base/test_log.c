/* SPDX-License-Identifier: Apache-2.0 */
/* Redirects stderr into an unlinked temporary file only while messages are printed, so that failures stay visible. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

#define MAX_OUTPUT  (1 << 20)
#define NR_THREADS  4
#define NR_MESSAGES 500

struct capture {
	FILE *file;
	int saved_stderr;
	char *text;
	size_t len;
};

static int set_up(void **state)
{
	struct capture *c = calloc(1, sizeof(*c));

	*state = c;
	if (!c)
		return -1;
	c->text = malloc(MAX_OUTPUT);
	c->file = tmpfile();
	return c->text && c->file ? 0 : -1;
}

static int tear_down(void **state)
{
	struct capture *c = *state;

	log_set_level(LOG_NOTE);
	fclose(c->file);
	free(c->text);
	free(c);
	return 0;
}

static void begin_capture(struct capture *c)
{
	c->saved_stderr = dup(STDERR_FILENO);
	assert_true(c->saved_stderr >= 0);
	assert_int_equal(ftruncate(fileno(c->file), 0), 0);
	assert_int_equal(lseek(fileno(c->file), 0, SEEK_SET), 0);
	assert_true(dup2(fileno(c->file), STDERR_FILENO) >= 0);
}

static void end_capture(struct capture *c)
{
	ssize_t n;

	dup2(c->saved_stderr, STDERR_FILENO);
	close(c->saved_stderr);
	n = pread(fileno(c->file), c->text, MAX_OUTPUT - 1, 0);
	assert_true(n >= 0);
	c->len = (size_t)n;
	c->text[n] = '\0';
}

static unsigned count_lines(const struct capture *c)
{
	unsigned n = 0;

	for (const char *p = c->text; (p = strchr(p, '\n')); p++)
		n++;
	return n;
}

static void a_message_is_one_prefixed_line(void **state)
{
	struct capture *c = *state;

	begin_capture(c);
	log_err("disk %s: %d", "a.img", 7);
	end_capture(c);
	assert_string_equal(c->text, "vmm: disk a.img: 7\n");
}

static void only_urgent_enough_levels_are_printed(void **state)
{
	struct capture *c = *state;

	begin_capture(c);
	log_err("e");
	log_warn("w");
	log_note("n");
	log_debug("d");
	log_set_level(LOG_ERR);
	log_warn("w");
	log_set_level(LOG_DEBUG);
	log_debug("D");
	end_capture(c);
	assert_string_equal(c->text, "vmm: e\nvmm: w\nvmm: n\nvmm: D\n");
}

static void a_message_too_long_is_cut_to_one_line(void **state)
{
	struct capture *c = *state;
	char *text = malloc(5000);

	assert_non_null(text);
	memset(text, 'x', 4999);
	text[4999] = '\0';
	begin_capture(c);
	log_err("%s", text);
	end_capture(c);
	free(text);
	assert_int_equal(count_lines(c), 1);
	assert_int_equal(c->text[c->len - 1], '\n');
	assert_true(c->len > 900 && c->len <= 1024);
}

static void an_empty_message_is_still_a_line(void **state)
{
	struct capture *c = *state;

	begin_capture(c);
	log_err("%s", "");
	end_capture(c);
	assert_string_equal(c->text, "vmm: \n");
}

static void *print_many(void *arg)
{
	const char *letter = arg;
	char text[101];

	memset(text, *letter, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (unsigned i = 0; i < NR_MESSAGES; i++)
		log_note("%s", text);
	return NULL;
}

static void lines_of_several_threads_do_not_mix(void **state)
{
	static char letters[NR_THREADS] = {'a', 'b', 'c', 'd'};
	struct capture *c = *state;
	pthread_t threads[NR_THREADS];
	unsigned started = 0;

	begin_capture(c);
	while (started < NR_THREADS && !pthread_create(&threads[started], NULL, print_many, &letters[started]))
		started++;
	for (unsigned i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	end_capture(c);
	assert_int_equal(started, NR_THREADS);
	assert_int_equal(count_lines(c), NR_THREADS * NR_MESSAGES);
	for (const char *line = c->text; *line; line += 106) {
		assert_memory_equal(line, "vmm: ", 5);
		for (unsigned i = 5; i < 105; i++)
			assert_int_equal(line[i], line[5]);
		assert_int_equal(line[105], '\n');
	}
}

/* A token may come back for each second the loop took, however slow the machine is. */
static void a_guest_flood_is_limited_to_a_burst(void **state)
{
	struct capture *c = *state;
	struct log_limit limit = {0};
	uint64_t start = monotonic_ns(), seconds;
	unsigned lines;

	begin_capture(c);
	for (unsigned i = 0; i < NR_MESSAGES; i++)
		log_guest(&limit, "bad index %u", i);
	end_capture(c);
	seconds = (monotonic_ns() - start) / 1000000000ULL;
	lines = count_lines(c);
	assert_true(lines >= LOG_LIMIT_BURST && lines <= LOG_LIMIT_BURST + seconds + 1);
	assert_int_equal(lines + limit.suppressed, NR_MESSAGES);
	assert_memory_equal(c->text, "vmm: bad index 0\n", 17);
}

static void an_exhausted_limit_gives_one_line_a_second(void **state)
{
	struct capture *c = *state;
	/* Last refilled at the beginning of time: long ago. */
	struct log_limit limit = {.refill_ns = 0, .tokens = 0, .suppressed = 3, .started = true};

	if (monotonic_ns() < 2000000000ULL)
		skip(); /* the machine came up this second */
	begin_capture(c);
	log_guest(&limit, "again");
	end_capture(c);
	assert_string_equal(c->text, "vmm: again\n");
	assert_int_equal(limit.tokens, 0);
	assert_true(limit.refill_ns > 0);
}

static void limits_do_not_share_their_tokens(void **state)
{
	struct capture *c = *state;
	struct log_limit first = {0}, second = {0};

	begin_capture(c);
	for (unsigned i = 0; i < 100; i++)
		log_guest(&first, "first");
	log_guest(&second, "second");
	end_capture(c);
	assert_non_null(strstr(c->text, "vmm: second\n"));
	assert_int_equal(second.suppressed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_message_is_one_prefixed_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_urgent_enough_levels_are_printed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_message_too_long_is_cut_to_one_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_empty_message_is_still_a_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lines_of_several_threads_do_not_mix, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_guest_flood_is_limited_to_a_burst, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_exhausted_limit_gives_one_line_a_second, set_up, tear_down),
		cmocka_unit_test_setup_teardown(limits_do_not_share_their_tokens, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
