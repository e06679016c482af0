/* SPDX-License-Identifier: Apache-2.0 */
/* The command itself. Its runs start /proc/self/exe: this program stands in for vmm, and ends as --append says. */
#include "support/capture.h"
#include "support/fake_root.h"

#include "commands.h"

static struct capture c;
static char file[64], logs[64];

static void write_matrix(const struct fake_root *root, const char *text)
{
	fake_root_write(root, "/m.json", text);
	snprintf(file, sizeof(file), "%s/m.json", root->path);
	snprintf(logs, sizeof(logs), "%s/logs", root->path);
}

static void expect_error(const char *line)
{
	assert_int_equal(c.status, 125);
	assert_string_equal(c.out, "");
	assert_string_equal(c.err, line);
}

static void help_goes_to_stdout(void **state)
{
	(void)state;
	CAPTURE(&c, cmd_matrix, "matrix", "--help");
	assert_int_equal(c.status, 0);
	assert_memory_equal(c.out, "Usage: vmm matrix FILE", 22);
	CAPTURE(&c, cmd_matrix, "matrix", "x.json", "-h");
	assert_int_equal(c.status, 0);
}

static void wrong_words_are_one_line_and_125(void **state)
{
	(void)state;
	CAPTURE(&c, cmd_matrix, "matrix");
	expect_error("vmm: matrix: no file given; write `vmm matrix FILE`, see `vmm matrix --help`\n");
	CAPTURE(&c, cmd_matrix, "matrix", "a", "b");
	expect_error("vmm: matrix b: unexpected word; the file is a\n");
	CAPTURE(&c, cmd_matrix, "matrix", "--lisst", "a");
	expect_error("vmm: matrix --lisst: unknown option; see `vmm matrix --help`\n");
	CAPTURE(&c, cmd_matrix, "matrix", "a", "--logs");
	expect_error("vmm: matrix --logs: needs a value; see `vmm matrix --help`\n");
	CAPTURE(&c, cmd_matrix, "matrix", "a", "-j", "0");
	expect_error("vmm: matrix --jobs 0: give a number from 1 to 256\n");
	CAPTURE(&c, cmd_matrix, "matrix", "a", "-j", "many");
	expect_error("vmm: matrix --jobs many: give a number from 1 to 256\n");
	CAPTURE(&c, cmd_matrix, "matrix", "a", "--junit", "x", "--junit", "y");
	expect_error("vmm: matrix --junit: given twice; give it once\n");
	CAPTURE(&c, cmd_matrix, "matrix", "a", "--logs", "");
	expect_error("vmm: matrix --logs: is empty; give a path\n");
	CAPTURE(&c, cmd_matrix, "matrix", "/nonexistent/m.json");
	expect_error("vmm: matrix /nonexistent/m.json: cannot open: No such file or directory; check the path\n");
}

static void list_prints_the_command_lines(void **state)
{
	write_matrix(*state, "{\"kernels\": {\"a\": \"/k\", \"b\": \"/k\"}, \"append\": \"x y\", \"logs\": \"/l\"}");
	CAPTURE(&c, cmd_matrix, "matrix", file, "--list");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.err, "");
	assert_string_equal(c.out,
			    "a  vmm run --kernel /k --mem 256M --cpus 1 --append 'x y' --timeout 10m --console "
			    "file=/l/a/console.log --events /l/a/events.jsonl\n"
			    "b  vmm run --kernel /k --mem 256M --cpus 1 --append 'x y' --timeout 10m --console "
			    "file=/l/b/console.log --events /l/b/events.jsonl\n");
	CAPTURE(&c, cmd_matrix, "matrix", file, "--list", "--only", "b", "--only", "z", "--logs", logs);
	assert_int_equal(c.status, 0);
	assert_memory_equal(c.out, "b  vmm run ", 11);
	assert_non_null(strstr(c.out, logs));
}

static void what_vmm_run_would_refuse_is_refused_before_anything_begins(void **state)
{
	char line[256];

	write_matrix(*state, "{\"kernels\": {\"a\": \"/k\"}, \"sizes\": {\"ok\": {}, \"tiny\": {\"mem\": \"1M\"}}}");
	CAPTURE(&c, cmd_matrix, "matrix", file, "--logs", logs);
	snprintf(line, sizeof(line), "vmm: %s: run a-tiny: --mem 1M: too small; give at least 2M\n", file);
	expect_error(line);
	assert_int_equal(access(logs, F_OK), -1);
}

static void all_passed_is_0(void **state)
{
	char path[80], junit[80];

	write_matrix(*state,
		     "{\"kernels\": {\"a\": \"/k\", \"b\": {\"path\": \"/k\", \"append\": \"7\", \"expect\": 7}}}");
	snprintf(junit, sizeof(junit), "%s/copy.xml", ((const struct fake_root *)*state)->path);
	CAPTURE(&c, cmd_matrix, "matrix", file, "--logs", logs, "-j", "1", "--junit", junit);
	assert_int_equal(c.status, 0);
	assert_string_equal(c.err, "");
	assert_memory_equal(c.out, "ok 1/2 a ", 9);
	assert_non_null(strstr(c.out, "\nok 2/2 b "));
	assert_non_null(strstr(c.out, "\n\n2 runs: 2 passed; "));
	assert_int_equal(access(junit, R_OK), 0);
	snprintf(path, sizeof(path), "%s/junit.xml", logs);
	assert_int_equal(access(path, R_OK), 0);
	snprintf(path, sizeof(path), "%s/summary.json", logs);
	assert_int_equal(access(path, R_OK), 0);
	snprintf(path, sizeof(path), "%s/b/vmm.log", logs);
	assert_int_equal(access(path, R_OK), 0);
}

static void one_that_did_not_pass_is_1(void **state)
{
	write_matrix(*state,
		     "{\"kernels\": {\"a\": \"/k\", \"b\": {\"path\": \"/k\", \"append\": \"7\"}, \"c\": \"/k\"}}");
	CAPTURE(&c, cmd_matrix, "matrix", file, "--logs", logs, "-q");
	assert_int_equal(c.status, 1);
	assert_memory_equal(c.out, "FAILED b ", 9);
	assert_non_null(strstr(c.out, "s: stand-in (exit 7)\n    see "));
	assert_non_null(strstr(c.out, "\n3 runs: 2 passed, 1 failed; "));
	CAPTURE(&c, cmd_matrix, "matrix", file, "--logs", logs, "-q", "--fail-fast", "-j", "1");
	assert_int_equal(c.status, 1);
	assert_non_null(strstr(c.out, "\n3 runs: 1 passed, 1 failed, 1 not run; "));
	CAPTURE(&c, cmd_matrix, "matrix", file, "--logs", logs, "-q", "--only", "[ac]");
	assert_int_equal(c.status, 0);
}

static void report_that_cannot_be_written_is_125(void **state)
{
	write_matrix(*state, "{\"kernels\": {\"a\": \"/k\"}}");
	CAPTURE(&c, cmd_matrix, "matrix", file, "--logs", logs, "-q", "--junit", "/nonexistent/junit.xml");
	assert_int_equal(c.status, 125);
	assert_memory_equal(c.err, "vmm: /nonexistent/junit.xml: cannot write: ", 43);
	/* The rest is done all the same. */
	assert_memory_equal(c.out, "1 run: 1 passed; ", 17);
	CAPTURE(&c, cmd_matrix, "matrix", file, "--logs", "/proc/logs", "-q");
	assert_int_equal(c.status, 125);
	assert_memory_equal(c.err, "vmm: log folder /proc/logs: cannot make: ", 41);
}

static int stand_in(int argc, char *argv[])
{
	int status = 0;

	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], "--append") == 0)
			status = atoi(argv[i + 1]);
	fprintf(stderr, "vmm: stand-in (exit %d)\n", status);
	return status;
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(help_goes_to_stdout),
		cmocka_unit_test(wrong_words_are_one_line_and_125),
		fake_root_test(list_prints_the_command_lines),
		fake_root_test(what_vmm_run_would_refuse_is_refused_before_anything_begins),
		fake_root_test(all_passed_is_0),
		fake_root_test(one_that_did_not_pass_is_1),
		fake_root_test(report_that_cannot_be_written_is_125),
	};

	if (argc > 1 && strcmp(argv[1], "run") == 0)
		return stand_in(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
