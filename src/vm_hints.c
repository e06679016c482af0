/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a kernel seems to lack, told after the end: a device that vmm offers and the guest never opened, with the option
 * that would have opened it (Linux 6.1's Kconfig names).
 */
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "vm.h"

static void hint_console(const struct vm *vm)
{
	if (!vm->devices.com1.opened)
		log_note(
			"note: the guest never opened its console (COM1): a Linux kernel needs "
			"CONFIG_SERIAL_8250_CONSOLE=y and console=ttyS0");
}

/* The command's init never answered. How far did the kernel come? */
static void hint_init(const struct vm *vm, const struct vm_notices *n, enum outcome_cause cause)
{
	if (!n->init_ns && strstr(vm->config->cmdline, "quiet"))
		log_note("note: vmm's init did not answer; without quiet the kernel tells how far it came");
	else if (!n->init_ns && cause == OUTCOME_TIMEOUT)
		log_note("note: the kernel was still booting; give it more time with --timeout");
	else if (!n->init_ns)
		log_note(
			"note: the kernel did not start vmm's init: it needs CONFIG_BLK_DEV_INITRD=y and "
			"CONFIG_BINFMT_ELF=y, enough --mem, and initrds that unpack (the console tells)");
	else if (!vm->devices.com2.opened && !vm->command.port.rings)
		log_note(
			"note: vmm's init opened neither the channel's window nor COM2: the kernel needs "
			"CONFIG_DEVMEM=y with CONFIG_X86_IOPL_IOPERM=y, or CONFIG_SERIAL_8250=y with "
			"CONFIG_SERIAL_8250_RUNTIME_UARTS of at least 2");
	else
		log_note("note: vmm's init opened the channel and said nothing that arrived");
}

static bool is_last_resort(const struct outcome *outcome)
{
	return outcome->cause == OUTCOME_NO_STATUS || outcome->cause == OUTCOME_PANIC ||
	       outcome->cause == OUTCOME_TIMEOUT;
}

static bool is_abrupt(const struct outcome *outcome)
{
	return is_last_resort(outcome) || outcome->cause == OUTCOME_RESET || outcome->cause == OUTCOME_TRIPLE_FAULT;
}

void vm_print_hints(struct vm *vm, const struct outcome *outcome)
{
	struct vm_command_news news;
	struct vm_notices n;

	if (outcome->cause == OUTCOME_TIMEOUT || (vm->config->command.nr_arguments && is_abrupt(outcome)))
		hint_console(vm);
	if (!vm->config->command.nr_arguments)
		return;
	vm_get_notices(vm, &n);
	vm_command_get_news(vm, &news);
	if (!news.hello_ns && is_last_resort(outcome))
		hint_init(vm, &n, outcome->cause);
	if (vm->command.channel.lost_frames)
		log_note("note: %" PRIu64 " messages from the guest were lost: something there disturbs vmm's channel",
			 vm->command.channel.lost_frames);
	if (news.done_ns && outcome->cause == OUTCOME_COMMAND && n.says_halted)
		log_note("note: the guest halted instead of powering off: for that its kernel needs CONFIG_ACPI=y");
}
