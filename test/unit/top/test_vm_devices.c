/* SPDX-License-Identifier: Apache-2.0 */
/* The device table without KVM: each device's power event ends the machine with the right cause. */
#include "unit/devices/port_machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/file.h"
#include "vm.h"

static int set_up(void **state)
{
	struct vm *vm = calloc(1, sizeof(*vm));
	struct error err;

	if (!vm)
		return -1;
	*state = vm;
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
		cmocka_unit_test_setup_teardown(the_clock_chip_knows_the_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(devices_are_added_once, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
