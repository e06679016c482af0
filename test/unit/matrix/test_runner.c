/* SPDX-License-Identifier: Apache-2.0 */
/* With real processes: a shell in the place of vmm. */
#include "plan_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "matrix/log_folder.h"
#include "matrix/runner.h"

static struct plan_fixture f;
static struct runner runner;
static struct error err;
static unsigned ended, at_once, most_at_once;

static int begin(void **state)
{
	memset(&f, 0, sizeof(f));
	runner = (struct runner){.plan = &f.plan, .program = "/bin/sh", .jobs = 3, .grace_ns = RUNNER_GRACE_NS};
	ended = at_once = most_at_once = 0;
	return fake_root_setup(state);
}

/* A signal that came too late for its test must not end the next one. */
static void take_pending_signals(void)
{
	const struct timespec now = {0};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	while (sigtimedwait(&set, NULL, &now) > 0)
		;
}

static int end(void **state)
{
	take_pending_signals();
	plan_fixture_free(&f);
	return fake_root_teardown(state);
}

static void on_start(void *opaque, struct plan_run *run)
{
	(void)opaque;
	(void)run;
	if (++at_once > most_at_once)
		most_at_once = at_once;
}

static void on_end(void *opaque, struct plan_run *run)
{
	(void)opaque;
	ended++;
	at_once -= run->status >= 0;
}

static void run_all(void)
{
	runner.watch.started = on_start;
	runner.watch.ended = on_end;
	assert_int_equal(runner_prepare(&runner, &err), 0);
	assert_int_equal(runner_run(&runner, &err), 0);
	runner_finish(&runner);
	assert_int_equal(at_once, 0);
	/* Nothing was left running, or unreaped. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void each_run_gets_its_own_verdict(void **state)
{
	const struct fake_root *root = *state;
	char line[64];

	plan_fixture_add(&f, root, "zero", "echo fine");
	plan_fixture_add(&f, root, "seven", "echo 'vmm: seven it is'; exit 7");
	plan_fixture_add(&f, root, "wanted", "exit 7")->expect = 7;
	plan_fixture_add(&f, root, "crash", "kill -SEGV $$");
	plan_fixture_add(&f, root, "broken", "echo 'vmm: no kernel' >&2; exit 125");
	run_all();
	assert_int_equal(ended, 5);
	assert_int_equal(f.runs[0].state, PLAN_PASSED);
	assert_int_equal(f.runs[1].state, PLAN_FAILED);
	assert_int_equal(f.runs[1].status, 7);
	assert_string_equal(f.runs[1].reason, "seven it is");
	assert_int_equal(f.runs[2].state, PLAN_PASSED);
	assert_int_equal(f.runs[3].state, PLAN_ERROR);
	assert_int_equal(f.runs[3].status, 139);
	assert_int_equal(f.runs[4].state, PLAN_ERROR);
	assert_string_equal(f.runs[4].reason, "no kernel");
	log_folder_last_line(&f.runs[0], PLAN_VMM_FILE, line, sizeof(line));
	assert_string_equal(line, "fine");
	assert_int_equal(runner.stop_signal, 0);
}

static void no_more_than_asked_run_at_once(void **state)
{
	const struct fake_root *root = *state;

	for (unsigned i = 0; i < 10; i++)
		plan_fixture_add(&f, root, "r", ":");
	runner.jobs = 2;
	run_all();
	assert_int_equal(ended, 10);
	assert_int_equal(most_at_once, 2);
}

/* Each waits for the other: only when both run at the same time they end. */
static void runs_run_at_the_same_time(void **state)
{
	const struct fake_root *root = *state;
	char scripts[2][256];

	for (unsigned i = 0; i < 2; i++) {
		snprintf(scripts[i], sizeof(scripts[i]), ": >%s/%u; until [ -e %s/%u ]; do sleep 0.02; done",
			 root->path, i, root->path, 1 - i);
		plan_fixture_add(&f, root, i ? "b" : "a", scripts[i]);
	}
	run_all();
	assert_int_equal(f.runs[0].state, PLAN_PASSED);
	assert_int_equal(f.runs[1].state, PLAN_PASSED);
}

static void fail_fast_begins_nothing_more(void **state)
{
	const struct fake_root *root = *state;

	plan_fixture_add(&f, root, "good", ":");
	plan_fixture_add(&f, root, "bad", "exit 1");
	plan_fixture_add(&f, root, "later", ":");
	runner.jobs = 1;
	runner.fail_fast = true;
	run_all();
	assert_int_equal(f.runs[0].state, PLAN_PASSED);
	assert_int_equal(f.runs[1].state, PLAN_FAILED);
	assert_int_equal(f.runs[2].state, PLAN_NOT_RUN);
	assert_string_equal(f.runs[2].reason, "not begun: an earlier run did not pass");
	assert_int_equal(f.runs[2].start_ns, 0);
}

static void fail_fast_counts_an_error_of_vmm(void **state)
{
	const struct fake_root *root = *state;

	plan_fixture_add(&f, root, "broken", "exit 125");
	plan_fixture_add(&f, root, "later", ":");
	runner.jobs = 1;
	runner.fail_fast = true;
	run_all();
	assert_int_equal(f.runs[0].state, PLAN_ERROR);
	assert_int_equal(f.runs[1].state, PLAN_NOT_RUN);
}

static void late_run_is_ended_and_told(void **state)
{
	const struct fake_root *root = *state;

	plan_fixture_add(&f, root, "late", "sleep 60")->timeout_ns = 1000000;
	plan_fixture_add(&f, root, "good", ":");
	runner.grace_ns = 1000000;
	run_all();
	assert_int_equal(f.runs[0].state, PLAN_ERROR);
	assert_non_null(strstr(f.runs[0].reason, "did not end within"));
	assert_int_equal(f.runs[1].state, PLAN_PASSED);
}

static void run_that_ends_within_the_grace_is_not_late(void **state)
{
	const struct fake_root *root = *state;

	plan_fixture_add(&f, root, "slow", "sleep 0.1; exit 124")->timeout_ns = 1000000;
	run_all();
	assert_int_equal(f.runs[0].state, PLAN_FAILED);
	assert_int_equal(f.runs[0].status, 124);
}

static void stop_on_start(void *opaque, struct plan_run *run)
{
	(void)run;
	kill(getpid(), *(const int *)opaque);
}

static void signal_ends_all_and_begins_nothing(void **state)
{
	const struct fake_root *root = *state;
	static int signal = SIGTERM;

	plan_fixture_add(&f, root, "one", "sleep 60");
	plan_fixture_add(&f, root, "two", "sleep 60");
	plan_fixture_add(&f, root, "three", ":");
	runner.jobs = 2;
	runner.watch.started = stop_on_start;
	runner.watch.opaque = &signal;
	assert_int_equal(runner_prepare(&runner, &err), 0);
	assert_int_equal(runner_run(&runner, &err), 0);
	runner_finish(&runner);
	assert_int_equal(runner.stop_signal, SIGTERM);
	assert_string_equal(f.runs[0].reason, "stopped before it ended");
	assert_string_equal(f.runs[1].reason, "stopped before it ended");
	assert_string_equal(f.runs[2].reason, "stopped before it began");
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(f.runs[i].state, PLAN_NOT_RUN);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void stop_again(void *opaque, uint64_t now_ns)
{
	struct runner *r = opaque;

	(void)now_ns;
	/* It ignores the first one. */
	kill(getpid(), r->stop_signal ? SIGINT : SIGHUP);
}

static void second_signal_does_not_wait(void **state)
{
	const struct fake_root *root = *state;

	plan_fixture_add(&f, root, "deaf", "trap '' TERM; while :; do sleep 60; done");
	runner.watch = (struct runner_watch){.tick = stop_again, .tick_ns = 200000000, .opaque = &runner};
	assert_int_equal(runner_prepare(&runner, &err), 0);
	assert_int_equal(runner_run(&runner, &err), 0);
	runner_finish(&runner);
	assert_int_equal(runner.stop_signal, SIGHUP);
	assert_int_equal(f.runs[0].state, PLAN_NOT_RUN);
	assert_int_equal(f.runs[0].status, 128 + SIGKILL);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void run_whose_folder_cannot_be_made_fails_alone(void **state)
{
	const struct fake_root *root = *state;

	fake_root_write(root, "/blocked", "a file");
	plan_fixture_add(&f, root, "blocked", ":");
	plan_fixture_add(&f, root, "good", ":");
	run_all();
	assert_int_equal(f.runs[0].state, PLAN_ERROR);
	assert_non_null(strstr(f.runs[0].reason, "cannot write: Not a directory"));
	assert_int_equal(f.runs[1].state, PLAN_PASSED);
}

static void program_that_is_missing_is_told(void **state)
{
	const struct fake_root *root = *state;

	plan_fixture_add(&f, root, "none", ":");
	runner.program = "/nonexistent/vmm";
	run_all();
	assert_int_equal(f.runs[0].state, PLAN_ERROR);
	assert_string_equal(f.runs[0].reason, "cannot start /nonexistent/vmm: No such file or directory");
}

static void process_that_others_started_is_not_waited_for(void **state)
{
	const struct fake_root *root = *state;
	pid_t stranger = fork();

	if (stranger == 0) {
		pause();
		_exit(0);
	}
	plan_fixture_add(&f, root, "one", ":");
	assert_int_equal(runner_prepare(&runner, &err), 0);
	assert_int_equal(runner_run(&runner, &err), 0);
	runner_finish(&runner);
	assert_int_equal(waitpid(stranger, NULL, WNOHANG), 0);
	kill(stranger, SIGKILL);
	assert_int_equal(waitpid(stranger, NULL, 0), stranger);
	assert_int_equal(f.runs[0].state, PLAN_PASSED);
}

static void ignored_signals_stay_ignored(void **state)
{
	const struct fake_root *root = *state;
	static int hangup = SIGHUP;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGHUP, SIG_IGN); /* as nohup does */
	plan_fixture_add(&f, root, "one", ":");
	runner.watch.started = stop_on_start;
	runner.watch.opaque = &hangup;
	assert_int_equal(runner_prepare(&runner, &err), 0);
	assert_int_equal(runner_run(&runner, &err), 0);
	runner_finish(&runner);
	signal(SIGHUP, SIG_DFL);
	assert_int_equal(runner.stop_signal, 0);
	assert_int_equal(f.runs[0].state, PLAN_PASSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_run_gets_its_own_verdict, begin, end),
		cmocka_unit_test_setup_teardown(no_more_than_asked_run_at_once, begin, end),
		cmocka_unit_test_setup_teardown(runs_run_at_the_same_time, begin, end),
		cmocka_unit_test_setup_teardown(fail_fast_begins_nothing_more, begin, end),
		cmocka_unit_test_setup_teardown(fail_fast_counts_an_error_of_vmm, begin, end),
		cmocka_unit_test_setup_teardown(late_run_is_ended_and_told, begin, end),
		cmocka_unit_test_setup_teardown(run_that_ends_within_the_grace_is_not_late, begin, end),
		cmocka_unit_test_setup_teardown(signal_ends_all_and_begins_nothing, begin, end),
		cmocka_unit_test_setup_teardown(second_signal_does_not_wait, begin, end),
		cmocka_unit_test_setup_teardown(run_whose_folder_cannot_be_made_fails_alone, begin, end),
		cmocka_unit_test_setup_teardown(program_that_is_missing_is_told, begin, end),
		cmocka_unit_test_setup_teardown(process_that_others_started_is_not_waited_for, begin, end),
		cmocka_unit_test_setup_teardown(ignored_signals_stay_ignored, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
