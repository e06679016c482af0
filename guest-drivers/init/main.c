/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first process of a guest that runs one command (command_proto.h): file systems, the way to the host, the command,
 * its status, power off. Every system call costs thousands of instructions where KVM emulates the kernel: few are made.
 */
#include <linux/reboot.h>
#include <linux/sched.h>

#include "child.h"
#include "command.h"
#include "console.h"
#include "explain.h"
#include "mounts.h"
#include "network.h"
#include "pack.h"
#include "relay.h"
#include "sigchld.h"
#include "start.h"
#include "sys.h"
#include "transport.h"

#define NAME	    "vmm's init: "
#define WAIT_SIGNAL 0x7f /* the part of a wait status */
#define STDERR	    2
#define PIPE_SIZE   (256 * 1024) /* bytes: what the command can write ahead */

/* The large parts come last and stay mostly untouched, which costs nothing. */
struct init {
	struct command command;
	struct child child;
	struct transport transport;
	bool has_streams;
	size_t file_size;
	union {
		struct command_file head;
		uint8_t bytes[COMMAND_FILE_MAX_SIZE + 1];
	} file;
	char *pointers[COMMAND_MAX_POINTERS];
};

static __attribute__((noreturn)) void power_off(void)
{
	sys_call6(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF, 0, 0, 0);
	sys_call6(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_HALT, 0, 0, 0);
	for (;;)
		sys_call3(__NR_pause, 0, 0, 0);
}

static __attribute__((noreturn)) void give_up(const char *line)
{
	console_complain(line);
	console_drain(STDERR);
	power_off();
}

/* Reads the file and removes it, and what came with it: the command must not find the token. */
static void load_file(struct init *init)
{
	int fd = sys_open(COMMAND_FILE, O_RDONLY | O_CLOEXEC, 0);
	long n;

	init->has_streams = fd > STDERR;
	if (fd < 0)
		return;
	n = sys_read(fd, init->file.bytes, sizeof(init->file.bytes));
	init->file_size = n > 0 ? (size_t)n : 0;
	sys_close(fd);
	sys_call3(__NR_unlink, (long)COMMAND_FILE, 0, 0);
	sys_call3(__NR_unlink, (long)COMMAND_INIT, 0, 0);
	sys_call3(__NR_rmdir, (long)"/" COMMAND_FOLDER, 0, 0);
}

/* What the command wrote must be sent before a crash of the kernel can lose it, so init comes first. Its children do
 * not inherit that. */
static void raise_priority(void)
{
	const int priority = 1;

	sys_call3(__NR_sched_setscheduler, 0, SCHED_FIFO | SCHED_RESET_ON_FORK, (long)&priority);
}

static void send_end(struct sender *sender, int status)
{
	int signal = status & WAIT_SIGNAL;

	if (signal)
		sender_exit(sender, COMMAND_KILLED, (uint32_t)signal, COMMAND_STEP_NONE);
	else
		sender_exit(sender, COMMAND_EXITED, (uint32_t)(status >> 8 & 0xff), COMMAND_STEP_NONE);
}

/* Sets the child's streams; *output is where what it writes comes out, -1 when that is the console. 0 or -errno. */
static int prepare_streams(struct child *child, int *output)
{
	const struct command *command = child->command;
	int pipe[2], result;

	*output = -1;
	child->input = -1;
	if (command->flags & COMMAND_FLAG_TTY) {
		child->input = console_open_terminal(command->rows, command->columns);
		child->output = child->input;
		return child->input < 0 ? child->input : 0;
	}
	if (!(command->flags & COMMAND_FLAG_NO_INPUT))
		child->input = console_open_input();
	result = (int)sys_call3(__NR_pipe2, (long)pipe, O_CLOEXEC, 0);
	if (result != 0)
		return result;
	sys_call3(__NR_fcntl, pipe[0], F_SETPIPE_SZ, PIPE_SIZE);
	*output = pipe[0];
	child->output = pipe[1];
	return 0;
}

static void report_refusal(struct init *init)
{
	const struct child *child = &init->child;

	if (init->command.folder[0]) /* the candidate's path may be relative to it */
		sys_call3(__NR_chdir, (long)init->command.folder, 0, 0);
	explain_refusal(&init->transport.sender, child->candidate, child->candidate_error);
	sender_exit(&init->transport.sender, COMMAND_NOT_STARTED, (uint32_t)child->error, child->step);
}

static void run(struct init *init)
{
	struct sender *sender = &init->transport.sender;
	struct relay relay = {.sender = sender};
	long pid;

	init->child.command = &init->command;
	init->child.transport = &init->transport;
	sigchld_install();
	pid = prepare_streams(&init->child, &relay.output);
	if (pid == 0)
		pid = child_start(&init->child);
	if (pid < 0) {
		sender_exit(sender, COMMAND_INIT_FAILED, (uint32_t)-pid, COMMAND_STEP_FORK);
		return;
	}
	if (init->child.error) {
		report_refusal(init);
		return;
	}
	if (relay.output >= 0)
		sys_close(init->child.output);
	relay.command = (int)pid;
	sender_send(sender, COMMAND_FRAME_STARTED, "", 0);
	relay_run(&relay);
	relay_finish(&relay);
	if (init->command.flags & COMMAND_FLAG_TTY)
		console_drain(init->child.output);
	send_end(sender, relay.status);
}

/* Returns how many files of COMMAND_OUT are lost. */
static uint32_t run_command(struct init *init)
{
	struct sender *sender = &init->transport.sender;

	raise_priority();
	mounts_others(sender);
	network_up();
	if (!command_parse(&init->command, &init->file.head, init->pointers)) {
		sender_exit(sender, COMMAND_INIT_FAILED, EINVAL, COMMAND_STEP_FILE);
		return 0;
	}
	if (init->command.flags & COMMAND_FLAG_OUT)
		mounts_out();
	run(init);
	return init->command.flags & COMMAND_FLAG_OUT ? pack_send(sender) : 0;
}

void init_main(void)
{
	static struct init init;
	struct command_done done;

	if (sys_call3(__NR_getpid, 0, 0, 0) != 1) {
		console_complain(NAME "runs only as the first process of a guest\n");
		sys_exit(1);
	}
	load_file(&init);
	mounts_dev();
	if (!init.has_streams)
		console_hold_streams();
	if (!command_is_ours(&init.file.head, init.file_size))
		give_up(NAME COMMAND_FILE " is missing, damaged, or of another version of vmm\n");
	if (!transport_open(&init.transport, &init.file.head))
		give_up(NAME
			"no way to the host: the kernel needs CONFIG_DEVMEM and CONFIG_X86_IOPL_IOPERM, or "
			"CONFIG_SERIAL_8250 with CONFIG_SERIAL_8250_RUNTIME_UARTS of at least 2\n");
	done.lost = run_command(&init);
	sys_call3(__NR_sync, 0, 0, 0);
	sender_send(&init.transport.sender, COMMAND_FRAME_DONE, &done, sizeof(done));
	sender_flush(&init.transport.sender);
	power_off();
}
