/* SPDX-License-Identifier: Apache-2.0 */
/* The device table without KVM: each device's power event ends the machine with the right cause. */
#include "unit/devices/port_machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/file.h"
#include "vm.h"

static int set_up(void **state)
{
	static const struct config config; /* no command */
	struct vm *vm = calloc(1, sizeof(*vm));
	struct error err;

	if (!vm)
		return -1;
	*state = vm;
	vm->config = &config;
	vm->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vm->kvm.fd = -1; /* interrupts go nowhere */
	pthread_mutex_init(&vm->dev_lock, NULL);
	pthread_mutex_init(&vm->notices.lock, NULL);
	if (vm->wake_fd < 0 || guest_mem_init(&vm->mem, 64 << 20))
		return -1;
	return vm_add_devices(vm, &err);
}

static int tear_down(void **state)
{
	struct vm *vm = *state;

	guest_mem_fini(&vm->mem);
	close_fd(&vm->wake_fd);
	free(vm);
	return 0;
}

static bool was_woken(const struct vm *vm)
{
	uint64_t count;

	return read(vm->wake_fd, &count, sizeof(count)) == (ssize_t)sizeof(count);
}

static void every_device_answers_at_its_place(void **state)
{
	static const uint16_t ports[] = {0x3f8,
					 0x3ff,
					 0x2f8,
					 0x60,
					 0x64,
					 0x70,
					 0x71,
					 LAYOUT_EXIT_PORT,
					 LAYOUT_PVPANIC_PORT,
					 0x92,
					 LAYOUT_ACPI_SLEEP_PORT,
					 LAYOUT_ACPI_RESET_PORT,
					 0xcf9};
	struct vm *vm = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++)
		(void)in8(&vm->bus, ports[i]);
	assert_int_equal(vm->bus.unclaimed, 0);
}

/* One row per way out: a write, and what it means. */
static const struct {
	uint16_t port;
	uint8_t value;
	enum outcome_cause cause;
	uint32_t status;
} ways_out[] = {
	{LAYOUT_EXIT_PORT, 42, OUTCOME_STATUS, 42},
	{LAYOUT_EXIT_PORT, 0, OUTCOME_STATUS, 0},
	{0x64, 0xfe, OUTCOME_RESET, 0},
	{LAYOUT_PVPANIC_PORT, 1, OUTCOME_PANIC, 0},
	{LAYOUT_ACPI_SLEEP_PORT, LAYOUT_ACPI_S5_TYPE << 2 | 1 << 5, OUTCOME_POWER_OFF, 0},
	{LAYOUT_ACPI_RESET_PORT, LAYOUT_ACPI_RESET_VALUE, OUTCOME_RESET, 0},
	{0xcf9, 0x06, OUTCOME_RESET, 0},
	{0x92, 0x01, OUTCOME_RESET, 0},
};

static void every_way_out_ends_the_machine(void **state)
{
	struct vm *vm = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(ways_out); i++) {
		memset(&vm->notices.outcome, 0, sizeof(vm->notices.outcome));
		out8(&vm->bus, ways_out[i].port, ways_out[i].value);
		assert_int_equal(vm->notices.outcome.cause, ways_out[i].cause);
		assert_int_equal(vm->notices.outcome.status, ways_out[i].status);
		assert_true(was_woken(vm));
	}
}

static void what_the_console_says_is_noted_once_and_bounded(void **state)
{
	struct vm *vm = *state;
	const struct vm_notices *n = &vm->notices;
	char text[CONSOLE_LINE_SIZE];
	uint64_t first;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	vm_on_console_event(vm, CONSOLE_FIRST_OUTPUT, "");
	assert_true(n->console_up_ns > 0);
	assert_true(was_woken(vm));
	vm_on_console_event(vm, CONSOLE_INIT_STARTED, "/init");
	first = n->init_ns;
	vm_on_console_event(vm, CONSOLE_INIT_STARTED, text);
	assert_string_equal(n->init_path, "/init");
	assert_int_equal(n->init_ns, first);
	assert_false(n->has_panic);
	vm_on_console_event(vm, CONSOLE_PANIC, text);
	assert_true(n->has_panic);
	assert_int_equal(strlen(n->panic), OUTCOME_DETAIL_SIZE - 1);
	vm_on_console_event(vm, CONSOLE_PANIC, "a second one");
	assert_int_equal(n->panic[0], 'x');
	assert_false(n->says_halted);
	vm_on_console_event(vm, CONSOLE_HALTED, "");
	assert_true(n->says_halted);
	vm_on_console_event(vm, CONSOLE_POWER_DOWN, "");
	vm_on_console_event(vm, CONSOLE_RESTARTING, "");
	assert_int_equal(n->outcome.cause, OUTCOME_NONE);
}

static void complain(struct vm *vm, enum console_event event, const char *word, unsigned number)
{
	char text[64];

	snprintf(text, sizeof(text), "%s: %u", word, number);
	vm_on_console_event(vm, event, text);
}

static void complaints_are_kept_in_order_and_counted(void **state)
{
	struct vm *vm = *state;
	const struct vm_notices *n = &vm->notices;
	char text[CONSOLE_LINE_SIZE + 1];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	complain(vm, CONSOLE_WARN, "WARNING", 1);
	assert_true(was_woken(vm));
	complain(vm, CONSOLE_OOPS, "BUG", 2);
	vm_on_console_event(vm, CONSOLE_WARN, text);
	assert_int_equal(n->nr_complaints, 3);
	assert_int_equal(n->nr_warns, 2);
	assert_int_equal(n->nr_oopses, 1);
	assert_string_equal(n->complaints[0].line, "WARNING: 1");
	assert_false(n->complaints[0].is_oops);
	assert_string_equal(n->complaints[1].line, "BUG: 2");
	assert_true(n->complaints[1].is_oops);
	assert_true(n->complaints[0].at_ns > 0 && n->complaints[0].at_ns <= n->complaints[1].at_ns);
	assert_int_equal(strlen(n->complaints[2].line), CONSOLE_LINE_SIZE - 1);
	assert_int_equal(n->outcome.cause, OUTCOME_NONE);
}

/* A flood of warnings must not hide the oops that follows. */
static void the_last_place_is_for_the_first_oops(void **state)
{
	struct vm *vm = *state;
	const struct vm_notices *n = &vm->notices;

	for (unsigned i = 0; i < 100; i++)
		complain(vm, CONSOLE_WARN, "WARNING", i);
	assert_int_equal(n->nr_warns, 100);
	assert_int_equal(n->nr_complaints, VM_MAX_COMPLAINTS - 1);
	assert_string_equal(n->complaints[VM_MAX_COMPLAINTS - 2].line, "WARNING: 14");
	complain(vm, CONSOLE_OOPS, "BUG", 1);
	complain(vm, CONSOLE_OOPS, "BUG", 2);
	complain(vm, CONSOLE_WARN, "WARNING", 100);
	assert_int_equal(n->nr_complaints, VM_MAX_COMPLAINTS);
	assert_string_equal(n->complaints[VM_MAX_COMPLAINTS - 1].line, "BUG: 1");
	assert_true(n->complaints[VM_MAX_COMPLAINTS - 1].is_oops);
	assert_int_equal(n->nr_oopses, 2);
	assert_int_equal(n->nr_warns, 101);
}

static void an_oops_among_the_first_leaves_the_last_place_empty(void **state)
{
	struct vm *vm = *state;
	const struct vm_notices *n = &vm->notices;

	complain(vm, CONSOLE_OOPS, "BUG", 0);
	for (unsigned i = 1; i < 100; i++)
		complain(vm, CONSOLE_WARN, "WARNING", i);
	complain(vm, CONSOLE_OOPS, "BUG", 100);
	assert_int_equal(n->nr_oopses, 2);
	assert_int_equal(n->nr_complaints, VM_MAX_COMPLAINTS - 1);
	assert_string_equal(n->complaints[0].line, "BUG: 0");
}

static size_t count_bytes(void *opaque, const uint8_t *data, size_t len)
{
	(void)data;
	*(size_t *)opaque += len;
	return len;
}

/* Without a command the port is nobody's, as on any PC. */
static void the_doorbell_is_there_only_with_a_command(void **state)
{
	static const struct config config = {.command.nr_arguments = 1};
	static uint8_t window[2 * COMMAND_WINDOW_PAGE];
	struct vm *vm = *state;
	struct error err;
	size_t taken = 0;

	assert_false(bus_write(&vm->bus, BUS_PIO, LAYOUT_COMMAND_PORT, window, 1));
	memset(&vm->bus, 0, sizeof(vm->bus));
	vm->config = &config;
	command_port_init(&vm->command.port, LAYOUT_COMMAND_PORT, window, COMMAND_WINDOW_PAGE, count_bytes, &taken);
	assert_int_equal(vm_add_devices(vm, &err), 0);
	window[0] = 10; /* the head */
	out8(&vm->bus, LAYOUT_COMMAND_PORT, 0);
	assert_int_equal(taken, 10);
	assert_int_equal(vm->command.port.rings, 1);
}

static void without_a_command_com2_goes_nowhere_and_never_stalls(void **state)
{
	struct vm *vm = *state;

	for (unsigned i = 0; i < 100; i++)
		out8(&vm->bus, LAYOUT_COM2_PORT, 'x');
	assert_int_equal(vm->devices.com2.tx_bytes, 100);
	assert_int_equal(vm->devices.com2.tx_dropped, 0);
	assert_int_equal(vm->command.channel.filled, 0);
}

static void the_clock_chip_knows_the_memory(void **state)
{
	struct vm *vm = *state;

	out8(&vm->bus, 0x70, 0x34); /* memory above 16 MiB in 64 KiB, low byte */
	assert_int_equal(in8(&vm->bus, 0x71), ((64 - 16) << 4) & 0xff);
	out8(&vm->bus, 0x70, 0x35);
	assert_int_equal(in8(&vm->bus, 0x71), ((64 - 16) << 4) >> 8);
}

static void devices_are_added_once(void **state)
{
	struct vm *vm = *state;
	struct error err = {0};

	assert_int_equal(vm_add_devices(vm, &err), -EEXIST);
	assert_non_null(strstr(err.text, "cannot be placed"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_device_answers_at_its_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_way_out_ends_the_machine, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_the_console_says_is_noted_once_and_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(complaints_are_kept_in_order_and_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_last_place_is_for_the_first_oops, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_oops_among_the_first_leaves_the_last_place_empty, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_doorbell_is_there_only_with_a_command, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_command_com2_goes_nowhere_and_never_stalls, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_clock_chip_knows_the_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(devices_are_added_once, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
