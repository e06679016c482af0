/* SPDX-License-Identifier: Apache-2.0 */
/* The console on a terminal: raw while it runs, as it was afterwards, whatever ended it; the Ctrl-A commands. */
#include "kvm_test.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ON_TERMINAL(...)                                                                                               \
	{                                                                                                              \
		.words = {__VA_ARGS__}, .input = RUN_INPUT_TERMINAL                                                    \
	}

static void expect_restored(const struct run_result *r)
{
	assert_true(r->terminal_was_raw);
	assert_true(r->terminal_restored);
}

static void exit_restores_the_terminal(void **state)
{
	struct run_request request = ON_TERMINAL(GUEST("echo"));
	struct run_result r;

	(void)state;
	request.steps[0] = (struct run_step){.after = "ready", .keys = "abcQ"};
	run_one(&request, &r);
	run_expect(&r, 0, "vmm: guest exited with status 0 *");
	expect_restored(&r);
	assert_non_null(strstr(r.out.bytes, "ready\r\nabcQ\r\n"));
	run_free(&r);
}

static void keys_that_signal_elsewhere_reach_the_guest(void **state)
{
	struct run_request request = ON_TERMINAL(GUEST("echo"));
	struct run_result r;

	(void)state;
	request.steps[0] = (struct run_step){.after = "ready", .keys = "\003\032\034\004\rQ"};
	run_one(&request, &r);
	run_expect_status(&r, 0);
	assert_non_null(strstr(r.out.bytes, "<0x3><0x1a><0x1c><0x4><0xd>Q"));
	run_free(&r);
}

/* `vmm run KERNEL -- make check | tee log` */
static void terminal_of_a_command_without_one_stays_cooked(void **state)
{
	struct run_request request = ON_TERMINAL(GUEST("echo"), "--tty", "off", "--initrd", "initrd", "--", "make");
	struct run_result r;

	(void)state;
	run_write_file("initrd", "070701", 6);
	request.steps[0] = (struct run_step){.after = "ready", .keys = "\003"};
	run_one(&request, &r);
	run_expect(&r, 130, "vmm: stopped by Interrupt after *");
	assert_false(r.terminal_was_raw);
	assert_true(r.terminal_restored);
	run_free(&r);
}

static void ctrl_a_x_quits(void **state)
{
	struct run_request request = ON_TERMINAL(GUEST("idle"));
	struct run_result r;

	(void)state;
	request.steps[0] = (struct run_step){.after = "idle", .keys = "\001x"};
	run_one(&request, &r);
	run_expect(&r, 130, "vmm: stopped by Ctrl-A x after *s (exit 130)");
	expect_restored(&r);
	run_free(&r);
}

static void ctrl_a_c_prints_the_state_and_the_guest_goes_on(void **state)
{
	struct run_request request = ON_TERMINAL(GUEST("echo"));
	struct run_result r;

	(void)state;
	request.steps[0] = (struct run_step){.after = "ready", .keys = "\001c"};
	request.steps[1] = (struct run_step){.after = "vmm: exits: ", .keys = "Q"};
	run_one(&request, &r);
	run_expect_status(&r, 0);
	assert_non_null(strstr(r.err.bytes, "vmm: running for "));
	assert_non_null(strstr(r.err.bytes, "vmm: vCPU 0: RIP 0x"));
	run_free(&r);
}

static void ctrl_a_reaches_the_guest_by_a_second_key(void **state)
{
	struct run_request request = ON_TERMINAL(GUEST("echo"));
	struct run_result r;

	(void)state;
	request.steps[0] = (struct run_step){.after = "ready", .keys = "1\001a2\001\0013\001z4Q"};
	run_one(&request, &r);
	run_expect_status(&r, 0);
	assert_non_null(strstr(r.out.bytes, "1<0x1>2<0x1>34Q"));
	run_free(&r);
}

static void command_may_come_in_two_reads(void **state)
{
	struct run_request request = ON_TERMINAL(GUEST("echo"));
	struct run_result r;

	(void)state;
	request.steps[0] = (struct run_step){.after = "ready", .keys = "a\001"};
	request.steps[1] = (struct run_step){.after = "\na", .keys = "x"};
	run_one(&request, &r);
	run_expect_status(&r, 130);
	run_free(&r);
}

static void stop_by_signal_restores_the_terminal(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct run_request request = ON_TERMINAL(GUEST("idle"));
		struct run_result r;

		request.steps[0] = (struct run_step){.after = "idle", .signal = signals[i]};
		run_one(&request, &r);
		run_expect_status(&r, 128 + signals[i]);
		expect_restored(&r);
		run_free(&r);
	}
}

static void crash_restores_the_terminal(void **state)
{
	static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct run_request request = ON_TERMINAL(GUEST("idle"));
		struct run_result r;

		request.steps[0] = (struct run_step){.after = "idle", .signal = signals[i]};
		run_one(&request, &r);
		assert_true(r.killed);
		assert_int_equal(r.status, 128 + signals[i]);
		expect_restored(&r);
		run_free(&r);
	}
}

static void timeout_restores_the_terminal(void **state)
{
	struct run_request request = ON_TERMINAL(GUEST("echo"), "--timeout", "1s");
	struct run_result r;

	(void)state;
	request.steps[0] = (struct run_step){.after = "ready", .keys = "a"};
	run_one(&request, &r);
	run_expect_status(&r, 124);
	expect_restored(&r);
	run_free(&r);
}

static void error_leaves_the_terminal_alone(void **state)
{
	struct run_request request = ON_TERMINAL("run", "no-such-kernel");
	struct run_result r;

	(void)state;
	run_one(&request, &r);
	run_expect_status(&r, 125);
	assert_true(r.terminal_restored);
	run_free(&r);
}

/* As `vmm run ... &` in a shell: another process group has the terminal. The shell's part is played here. */
static int become_a_background_job(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		return setpgid(0, 0);
	if (pid < 0 || waitpid(pid, &status, WUNTRACED) < 0)
		_exit(98);
	if (WIFSTOPPED(status)) {
		kill(pid, SIGKILL);
		_exit(99);
	}
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 97);
}

static void background_job_is_not_stopped_by_its_terminal(void **state)
{
	struct run_request request = ON_TERMINAL(GUEST("hello"));
	struct run_result r;

	(void)state;
	request.before_exec = become_a_background_job;
	run_one(&request, &r);
	run_expect(&r, 0, "vmm: guest exited with status 0 *");
	assert_true(r.terminal_restored);
	assert_non_null(strstr(r.out.bytes, "hello"));
	run_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(exit_restores_the_terminal),
		IN_SCRATCH(keys_that_signal_elsewhere_reach_the_guest),
		IN_SCRATCH(ctrl_a_x_quits),
		IN_SCRATCH(terminal_of_a_command_without_one_stays_cooked),
		IN_SCRATCH(ctrl_a_c_prints_the_state_and_the_guest_goes_on),
		IN_SCRATCH(ctrl_a_reaches_the_guest_by_a_second_key),
		IN_SCRATCH(command_may_come_in_two_reads),
		IN_SCRATCH(stop_by_signal_restores_the_terminal),
		IN_SCRATCH(crash_restores_the_terminal),
		IN_SCRATCH(timeout_restores_the_terminal),
		IN_SCRATCH(error_leaves_the_terminal_alone),
		IN_SCRATCH(background_job_is_not_stopped_by_its_terminal),
	};
	int missing = run_require_kvm("test_terminal");

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
