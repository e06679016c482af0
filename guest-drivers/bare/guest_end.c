/* SPDX-License-Identifier: Apache-2.0 */
/* Every way in which a guest ends or does not end. */
#include "guest.h"

#define I8042_COMMAND	  0x64
#define I8042_PULSE_RESET 0xfe
#define PORT_92		  0x92
#define PORT_CF9	  0xcf9
#define PVPANIC		  0x505
#define ACPI_SLEEP	  0x600
#define ACPI_RESET	  0x602

static _Noreturn void stop_here(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

static _Noreturn void spin_here(void)
{
	__asm__ volatile("1: jmp 1b");
	__builtin_unreachable();
}

static int exit_by_byte(const struct boot_info *info)
{
	outb(EXIT_PORT, (uint8_t)boot_option_number(info, "value", 0));
	stop_here();
}

static int exit_by_word(const struct boot_info *info)
{
	outw(EXIT_PORT, (uint16_t)boot_option_number(info, "value", 0));
	stop_here();
}

static int exit_by_long(const struct boot_info *info)
{
	outl(EXIT_PORT, (uint32_t)boot_option_number(info, "value", 0));
	stop_here();
}

static int triple_fault(const struct boot_info *info)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none = {0};

	(void)info;
	__asm__ volatile("lidt %0\n\tint3" : : "m"(none));
	stop_here();
}

/* As Linux does with panic=-1 reboot=t. */
static int panic_and_triple_fault(const struct boot_info *info)
{
	print("[    1.000000] Kernel panic - not syncing: bare and broken\n");
	return triple_fault(info);
}

static int reset_by_i8042(const struct boot_info *info)
{
	(void)info;
	outb(I8042_COMMAND, I8042_PULSE_RESET);
	stop_here();
}

static int reset_by_port_92(const struct boot_info *info)
{
	(void)info;
	outb(PORT_92, (uint8_t)(inb(PORT_92) | 1));
	stop_here();
}

static int reset_by_port_cf9(const struct boot_info *info)
{
	(void)info;
	outb(PORT_CF9, 0x02);
	outb(PORT_CF9, 0x06);
	stop_here();
}

static int reset_by_acpi(const struct boot_info *info)
{
	(void)info;
	outb(ACPI_RESET, 1);
	stop_here();
}

static int power_off(const struct boot_info *info)
{
	(void)info;
	outb(ACPI_SLEEP, 5 << 2 | 0x20);
	stop_here();
}

static int panic_by_port(const struct boot_info *info)
{
	(void)info;
	outb(PVPANIC, 1);
	stop_here();
}

static int panic_then_reset(const struct boot_info *info)
{
	print("Kernel panic - not syncing: no such luck\n");
	return reset_by_i8042(info);
}

static int say_halted(const struct boot_info *info)
{
	(void)info;
	print("reboot: System halted\n");
	stop_here();
}

static int hang(const struct boot_info *info)
{
	(void)info;
	print("the first line\nthe last line\n");
	spin_here();
}

static _Noreturn void wait_here(void)
{
	for (;;)
		wait_for_interrupt();
}

static int idle(const struct boot_info *info)
{
	(void)info;
	print("idle\n");
	wait_here();
}

static int halt_for_ever(const struct boot_info *info)
{
	(void)info;
	print("halting\n");
	stop_here();
}

const struct guest_test guest_end_tests[] = {
	{"exit8", exit_by_byte},
	{"exit16", exit_by_word},
	{"exit32", exit_by_long},
	{"triple-fault", triple_fault},
	{"panic-triple-fault", panic_and_triple_fault},
	{"reset-i8042", reset_by_i8042},
	{"reset-port92", reset_by_port_92},
	{"reset-cf9", reset_by_port_cf9},
	{"reset-acpi", reset_by_acpi},
	{"power-off", power_off},
	{"pvpanic", panic_by_port},
	{"panic-reset", panic_then_reset},
	{"say-halted", say_halted},
	{"hang", hang},
	{"idle", idle},
	{"halt", halt_for_ever},
	{0},
};
