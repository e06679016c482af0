/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small tests that run in a guest, one function each; the program is linked to /tests/NAME for every NAME in the
 * table. Parameters come as environment variables, `vmm.x=y` of the kernel command line as VMM_X=y (init.c).
 */
#include "tiny.h"

#define STATUS_NOT_FOUND 127

#define SIGNAL_SEGV 11

struct parameters {
	uint64_t cpus, mem_mib, status;
};

static int say_hello(const struct parameters *parameters)
{
	(void)parameters;
	tiny_print("hello from user space\n");
	return 0;
}

static int exit_with_status(const struct parameters *parameters)
{
	return (int)parameters->status;
}

/* Past init: the way a program ends the machine by itself. */
static int use_exit_port(const struct parameters *parameters)
{
	tiny_exit_machine((uint32_t)parameters->status);
	return 1;
}

/* init reports 128 + 11. */
static int die_of_signal(const struct parameters *parameters)
{
	(void)parameters;
	tiny_syscall(__NR_kill, tiny_syscall(__NR_getpid, 0, 0, 0), SIGNAL_SEGV, 0);
	return 1;
}

static int report(const char *what, uint64_t found, uint64_t least, uint64_t most)
{
	struct tiny_line line = {.used = 0};

	tiny_add(&line, what);
	tiny_add(&line, ": ");
	tiny_add_number(&line, found, 10);
	tiny_add(&line, ", expected ");
	tiny_add_number(&line, least, 10);
	tiny_add(&line, " to ");
	tiny_add_number(&line, most, 10);
	tiny_flush(&line);
	return found >= least && found <= most ? 0 : 1;
}

/* vmm.cpus=N: that many processors are online. */
static int count_cpus(const struct parameters *parameters)
{
	uint64_t mask[16] = {0}, online = 0;

	tiny_syscall(__NR_sched_getaffinity, 0, sizeof(mask), (long)mask);
	for (size_t i = 0; i < sizeof(mask) * 8; i++)
		online += mask[i / 64] >> (i % 64) & 1;
	return report("smp: processors", online, parameters->cpus, parameters->cpus);
}

/* vmm.mem=MIB: the kernel keeps some for itself; 32 MiB and a sixteenth are allowed. */
static int measure_memory(const struct parameters *parameters)
{
	/* The kernel's struct sysinfo: uptime, loads[3], totalram, ... mem_unit as a 32-bit word at offset 104. */
	uint64_t info[14] = {0};
	uint64_t unit, slack = parameters->mem_mib / 16 + 32;

	tiny_syscall(__NR_sysinfo, (long)info, 0, 0);
	unit = info[13] & 0xffffffff;
	return report("mem: MiB", info[4] * unit >> 20, parameters->mem_mib > slack ? parameters->mem_mib - slack : 1,
		      parameters->mem_mib);
}

static int end_by(uint32_t command)
{
	tiny_syscall(__NR_ioctl, 1, TCSBRK, 1);
	tiny_syscall(__NR_reboot, (long)0xfee1dead, 672274793, command);
	tiny_print("the reboot call came back\n");
	return 1;
}

static int power_off(const struct parameters *parameters)
{
	(void)parameters;
	return end_by(0x4321fedc);
}

static int restart(const struct parameters *parameters)
{
	(void)parameters;
	return end_by(0x01234567);
}

/* The kernel stops without power-off: the VMM sees processors that halt for ever. */
static int halt_system(const struct parameters *parameters)
{
	(void)parameters;
	return end_by(0xcdef0123);
}

/* For ever, with idle processors. */
static int sleep_for_ever(const struct parameters *parameters)
{
	(void)parameters;
	tiny_print("hang: sleeping\n");
	while (tiny_syscall(__NR_pause, 0, 0, 0) < 0)
		;
	return 1;
}

/* A time-out has to interrupt a processor that only runs user code. */
static int spin_for_ever(const struct parameters *parameters)
{
	volatile int busy = 1;

	(void)parameters;
	tiny_print("spin: busy\n");
	while (busy)
		;
	return 1;
}

/* The kernel panics while user space is alive. */
static int panic_by_sysrq(const struct parameters *parameters)
{
	long fd = tiny_syscall(__NR_open, (long)"/proc/sysrq-trigger", 1, 0);

	(void)parameters;
	tiny_syscall(__NR_write, fd, (long)"c", 1);
	tiny_print("sysrq-panic: still alive\n");
	return 1;
}

/* What a program prints does not end the machine: the line looks real, but the guest lives on. */
static int quote_panic(const struct parameters *parameters)
{
	const uint64_t four_seconds[2] = {4, 0};

	(void)parameters;
	tiny_print("[    1.000000] Kernel panic - not syncing: quoted\n");
	tiny_syscall(__NR_nanosleep, (long)four_seconds, 0, 0);
	tiny_print("quoted-panic: still alive\n");
	return 0;
}

/* A file of the second initrd is there, and so is this program of the first. */
static int read_second_initrd(const struct parameters *parameters)
{
	char text[64];
	long fd = tiny_syscall(__NR_open, (long)"/second-initrd", 0, 0);
	long size = fd < 0 ? fd : tiny_syscall(__NR_read, fd, (long)text, sizeof(text));

	(void)parameters;
	if (size <= 0) {
		tiny_print("initrd-concat: /second-initrd cannot be read\n");
		return 1;
	}
	tiny_print("initrd-concat: ");
	tiny_syscall(__NR_write, 1, (long)text, size);
	return 0;
}

/* Reads a line from the console and gives it back. */
static int echo_input(const struct parameters *parameters)
{
	struct tiny_line line = {.used = 0};
	char text[256];
	long size;

	(void)parameters;
	tiny_print("uart-input: ready\n");
	size = tiny_syscall(__NR_read, 0, (long)text, sizeof(text) - 1);
	if (size <= 0)
		return 1;
	if (text[size - 1] == '\n')
		size--;
	text[size] = '\0';
	tiny_add(&line, "uart-input: got [");
	tiny_add(&line, text);
	tiny_add(&line, "]");
	tiny_flush(&line);
	return 0;
}

/*
 * Where vmm, on a host that needs it, places the system-call trampoline and its doorbell (src/x86/assist_syscall.c); on
 * other hosts nothing is there, and the children below die of SIGSEGV.
 */
#define TRAMPOLINE 0xffffffffff602000UL
#define DOORBELL   0xffffffffff603000UL
#define FLAGS_IOPL 0x3000UL

#define CHILD_KEPT_IOPL 99

/* KVM cannot emulate it, and no memory is behind the operand: it must end the process, not the machine. */
static int read_doorbell(void)
{
	uint64_t bits;

	__asm__ volatile("popcnt (%1), %0" : "=r"(bits) : "r"(DOORBELL) : "memory");
	return (int)bits;
}

/* A system call (getppid) by a jump to the trampoline, with flags in R11 that no user program may have. */
static int forge_system_call(void)
{
	uint64_t flags;

	__asm__ volatile(
		"lea 1f(%%rip), %%rcx\n"
		"mov %1, %%r11\n"
		"jmp *%2\n"
		"1: pushfq\n"
		"pop %0"
		: "=&r"(flags)
		: "r"(FLAGS_IOPL | 0x202), "r"(TRAMPOLINE), "a"(__NR_getppid)
		: "rcx", "r11", "memory", "cc");
	return flags & FLAGS_IOPL ? CHILD_KEPT_IOPL : 0;
}

/* The status of a child that runs @attack, as wait4 gives it. */
static int try_attack(int (*attack)(void))
{
	int status = 0;
	long child = tiny_syscall(__NR_fork, 0, 0, 0);

	if (child == 0)
		tiny_syscall(__NR_exit_group, attack(), 0, 0);
	tiny_syscall6(__NR_wait4, child, (long)&status, 0, 0, 0, 0);
	return status;
}

static int attack_assist(const struct parameters *parameters)
{
	int doorbell = try_attack(read_doorbell), forged = try_attack(forge_system_call);
	struct tiny_line line = {.used = 0};

	(void)parameters;
	tiny_add(&line, "hostile-user: doorbell ");
	tiny_add_number(&line, (uint64_t)doorbell, 10);
	tiny_add(&line, ", forged system call ");
	tiny_add_number(&line, (uint64_t)forged, 10);
	tiny_flush(&line);
	/* The first is killed by a signal; the second too, or its flags came back clean. */
	return (doorbell & 0x7f) != 0 && forged != CHILD_KEPT_IOPL << 8 ? 0 : 1;
}

static const struct {
	const char *name;
	int (*run)(const struct parameters *parameters);
} table[] = {
	{"hello", say_hello},
	{"status", exit_with_status},
	{"exit-port", use_exit_port},
	{"killed", die_of_signal},
	{"smp", count_cpus},
	{"mem", measure_memory},
	{"poweroff", power_off},
	{"reboot", restart},
	{"halt", halt_system},
	{"hang", sleep_for_ever},
	{"spin", spin_for_ever},
	{"sysrq-panic", panic_by_sysrq},
	{"uart-input", echo_input},
	{"initrd-concat", read_second_initrd},
	{"hostile-user", attack_assist},
	{"quoted-panic", quote_panic},
};

int tiny_main(int argc, char **argv, char **envp)
{
	const struct parameters parameters = {
		.cpus = tiny_parse(tiny_environment(envp, "VMM_CPUS="), 1),
		.mem_mib = tiny_parse(tiny_environment(envp, "VMM_MEM="), 256),
		.status = tiny_parse(tiny_environment(envp, "VMM_STATUS="), 0),
	};
	const char *name = argc > 0 ? argv[0] : "";

	for (const char *c = name; *c; c++) {
		if (*c == '/')
			name = c + 1;
	}
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (tiny_is_equal(table[i].name, name))
			return table[i].run(&parameters);
	}
	tiny_print("checks: call it by the name of a test\n");
	return STATUS_NOT_FOUND;
}
