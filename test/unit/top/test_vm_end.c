/* SPDX-License-Identifier: Apache-2.0 */
/* How runs are judged, on a machine without KVM. What is written out at the end: test/kvm/test_flood. */
#include "unit/top/vm_parts.h"

#include "support/capture.h"
#include "vm_run.h"

#define WARNING "WARNING: CPU: 0 PID: 1 at a.c:1"

static const struct row {
	const char *what;
	enum outcome_cause cause;
	struct command_exit end; /* end 0: no word of it */
	bool no_command;
	bool panicked;
	bool warned, oopsed;
	enum config_fail_on fail_on;
	int out_code;
	bool received;
	uint64_t lost_there, lost_here;
	int code;
	const char *message; /* a part of what goes to stderr; NULL: nothing does */
} rows[] = {
	{.what = "a good end", .cause = OUTCOME_POWER_OFF, .end = {.end = COMMAND_EXITED}, .code = 0},
	{.what = "a status", .cause = OUTCOME_HALTED, .end = {.end = COMMAND_EXITED, .value = 7}, .code = 7},
	{.what = "no status", .cause = OUTCOME_POWER_OFF, .code = EXIT_NO_STATUS},
	{.what = "power-off without a command", .cause = OUTCOME_POWER_OFF, .no_command = true, .code = 0},
	{.what = "a reset after a panic line", .cause = OUTCOME_RESET, .panicked = true, .code = EXIT_PANIC},
	{.what = "a triple fault after a panic line",
	 .cause = OUTCOME_TRIPLE_FAULT,
	 .panicked = true,
	 .code = EXIT_PANIC},
	{.what = "a halt after a panic line",
	 .cause = OUTCOME_HALTED,
	 .no_command = true,
	 .panicked = true,
	 .code = EXIT_PANIC},
	{.what = "a reset without a status", .cause = OUTCOME_RESET, .code = EXIT_RESET},
	{.what = "a panic after the status",
	 .cause = OUTCOME_RESET,
	 .end = {.end = COMMAND_EXITED},
	 .panicked = true,
	 .code = EXIT_PANIC},
	{.what = "a power-off in spite of a panic line",
	 .cause = OUTCOME_POWER_OFF,
	 .end = {.end = COMMAND_EXITED, .value = 3},
	 .panicked = true,
	 .code = 3},
	{.what = "a warning that nobody asked about",
	 .cause = OUTCOME_POWER_OFF,
	 .end = {.end = COMMAND_EXITED},
	 .warned = true,
	 .code = 0},
	{.what = "a warning",
	 .cause = OUTCOME_POWER_OFF,
	 .end = {.end = COMMAND_EXITED},
	 .warned = true,
	 .fail_on = CONFIG_FAIL_ON_WARN,
	 .code = EXIT_COMPLAINT},
	{.what = "a warning is no oops",
	 .cause = OUTCOME_POWER_OFF,
	 .end = {.end = COMMAND_EXITED},
	 .warned = true,
	 .fail_on = CONFIG_FAIL_ON_OOPS,
	 .code = 0},
	{.what = "an oops",
	 .cause = OUTCOME_POWER_OFF,
	 .end = {.end = COMMAND_EXITED},
	 .warned = true,
	 .oopsed = true,
	 .fail_on = CONFIG_FAIL_ON_OOPS,
	 .code = EXIT_COMPLAINT},
	{.what = "a timeout says more than a warning",
	 .cause = OUTCOME_TIMEOUT,
	 .warned = true,
	 .fail_on = CONFIG_FAIL_ON_WARN,
	 .code = EXIT_TIMEOUT},
	{.what = "files that could not be stored",
	 .cause = OUTCOME_POWER_OFF,
	 .end = {.end = COMMAND_EXITED},
	 .out_code = -EFBIG,
	 .code = EXIT_VMM_ERROR,
	 .message = "the disk is full"},
	{.what = "a failure says more than files that could not be stored",
	 .cause = OUTCOME_POWER_OFF,
	 .end = {.end = COMMAND_EXITED, .value = 9},
	 .out_code = -EFBIG,
	 .code = 9,
	 .message = "the disk is full"},
	{.what = "nothing came of a guest that did not live",
	 .cause = OUTCOME_TIMEOUT,
	 .out_code = -ENODATA,
	 .code = EXIT_TIMEOUT},
	{.what = "something came of a guest that did not live",
	 .cause = OUTCOME_TIMEOUT,
	 .out_code = -ENODATA,
	 .received = true,
	 .code = EXIT_TIMEOUT,
	 .message = "the disk is full"},
	{.what = "files that the guest could not send",
	 .cause = OUTCOME_POWER_OFF,
	 .end = {.end = COMMAND_EXITED},
	 .lost_there = 2,
	 .code = EXIT_VMM_ERROR,
	 .message = "--out dir: 2 of the files in /out did not arrive"},
	{.what = "files that had no place here",
	 .cause = OUTCOME_POWER_OFF,
	 .end = {.end = COMMAND_EXITED},
	 .lost_here = 1,
	 .code = EXIT_VMM_ERROR,
	 .message = "--out dir: 1 of the files in /out did not arrive"},
};

static void on_timer(struct uring_op *op, int result)
{
	(void)op;
	(void)result;
}

static int set_up(void **state)
{
	static struct vm_parts parts;

	*state = &parts;
	if (vm_parts_init(&parts) || vm_parts_build(&parts))
		return -1;
	return events_init(&parts.vm->events, NULL, 0, parts.rp.ring, parts.rp.wake_fd, &parts.err);
}

static int tear_down(void **state)
{
	struct vm_parts *p = *state;

	events_fini(&p->vm->events);
	return vm_parts_fini(p);
}

static void complain(struct vm *vm, bool is_oops)
{
	vm_on_console_event(vm, is_oops ? CONSOLE_OOPS : CONSOLE_WARN, is_oops ? "BUG: b" : WARNING);
}

static void know(struct vm_parts *p, const struct row *row)
{
	struct vm *vm = p->vm;
	struct out_receiver *out = &vm->command.out;

	p->config.command.nr_arguments = row->no_command ? 0 : 1;
	p->config.fail_on = row->fail_on;
	vm->command.news.end = row->end;
	vm->command.news.ended_ns = row->end.end ? 1 : 0;
	vm->command.news.lost_files = (uint32_t)row->lost_there;
	memset(&vm->notices, 0, sizeof(vm->notices));
	pthread_mutex_init(&vm->notices.lock, NULL);
	vm->notices.has_panic = row->panicked;
	if (row->warned)
		complain(vm, false);
	if (row->oopsed)
		complain(vm, true);
	p->config.command.out = row->out_code || row->lost_there || row->lost_here ? "dir" : NULL;
	out->request.dir = "dir";
	out->code = row->out_code;
	out->received = row->received;
	out->result.lost = row->lost_here;
	strcpy(out->err.text, "the disk is full");
}

static void every_end_has_its_status(void **state)
{
	struct vm_parts *p = *state;
	char text[2048];

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct outcome outcome = {.cause = row->cause};
		struct run run = {.vm = p->vm, .stopping = true, .watch_op.done = on_timer};
		int saved;

		know(p, row);
		vm_news_begin(&run.news, p->vm);
		saved = capture_redirect(STDERR_FILENO);
		run_end(&run, &outcome);
		capture_take(STDERR_FILENO, saved, text, sizeof(text));
		if (outcome_exit_code(&outcome) != row->code)
			fail_msg("%s: %d, not %d", row->what, outcome_exit_code(&outcome), row->code);
		if (row->message ? !strstr(text, row->message) : text[0] != '\0')
			fail_msg("%s: \"%s\"", row->what, text);
		p->vm->console.out.closed = p->vm->events.out.closed = false;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_end_has_its_status, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
