/* SPDX-License-Identifier: Apache-2.0 */
/* vmm matrix with bare guests: each run has its own end, and none is left behind. */
#include "kvm_test.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "json_check.h"

/* Behind the test's own: a folder of logs for each run. */
static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	return ftw->level ? remove(path) : 0;
}

static int remove_all(void **state)
{
	nftw(run_scratch(), remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return run_remove_scratch(state);
}

#define WITH_LOGS(test) cmocka_unit_test_setup_teardown(test, run_make_scratch, remove_all)

/* Writes m.json: @sizes are members of "sizes", of which each is a test guest told by "append" what to do. */
static void write_matrix(const char *more, const char *sizes)
{
	char text[4096];
	int len = snprintf(text, sizeof(text),
			   "{\"mem\": \"16M\", \"logs\": \"logs\", %s\"kernels\": {\"bare\": \"%s\"}, \"sizes\": {%s}}",
			   more, run_guest("guest-pvh"), sizes);

	assert_in_range(len, 1, sizeof(text) - 1);
	run_write_file("m.json", text, (size_t)len);
}

#define EXITS(name, status) "\"" name "\": {\"append\": \"test=exit8 value=" #status "\"}"
#define HANGS(name)	    "\"" name "\": {\"append\": \"test=hang\"}"

static void expect_result(const char *summary, const char *name, const char *result, int status)
{
	char pattern[128];
	const char *at;

	snprintf(pattern, sizeof(pattern), "{\"name\":\"%s\",", name);
	at = strstr(summary, pattern);
	assert_non_null(at);
	snprintf(pattern, sizeof(pattern), "\"result\":\"%s\",\"status\":%d,", result, status);
	at = strstr(at, "\"result\"");
	assert_non_null(at);
	assert_memory_equal(at, pattern, strlen(pattern));
}

static char *read_summary(void)
{
	size_t len;
	char *text = run_read_file("logs/summary.json", &len);

	assert_true(len > 1 && json_check_object(text, len - 1)); /* a newline behind it */
	return text;
}

static void every_run_has_its_own_end(void **state)
{
	struct run_request request = {.words = {"matrix", "m.json", "-j", "3"}, .creates = 1};
	struct run_result r;
	char *summary, *log;

	(void)state;
	write_matrix("\"timeout\": \"1s\", ",
		     EXITS("zero", 0) ", " EXITS("seven", 7) ", " HANGS("hang") ", " EXITS("again", 0) ", "
		     "\"wanted\": {\"append\": \"test=exit8 value=9\", \"expect\": 9}, "
		     "\"lost\": {\"initrd\": \"missing.img\"}");
	run_one(&request, &r);
	run_expect_status(&r, 1);
	assert_string_equal(r.err.bytes, "");
	assert_non_null(strstr(r.out.bytes, "\n6 runs: 3 passed, 2 failed, 1 error; "));
	assert_non_null(strstr(r.out.bytes, "/6 bare-seven "));
	assert_null(strchr(r.out.bytes, '\033'));
	summary = read_summary();
	expect_result(summary, "bare-zero", "passed", 0);
	expect_result(summary, "bare-seven", "failed", 7);
	expect_result(summary, "bare-hang", "failed", 124);
	expect_result(summary, "bare-again", "passed", 0);
	expect_result(summary, "bare-wanted", "passed", 9);
	expect_result(summary, "bare-lost", "error", 125);
	assert_non_null(strstr(summary, "missing.img: cannot open: No such file or directory"));
	log = run_read_file("logs/bare-hang/console.log", NULL);
	assert_non_null(strstr(log, "the last line"));
	free(log);
	log = run_read_file("logs/bare-seven/events.jsonl", NULL);
	assert_int_equal(log[0], '{');
	free(log);
	log = run_read_file("logs/junit.xml", NULL);
	assert_non_null(
		strstr(log, "<testsuites name=\"vmm matrix\" tests=\"6\" failures=\"2\" errors=\"1\" skipped=\"0\""));
	assert_non_null(strstr(log, "the last line\n</system-out>"));
	free(log);
	free(summary);
	run_free(&r);
}

static void earlier_logs_are_replaced(void **state)
{
	struct run_request request = {.words = {"matrix", "m.json", "-q"}, .creates = 1};
	struct run_result r;

	(void)state;
	write_matrix("", EXITS("a", 0));
	for (unsigned i = 0; i < 2; i++) {
		char *log;

		run_one(&request, &r);
		run_expect_status(&r, 0);
		assert_memory_equal(r.out.bytes, "1 run: 1 passed; ", 17);
		log = run_read_file("logs/bare-a/vmm.log", NULL);
		assert_string_equal(strchr(log, '\n'), "\n");
		free(log);
		run_free(&r);
		request.creates = 0;
	}
}

static void signal_ends_all_of_them(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct run_request request = {
			.words = {"matrix", "m.json", "-j", "3"},
			.steps = {{.after = "ok 1/5", .signal = signals[i]}},
			.creates = i == 0,
		};
		struct run_result r;
		char *text;

		/* The first one ends when the others run already. */
		write_matrix("", HANGS("a") ", " HANGS("b") ", " EXITS("c", 0) ", " HANGS("d") ", " HANGS("e"));
		run_one(&request, &r); /* fails when a process is left behind */
		run_expect(&r, 128 + signals[i], "vmm: stopped by *");
		assert_non_null(strstr(r.out.bytes, "\n5 runs: 1 passed, 4 not run; "));
		text = read_summary();
		expect_result(text, "bare-c", "passed", 0);
		expect_result(text, "bare-a", "not-run", 143);
		assert_non_null(strstr(text, "\"result\":\"not-run\",\"status\":null"));
		free(text);
		text = run_read_file("logs/junit.xml", NULL);
		assert_non_null(strstr(text, "tests=\"5\" failures=\"0\" errors=\"0\" skipped=\"4\""));
		free(text);
		run_free(&r);
	}
}

static bool console_says(const char *run, const char *what)
{
	char name[64], text[256] = "";
	FILE *from;

	snprintf(name, sizeof(name), "logs/%s/console.log", run);
	from = fopen(run_path(name), "r");
	if (!from)
		return false;
	text[fread(text, 1, sizeof(text) - 1, from)] = 0;
	fclose(from);
	return strstr(text, what) != NULL;
}

/* False when it does not say that within a minute. */
static bool await_console(const char *run, const char *what)
{
	for (unsigned i = 0; i < 1200; i++) {
		if (console_says(run, what))
			return true;
		usleep(50000);
	}
	return false;
}

static _Noreturn void become_matrix(void)
{
	const char *program = getenv("VMM_BINARY") ? getenv("VMM_BINARY") : VMM_BINARY;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (null >= 0 && chdir(run_scratch()) == 0 && dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(null, 2) == 2)
		execl(program, "vmm", "matrix", "m.json", "-j", "2", (char *)NULL);
	_exit(1);
}

/* Their parent has died, so they are ours to wait for. Counts those that ended as vmm does after SIGTERM. */
static unsigned count_terminated_orphans(void)
{
	unsigned count = 0;
	int status;
	pid_t pid;

	for (unsigned i = 0; i < 1200 && (pid = waitpid(-1, &status, WNOHANG)) >= 0; i++) {
		if (pid == 0)
			usleep(50000);
		else
			count += (WIFEXITED(status) && WEXITSTATUS(status) == 143) ||
				 (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	}
	return count;
}

static void killed_matrix_leaves_no_guest_behind(void **state)
{
	bool begun;
	pid_t pid;

	(void)state;
	write_matrix("", HANGS("a") ", " HANGS("b"));
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid = fork();
	if (pid == 0)
		become_matrix();
	begun = await_console("bare-a", "the last line") && await_console("bare-b", "the last line");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_true(begun);
	assert_int_equal(count_terminated_orphans(), 2);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* Is @pid a vmm of this test's matrix that runs @run? */
static bool is_vmm_of(const char *pid, const char *run)
{
	char path[300], text[4096], cwd[PATH_MAX] = "";
	FILE *from;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%s/cwd", pid);
	if (readlink(path, cwd, sizeof(cwd) - 1) < 0 || strcmp(cwd, run_scratch()) != 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	from = fopen(path, "r");
	if (!from)
		return false;
	len = fread(text, 1, sizeof(text), from);
	fclose(from);
	return memmem(text, len, run, strlen(run)) != NULL;
}

static void *kill_victim(void *opaque)
{
	DIR *dir = await_console("bare-victim", "the last line") ? opendir("/proc") : NULL;

	(void)opaque;
	for (const struct dirent *e; dir && (e = readdir(dir));)
		if (atoi(e->d_name) > 0 && is_vmm_of(e->d_name, "bare-victim"))
			kill(atoi(e->d_name), SIGKILL);
	if (dir)
		closedir(dir);
	return NULL;
}

static void run_that_is_killed_does_not_touch_the_others(void **state)
{
	struct run_request request = {.words = {"matrix", "m.json", "-j", "2"}, .creates = 1};
	struct run_result r;
	pthread_t killer;
	char *summary;

	(void)state;
	write_matrix("\"timeout\": \"60s\", ",
		     HANGS("victim") ", " EXITS("a", 0) ", " EXITS("b", 7) ", " EXITS("c", 0));
	assert_int_equal(pthread_create(&killer, NULL, kill_victim, NULL), 0);
	run_one(&request, &r);
	pthread_join(killer, NULL);
	run_expect_status(&r, 1);
	summary = read_summary();
	expect_result(summary, "bare-victim", "error", 137);
	assert_non_null(strstr(summary, "vmm was killed by signal 9 (Killed)"));
	expect_result(summary, "bare-a", "passed", 0);
	expect_result(summary, "bare-b", "failed", 7);
	expect_result(summary, "bare-c", "passed", 0);
	free(summary);
	run_free(&r);
}

static void terminal_shows_a_table_and_ctrl_c_ends_it(void **state)
{
	struct run_request request = {
		.words = {"matrix", "m.json", "-j", "2"},
		.input = RUN_INPUT_TERMINAL,
		.steps = {{.after = "the last line", .keys = "\003"}},
		.creates = 1,
	};
	struct run_result r;

	(void)state;
	setenv("TERM", "xterm", 1);
	write_matrix("", HANGS("a") ", " HANGS("b") ", " HANGS("c"));
	run_one(&request, &r);
	run_expect(&r, 130, "vmm: stopped by Interrupt (exit 130)");
	assert_true(r.terminal_restored);
	assert_non_null(strstr(r.out.bytes, "bare-a "));
	assert_non_null(strstr(r.out.bytes, "running"));
	assert_non_null(strstr(r.out.bytes, "stopped before it began"));
	assert_non_null(strstr(r.out.bytes, "3 runs: 3 not run; "));
	run_free(&r);
}

static void bad_file_starts_nothing(void **state)
{
	struct run_result r;

	(void)state;
	run_write_file("m.json", "{\n \"kernls\": {}}", 16);
	run_words(&r, "matrix", "m.json", NULL);
	run_expect(&r, 125, "vmm: m.json:2:2: kernls: unknown key; is \"kernels\" meant?");
	run_free(&r);
}

static void second_matrix_in_the_same_folder_is_refused(void **state)
{
	struct run_result r;
	int folder;

	(void)state;
	write_matrix("", EXITS("a", 0));
	assert_int_equal(mkdir(run_path("logs"), 0755), 0);
	folder = open(run_path("logs"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(folder, LOCK_EX), 0); /* as the first one does */
	run_words(&r, "matrix", "m.json", NULL);
	close(folder);
	run_expect(&r, 125, "vmm: log folder logs: another `vmm matrix` writes to it; *");
	run_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LOGS(every_run_has_its_own_end),
		WITH_LOGS(earlier_logs_are_replaced),
		WITH_LOGS(signal_ends_all_of_them),
		WITH_LOGS(killed_matrix_leaves_no_guest_behind),
		WITH_LOGS(run_that_is_killed_does_not_touch_the_others),
		WITH_LOGS(terminal_shows_a_table_and_ctrl_c_ends_it),
		WITH_LOGS(bad_file_starts_nothing),
		WITH_LOGS(second_matrix_in_the_same_folder_is_refused),
	};
	int missing = run_require_kvm("test_matrix");

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
