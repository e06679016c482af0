/* SPDX-License-Identifier: Apache-2.0 */
/* The device table, and the lines from devices to the machine: interrupts, power events, what the console says. */
#include "vm.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"

static void set_irq(void *opaque, uint32_t gsi, bool level)
{
	struct vm *vm = opaque;

	/* Fails only for a GSI that no controller has, which the layout rules out. */
	(void)!kvm_vm_set_irq_line(&vm->kvm, gsi, level);
}

static void on_power(void *opaque, enum power_event event, uint32_t value)
{
	struct vm *vm = opaque;

	switch (event) {
	case POWER_OFF:
		vm_stop(vm, OUTCOME_POWER_OFF, 0, "");
		break;
	case POWER_RESET:
		vm_stop(vm, OUTCOME_RESET, 0, "");
		break;
	case POWER_EXIT_STATUS:
		vm_stop(vm, OUTCOME_STATUS, value, "");
		break;
	case POWER_PANIC:
		vm_stop(vm, OUTCOME_PANIC, 0, "");
		break;
	}
}

static void take_complaint(struct vm_notices *n, bool is_oops, const char *line)
{
	struct vm_complaint *c = &n->complaints[n->nr_complaints];
	unsigned *count = is_oops ? &n->nr_oopses : &n->nr_warns;

	(*count)++;
	/* The last place is kept for the first oops. */
	if (n->nr_complaints == VM_MAX_COMPLAINTS ||
	    (n->nr_complaints == VM_MAX_COMPLAINTS - 1 && !(is_oops && *count == 1)))
		return;
	c->is_oops = is_oops;
	c->at_ns = monotonic_ns();
	strncpy(c->line, line, sizeof(c->line) - 1);
	n->nr_complaints++;
}

static void take_note(struct vm_notices *n, enum console_event event, const char *text)
{
	switch (event) {
	case CONSOLE_FIRST_OUTPUT:
		n->console_up_ns = monotonic_ns();
		break;
	case CONSOLE_INIT_STARTED:
		if (n->init_ns)
			break;
		n->init_ns = monotonic_ns();
		strncpy(n->init_path, text, sizeof(n->init_path) - 1);
		break;
	case CONSOLE_PANIC:
		if (!n->has_panic)
			strncpy(n->panic, text, sizeof(n->panic) - 1);
		n->has_panic = true;
		break;
	case CONSOLE_HALTED:
		n->says_halted = true;
		break;
	case CONSOLE_WARN:
	case CONSOLE_OOPS:
		take_complaint(n, event == CONSOLE_OOPS, text);
		break;
	case CONSOLE_POWER_DOWN:
	case CONSOLE_RESTARTING:
		break;
	}
}

void vm_on_console_event(void *opaque, enum console_event event, const char *text)
{
	struct vm *vm = opaque;

	pthread_mutex_lock(&vm->notices.lock);
	take_note(&vm->notices, event, text);
	pthread_mutex_unlock(&vm->notices.lock);
	vm_wake(vm);
}

int vm_add_devices(struct vm *vm, struct error *err)
{
	struct vm_devices *d = &vm->devices;
	const struct power_sink power = {.request = on_power, .opaque = vm};
	const struct irq_line com1_irq = {.set = set_irq, .opaque = vm, .gsi = LAYOUT_COM1_GSI};
	const struct irq_line com2_irq = {.set = set_irq, .opaque = vm, .gsi = LAYOUT_COM2_GSI};
	const uint64_t ram_high = vm->mem.nr_regions > 1 ? vm->mem.regions[1].size : 0;
	struct bus_device *const devices[] = {
		&d->com1.dev,	   &d->com2.dev,	 &d->i8042.data,
		&d->i8042.command, &d->reset_ports.fast, &d->reset_ports.control,
		&d->rtc.dev,	   &d->exit_port.dev,	 &d->pvpanic.dev,
		&d->acpi_pm.dev,   &d->postcode.dev,	 &vm->command.port.dev,
	};
	const size_t count = ARRAY_SIZE(devices) - (vm->config->command.nr_arguments ? 0 : 1);

	serial_init(&d->com1, LAYOUT_COM1_PORT, com1_irq, console_backend(&vm->console));
	serial_init(&d->com2, LAYOUT_COM2_PORT, com2_irq, vm_command_serial(vm));
	i8042_init(&d->i8042, LAYOUT_I8042_PORT, power);
	reset_ports_init(&d->reset_ports, power);
	rtc_init(&d->rtc, LAYOUT_RTC_PORT, vm->mem.ram_size - ram_high, ram_high, rtc_host_clock());
	exit_port_init(&d->exit_port, LAYOUT_EXIT_PORT, power);
	pvpanic_init(&d->pvpanic, LAYOUT_PVPANIC_PORT, power);
	acpi_pm_init(&d->acpi_pm, LAYOUT_ACPI_SLEEP_PORT, LAYOUT_ACPI_S5_TYPE, LAYOUT_ACPI_RESET_VALUE, power);
	postcode_init(&d->postcode, POSTCODE_PORT);
	console_attach(&vm->console, &d->com1, &vm->dev_lock);
	for (size_t i = 0; i < count; i++) {
		int ret = bus_add(&vm->bus, devices[i]);

		if (ret)
			return error_set(err, ret, "device %s: cannot be placed: %s", devices[i]->ops->name,
					 strerror(-ret));
	}
	return 0;
}
