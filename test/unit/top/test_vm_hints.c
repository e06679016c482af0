/* SPDX-License-Identifier: Apache-2.0 */
/* One row for each guess at what a kernel lacks: what is known at the end, and which option is named, if any. */
#include "support/capture.h"
#include "unit/top/vm_parts.h"

static const struct row {
	const char *what;
	enum outcome_cause cause;
	bool no_command;
	bool com1_opened, com2_opened, doorbell_rang, init_started, says_halted, hello, done;
	unsigned lost_frames;
	const char *note; /* a part of it; NULL: nothing is printed */
} rows[] = {
	{.what = "a good end",
	 .cause = OUTCOME_COMMAND,
	 .init_started = true,
	 .com1_opened = true,
	 .hello = true,
	 .done = true},
	{.what = "a silent console",
	 .cause = OUTCOME_TIMEOUT,
	 .no_command = true,
	 .note = "CONFIG_SERIAL_8250_CONSOLE=y"},
	{.what = "a used console", .cause = OUTCOME_TIMEOUT, .no_command = true, .com1_opened = true},
	{.what = "a silent console, and an end of its own", .cause = OUTCOME_POWER_OFF, .no_command = true},
	{.what = "a panic without a command", .cause = OUTCOME_PANIC, .no_command = true},
	{.what = "no init", .cause = OUTCOME_PANIC, .com1_opened = true, .note = "CONFIG_BLK_DEV_INITRD=y"},
	{.what = "no init, no panic", .cause = OUTCOME_NO_STATUS, .com1_opened = true, .note = "CONFIG_BINFMT_ELF=y"},
	{.what = "no init, nor an end",
	 .cause = OUTCOME_TIMEOUT,
	 .com1_opened = true,
	 .note = "give it more time with --timeout"},
	{.what = "no channel",
	 .cause = OUTCOME_NO_STATUS,
	 .com1_opened = true,
	 .init_started = true,
	 .note = "CONFIG_DEVMEM=y"},
	{.what = "no channel, nor an end",
	 .cause = OUTCOME_TIMEOUT,
	 .com1_opened = true,
	 .init_started = true,
	 .note = "CONFIG_SERIAL_8250_RUNTIME_UARTS"},
	{.what = "a silent UART",
	 .cause = OUTCOME_NO_STATUS,
	 .com1_opened = true,
	 .init_started = true,
	 .com2_opened = true,
	 .note = "said nothing that arrived"},
	{.what = "a silent window",
	 .cause = OUTCOME_NO_STATUS,
	 .com1_opened = true,
	 .init_started = true,
	 .doorbell_rang = true,
	 .note = "said nothing that arrived"},
	{.what = "a word, and no end",
	 .cause = OUTCOME_TIMEOUT,
	 .com1_opened = true,
	 .init_started = true,
	 .hello = true},
	{.what = "a panic after a word",
	 .cause = OUTCOME_PANIC,
	 .com1_opened = true,
	 .init_started = true,
	 .hello = true},
	{.what = "messages that did not arrive",
	 .cause = OUTCOME_COMMAND,
	 .com1_opened = true,
	 .init_started = true,
	 .hello = true,
	 .done = true,
	 .lost_frames = 3,
	 .note = "3 messages from the guest were lost"},
	{.what = "a user's signal", .cause = OUTCOME_SIGNAL, .com1_opened = true},
	{.what = "a reset", .cause = OUTCOME_RESET, .com1_opened = true},
	{.what = "a halt at the end",
	 .cause = OUTCOME_COMMAND,
	 .com1_opened = true,
	 .init_started = true,
	 .hello = true,
	 .done = true,
	 .says_halted = true,
	 .note = "CONFIG_ACPI=y"},
	{.what = "a halt in the midst",
	 .cause = OUTCOME_NO_STATUS,
	 .com1_opened = true,
	 .init_started = true,
	 .hello = true,
	 .says_halted = true},
};

static int set_up(void **state)
{
	static struct vm_parts parts;

	*state = &parts;
	return vm_parts_init(&parts);
}

static int tear_down(void **state)
{
	return vm_parts_fini(*state);
}

static void know(struct vm_parts *p, const struct row *row)
{
	struct vm *vm = p->vm;

	p->config.command.nr_arguments = row->no_command ? 0 : 1;
	vm->devices.com1.opened = row->com1_opened;
	vm->devices.com2.opened = row->com2_opened;
	vm->command.port.rings = row->doorbell_rang;
	vm->notices.init_ns = row->init_started;
	vm->notices.says_halted = row->says_halted;
	vm->command.news.hello_ns = row->hello;
	vm->command.news.done_ns = row->done;
	vm->command.channel.lost_frames = row->lost_frames;
}

static const char *print(struct vm_parts *p, enum outcome_cause cause, char *text, size_t size)
{
	const struct outcome outcome = {.cause = cause};
	int saved = capture_redirect(STDERR_FILENO);

	vm_print_hints(p->vm, &outcome);
	capture_take(STDERR_FILENO, saved, text, size);
	return text;
}

static void every_lack_is_named_and_nothing_else(void **state)
{
	struct vm_parts *p = *state;
	char text[2048];

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];

		know(p, row);
		print(p, row->cause, text, sizeof(text));
		if (!row->note && text[0])
			fail_msg("%s: %s", row->what, text);
		if (row->note && !strstr(text, row->note))
			fail_msg("%s: \"%s\" is not in: %s", row->what, row->note, text);
		if (row->note) {
			assert_ptr_equal(strstr(text, "vmm: note: "), text);
			assert_string_equal(strchr(text, '\n'), "\n"); /* one line */
		}
	}
}

/* Both may be lacking at once. */
static void a_silent_console_does_not_hide_a_missing_init(void **state)
{
	struct vm_parts *p = *state;
	const struct row row = {.cause = OUTCOME_TIMEOUT};
	char text[2048];

	know(p, &row);
	print(p, row.cause, text, sizeof(text));
	assert_non_null(strstr(text, "CONFIG_SERIAL_8250_CONSOLE=y"));
	assert_non_null(strstr(text, "still booting"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_lack_is_named_and_nothing_else, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_silent_console_does_not_hide_a_missing_init, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
