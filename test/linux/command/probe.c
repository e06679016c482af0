/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command of the tests of `vmm run ... -- COMMAND`: does what its arguments say, one step after the other, and ends
 * with 0 or with what the step `exit` says. It runs on the host as well, where its output is what the guest's must be.
 */
#include "../guest/tiny.h"

#include <asm/fcntl.h>
#include <asm/signal.h>
#include <asm/termbits.h>
#include <linux/errno.h>
#include <linux/mman.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/time_types.h>

#include "boot/layout.h"
#include "ci/command_proto.h"

#define STATUS_STEP_FAILED 99
#define STDIN		   0
#define STDOUT		   1
#define MILLISECOND	   1000000
#define PIECE_SIZE	   65536

/* The words behind the step at hand, and what main was given. */
struct words {
	char **next;
	char **all, **environment;
};

struct step {
	const char *name;
	long (*run)(struct words *words); /* below zero: -errno */
};

static const char *take(struct words *words)
{
	return *words->next ? *words->next++ : "";
}

static uint64_t take_number(struct words *words)
{
	return tiny_parse(take(words), 0);
}

static long write_all(long fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len) {
		long n = tiny_syscall(__NR_write, fd, (long)at, (long)len);

		if (n < 0)
			return n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static void sleep_ms(uint64_t ms)
{
	const struct __kernel_timespec time = {.tv_sec = (long)(ms / 1000), .tv_nsec = (long)(ms % 1000) * MILLISECOND};

	tiny_syscall(__NR_nanosleep, (long)&time, 0, 0);
}

static void sleep_for_ever(void)
{
	for (;;)
		tiny_syscall(__NR_pause, 0, 0, 0);
}

static long leave(struct words *words)
{
	return tiny_syscall(__NR_exit_group, (long)take_number(words), 0, 0);
}

static long die_of_signal(struct words *words)
{
	return tiny_syscall(__NR_kill, tiny_syscall(__NR_getpid, 0, 0, 0), (long)take_number(words), 0);
}

static long run_program(struct words *words)
{
	return tiny_syscall(__NR_execve, (long)words->next[0], (long)words->next, (long)words->environment);
}

static long say(struct words *words)
{
	tiny_print(take(words));
	tiny_print("\n");
	return 0;
}

static long pause_step(struct words *words)
{
	sleep_ms(take_number(words));
	return 0;
}

static long hang(struct words *words)
{
	(void)words;
	sleep_for_ever();
	return 0;
}

/* --- what the command was given */

/* One line for each, bytes that are no letters in hexadecimal. */
static void print_string(const char *kind, const char *text)
{
	static char line[PIECE_SIZE];
	size_t used = 0;

	for (const char *c = kind; *c; c++)
		line[used++] = *c;
	line[used++] = ' ';
	for (const char *c = text; *c && used < sizeof(line) - 5; c++) {
		if (*c > ' ' && *c < 0x7f && *c != '\\') {
			line[used++] = *c;
			continue;
		}
		line[used++] = '\\';
		line[used++] = "0123456789abcdef"[(uint8_t)*c >> 4];
		line[used++] = "0123456789abcdef"[*c & 15];
	}
	line[used++] = '\n';
	write_all(STDOUT, line, used);
}

/* The words up to "then" are only there to be printed. */
static long print_arguments(struct words *words)
{
	char folder[4096];
	long len = tiny_syscall(__NR_getcwd, (long)folder, sizeof(folder), 0);

	if (len < 0)
		return len;
	for (char **word = words->all; *word; word++)
		print_string("argument:", *word);
	for (char **variable = words->environment; *variable; variable++)
		print_string("variable:", *variable);
	print_string("folder:", folder);
	while (*words->next && !tiny_is_equal(take(words), "then"))
		;
	return 0;
}

/* Standard streams that are a terminal, the foreground, and the way to it by name. */
static long print_terminal(struct words *words)
{
	struct termios termios;
	int group = 0;
	struct tiny_line line = {.used = 0};
	long fd = tiny_syscall(__NR_open, (long)"/dev/tty", O_RDWR, 0);

	(void)words;
	tiny_add(&line, "terminal:");
	for (long i = 0; i <= 2; i++)
		tiny_add(&line, tiny_syscall(__NR_ioctl, i, TCGETS, (long)&termios) == 0 ? " yes" : " no");
	tiny_syscall(__NR_ioctl, fd, TIOCGPGRP, (long)&group);
	tiny_add(&line, ", /dev/tty ");
	tiny_add(&line, fd >= 0 ? "opens" : "does not open");
	tiny_add(&line, group == tiny_syscall(__NR_getpgid, 0, 0, 0) ? ", in the foreground" : "");
	tiny_flush(&line);
	return 0;
}

/* --- streams and files */

/* Eight bytes for eight bytes of @at: none repeats, and all values of a byte come. */
static uint64_t pattern_at(uint64_t at)
{
	uint64_t x = (at / 8 + 1) * 0x9e3779b97f4a7c15ULL;

	return x ^ x >> 29;
}

static void fill_piece(uint64_t *piece, uint64_t at)
{
	for (size_t i = 0; i < PIECE_SIZE / sizeof(*piece); i++)
		piece[i] = pattern_at(at + i * sizeof(*piece));
}

static long write_pattern(struct words *words)
{
	static uint64_t piece[PIECE_SIZE / sizeof(uint64_t)];
	uint64_t size = take_number(words);

	for (uint64_t at = 0; at < size; at += PIECE_SIZE) {
		long result;

		fill_piece(piece, at);
		result = write_all(STDOUT, piece, size - at < PIECE_SIZE ? size - at : PIECE_SIZE);
		if (result < 0)
			return result;
	}
	return 0;
}

/* The same pattern, until the disk is full. */
static long fill_disk(struct words *words)
{
	static uint64_t piece[PIECE_SIZE / sizeof(uint64_t)];
	long fd = tiny_syscall(__NR_open, (long)take(words), O_WRONLY | O_CREAT | O_EXCL, 0644), n;
	struct tiny_line line = {.used = 0};
	uint64_t size = 0;

	if (fd < 0)
		return fd;
	do {
		fill_piece(piece, size & ~7ULL);
		n = tiny_syscall(__NR_write, fd, (long)piece, PIECE_SIZE);
		size += n > 0 ? (uint64_t)n : 0;
	} while (n == PIECE_SIZE);
	/* A short write: the next one tells why. */
	if (n >= 0)
		n = tiny_syscall(__NR_write, fd, (long)piece, PIECE_SIZE);
	if (n != -ENOSPC)
		return n < 0 ? n : -EIO;
	tiny_add(&line, "disk: full after ");
	tiny_add_number(&line, size, 10);
	tiny_flush(&line);
	return 0;
}

static long write_text(struct words *words)
{
	long fd = tiny_syscall(__NR_open, (long)take(words), O_WRONLY | O_CREAT | O_NOCTTY, 0644), result;
	const char *text = take(words);

	if (fd < 0)
		return fd;
	result = write_all(fd, text, tiny_length(text));
	tiny_syscall(__NR_close, fd, 0, 0);
	return result;
}

static long copy_input(struct words *words)
{
	char piece[4096];
	long n;

	(void)words;
	while ((n = tiny_syscall(__NR_read, STDIN, (long)piece, sizeof(piece))) > 0)
		write_all(STDOUT, piece, (size_t)n);
	return n;
}

static long check_absent(struct words *words)
{
	long fd = tiny_syscall(__NR_open, (long)take(words), O_RDONLY, 0);

	return fd == -ENOENT ? 0 : -EEXIST;
}

/* --- processes */

/* A process that sleeps for ever without touching the stack: it shares all memory with this one, because copies of page
 * tables are what takes time where KVM emulates the kernel. */
static long start_sleeper(void)
{
	register long r10 __asm__("r10") = 0;
	register long r8 __asm__("r8") = 0;
	long result;

	__asm__ volatile(
		"	syscall\n"
		"	test %%rax, %%rax\n"
		"	jnz 2f\n"
		"1:	mov %[pause], %%eax\n"
		"	syscall\n"
		"	jmp 1b\n"
		"2:"
		: "=a"(result)
		: "a"(__NR_clone), "D"(CLONE_VM | SIGCHLD), "S"(0), "d"(0), "r"(r10), "r"(r8), [pause] "i"(__NR_pause)
		: "rcx", "r11", "memory");
	return result;
}

/* They never end by themselves, and hold the standard streams. */
static long fork_sleepers(struct words *words)
{
	uint64_t count = take_number(words);

	for (uint64_t i = 0; i < count; i++) {
		long child = start_sleeper();

		if (child < 0)
			return child;
	}
	return 0;
}

/* A sleeper whose parent is init, in a session of its own. */
static long leave_orphan(struct words *words)
{
	long child = tiny_syscall(__NR_fork, 0, 0, 0);

	(void)words;
	if (child == 0) {
		tiny_syscall(__NR_setsid, 0, 0, 0);
		if (tiny_syscall(__NR_fork, 0, 0, 0) == 0)
			sleep_for_ever();
		tiny_syscall(__NR_exit_group, 0, 0, 0);
	}
	return child < 0 ? child : tiny_syscall6(__NR_wait4, child, 0, 0, 0, 0, 0);
}

static long kill_all(struct words *words)
{
	(void)words;
	return tiny_syscall(__NR_kill, -1, SIGKILL, 0);
}

static long reboot(long how)
{
	return tiny_syscall6(__NR_reboot, (long)LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, how, 0, 0, 0);
}

static long power_off(struct words *words)
{
	(void)words;
	return reboot(LINUX_REBOOT_CMD_POWER_OFF);
}

static long restart(struct words *words)
{
	(void)words;
	return reboot(LINUX_REBOOT_CMD_RESTART);
}

/* --- attacks */

static uint32_t sum_crc32(uint32_t crc, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= at[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xedb88320 & -(crc & 1));
	}
	return ~crc;
}

/* All is right but the token. */
static long forge_frame(long fd, uint32_t sequence, uint32_t type, const void *payload, uint32_t len)
{
	struct command_frame frame = {.sequence = sequence, .type = type, .length = len};
	long result;

	frame.crc = sum_crc32(sum_crc32(0, &frame.sequence, 12), payload, len);
	result = write_all(fd, &frame, sizeof(frame));
	return result < 0 ? result : write_all(fd, payload, len);
}

/* Says that the command exited with 0, with every number that a frame may bear next. */
static long forge(struct words *words)
{
	const struct command_exit end = {.end = COMMAND_EXITED};
	long fd = tiny_syscall(__NR_open, (long)take(words), O_WRONLY | O_NOCTTY, 0), result = 0;

	for (uint32_t i = 0; i < 8 && fd >= 0 && result >= 0; i++)
		result = forge_frame(fd, i, COMMAND_FRAME_EXIT, &end, sizeof(end));
	if (fd >= 0 && result >= 0)
		result = forge_frame(fd, 8, COMMAND_FRAME_DONE, "", 0);
	return fd < 0 ? fd : result;
}

/* A child that never stops writing there. */
static long make_noise(struct words *words)
{
	long fd = tiny_syscall(__NR_open, (long)take(words), O_WRONLY | O_NOCTTY, 0), child;

	if (fd < 0)
		return fd;
	child = tiny_syscall(__NR_fork, 0, 0, 0);
	while (child == 0)
		tiny_syscall(__NR_write, fd, (long)"noise, noise, noise", 19);
	return child;
}

/* Overwrites all of the window, and rings. Nothing good can come of it, but nothing worse than a lost status. */
static long scribble(struct words *words)
{
	long fd = tiny_syscall(__NR_open, (long)"/dev/mem", O_RDWR, 0), map;
	size_t size = take_number(words);

	map = fd < 0 ? fd
		     : tiny_syscall6(__NR_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				     (long)LAYOUT_COMMAND_WINDOW);
	if (map < 0)
		return map;
	if (tiny_syscall(__NR_ioperm, LAYOUT_COMMAND_PORT, 1, 1) != 0)
		return -EPERM;
	for (uint64_t round = 1; round <= 64; round++) {
		volatile uint64_t *window = (volatile uint64_t *)map;

		for (size_t i = 0; i < size / sizeof(*window); i++)
			window[i] = pattern_at(round << 32 | i * sizeof(*window));
		__asm__ volatile("outb %0, %1" : : "a"((uint8_t)1), "Nd"((uint16_t)LAYOUT_COMMAND_PORT));
	}
	return 0;
}

static const struct step steps[] = {
	{"exit", leave},
	{"signal", die_of_signal},
	{"exec", run_program},
	{"say", say},
	{"sleep", pause_step},
	{"hang", hang},
	{"arguments", print_arguments},
	{"terminal", print_terminal},
	{"pattern", write_pattern},
	{"fill", fill_disk},
	{"write", write_text},
	{"read", copy_input},
	{"absent", check_absent},
	{"forks", fork_sleepers},
	{"orphan", leave_orphan},
	{"kill-all", kill_all},
	{"power-off", power_off},
	{"restart", restart},
	{"forge", forge},
	{"noise", make_noise},
	{"scribble", scribble},
};

static const struct step *find_step(const char *name)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (tiny_is_equal(steps[i].name, name))
			return &steps[i];
	}
	return NULL;
}

static void complain(const char *name, long result)
{
	struct tiny_line line = {.used = 0};

	tiny_add(&line, "probe: ");
	tiny_add(&line, name);
	tiny_add(&line, ": error ");
	tiny_add_number(&line, (uint64_t)-result, 10);
	tiny_flush(&line);
}

int tiny_main(int argc, char **argv, char **envp)
{
	struct words words = {.next = argv + 1, .all = argv, .environment = envp};

	(void)argc;
	while (*words.next) {
		const char *name = take(&words);
		const struct step *step = find_step(name);
		long result = step ? step->run(&words) : -ENOSYS;

		if (result < 0) {
			complain(name, result);
			return STATUS_STEP_FAILED;
		}
	}
	return 0;
}
