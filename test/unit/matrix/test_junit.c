/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "matrix/junit.h"

static struct plan_fixture f;
static struct error err;
static char path[64];

static int begin(void **state)
{
	memset(&f, 0, sizeof(f));
	return fake_root_setup(state);
}

static int end(void **state)
{
	plan_fixture_free(&f);
	return fake_root_teardown(state);
}

static struct plan_run *add(const struct fake_root *root, const char *kernel, const char *name, enum plan_state state,
			    int status)
{
	struct plan_run *run = plan_fixture_add(&f, root, name, "");

	run->kernel = kernel;
	run->state = state;
	run->status = status;
	run->start_ns = 1;
	run->elapsed_ns = 1500000000;
	return run;
}

/* The file as text; the caller frees it. */
static char *write_and_read(const struct fake_root *root)
{
	static char text[1 << 20];
	size_t len;
	FILE *from;

	snprintf(path, sizeof(path), "%s/junit.xml", root->path);
	if (junit_write(&f.plan, path, 0, 2500000000ULL, &err))
		fail_msg("%s", err.text);
	from = fopen(path, "r");
	assert_non_null(from);
	len = fread(text, 1, sizeof(text) - 1, from);
	fclose(from);
	text[len] = 0;
	return text;
}

static void every_result_has_its_element(void **state)
{
	const struct fake_root *root = *state;
	struct plan_run *run;

	add(root, "6.1", "good", PLAN_PASSED, 0);
	run = add(root, "6.1", "bad", PLAN_FAILED, 7);
	snprintf(run->reason, sizeof(run->reason), "guest said \"<no>\"");
	run = add(root, "6.6", "broken", PLAN_ERROR, 125);
	snprintf(run->reason, sizeof(run->reason), "no kernel");
	run = add(root, "6.6", "later", PLAN_NOT_RUN, -1);
	snprintf(run->reason, sizeof(run->reason), "stopped");
	run->start_ns = run->elapsed_ns = 0;
	fake_root_write(root, "/bad/console.log", "line <1>\r\nline 2\033[0m");
	fake_root_write(root, "/bad/vmm.log", "vmm: why");
	fake_root_write(root, "/later/console.log", "from an earlier run");
	assert_string_equal(
		write_and_read(root),
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites name=\"vmm matrix\" tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\" "
		"time=\"2.500\">\n"
		"  <testsuite name=\"6.1\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\" time=\"3.000\" "
		"timestamp=\"1970-01-01T00:00:00Z\">\n"
		"    <testcase classname=\"6.1\" name=\"good\" time=\"1.500\">\n"
		"    </testcase>\n"
		"    <testcase classname=\"6.1\" name=\"bad\" time=\"1.500\">\n"
		"      <failure message=\"guest said &quot;&lt;no&gt;&quot;\" type=\"status-7\"/>\n"
		"      <system-out>line &lt;1&gt;\nline 2&#9243;[0m</system-out>\n"
		"      <system-err>vmm: why</system-err>\n"
		"    </testcase>\n"
		"  </testsuite>\n"
		"  <testsuite name=\"6.6\" tests=\"2\" failures=\"0\" errors=\"1\" skipped=\"1\" time=\"1.500\" "
		"timestamp=\"1970-01-01T00:00:00Z\">\n"
		"    <testcase classname=\"6.6\" name=\"broken\" time=\"1.500\">\n"
		"      <error message=\"no kernel\" type=\"status-125\"/>\n"
		"    </testcase>\n"
		"    <testcase classname=\"6.6\" name=\"later\" time=\"0.000\">\n"
		"      <skipped message=\"stopped\"/>\n"
		"    </testcase>\n"
		"  </testsuite>\n"
		"</testsuites>\n");
}

/* Its status is the signal's that stopped it, not a result. */
static void stopped_run_is_skipped_without_a_status(void **state)
{
	const struct fake_root *root = *state;
	struct plan_run *run = add(root, "k", "r", PLAN_NOT_RUN, 143);

	snprintf(run->reason, sizeof(run->reason), "stopped before it ended");
	assert_non_null(strstr(write_and_read(root), "<skipped message=\"stopped before it ended\"/>"));
}

static void long_console_is_cut_to_its_end(void **state)
{
	const struct fake_root *root = *state;
	char *text = malloc(200001);
	const char *written, *out;

	for (unsigned i = 0; i < 200000; i++)
		text[i] = i < 100000 ? 'a' : 'b';
	text[200000] = 0;
	add(root, "k", "r", PLAN_PASSED, 0);
	fake_root_write(root, "/r/console.log", text);
	free(text);
	written = write_and_read(root);
	out = strstr(written, "<system-out>");
	assert_non_null(out);
	assert_int_equal(strspn(out + 12, "b"), JUNIT_MAX_OUTPUT);
}

static void every_parser_takes_it_whatever_the_guest_prints(void **state)
{
	const struct fake_root *root = *state;
	char command[128], *noise = malloc(60001);

	if (access("/usr/bin/xmllint", X_OK) < 0)
		skip();
	srand(1);
	for (unsigned i = 0; i < 60000; i++)
		noise[i] = (char)(1 + rand() % 255);
	noise[60000] = 0;
	add(root, "<\x01\xff&\">", "r", PLAN_FAILED, 1);
	memcpy(f.runs[0].reason, noise, sizeof(f.runs[0].reason) - 1);
	fake_root_write(root, "/r/console.log", noise);
	fake_root_write(root, "/r/vmm.log", "]]><![CDATA[ <?pi?> &amp; <!-- -->");
	free(noise);
	(void)write_and_read(root);
	snprintf(command, sizeof(command), "/usr/bin/xmllint --noout %s", path);
	assert_int_equal(system(command), 0);
}

static void place_that_is_missing_is_told(void **state)
{
	(void)state;
	assert_int_equal(junit_write(&f.plan, "/nonexistent/junit.xml", 0, 0, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/junit.xml: cannot write: No such file or directory"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_result_has_its_element, begin, end),
		cmocka_unit_test_setup_teardown(stopped_run_is_skipped_without_a_status, begin, end),
		cmocka_unit_test_setup_teardown(long_console_is_cut_to_its_end, begin, end),
		cmocka_unit_test_setup_teardown(every_parser_takes_it_whatever_the_guest_prints, begin, end),
		cmocka_unit_test_setup_teardown(place_that_is_missing_is_told, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
