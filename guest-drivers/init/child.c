/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <linux/sched.h>
#include <string.h>

#define STACK_SIZE 16384
#define STDIN	   0
#define STDOUT	   1
#define STDERR	   2

static void remember_candidate(struct child *child, int error)
{
	if (child->candidate[0])
		return;
	memcpy(child->candidate, child->path, strlen(child->path) + 1);
	child->candidate_error = error;
}

/* Executes child->path; returns why that failed. */
static int execute(struct child *child)
{
	const struct command *command = child->command;
	long result = sys_call3(__NR_execve, (long)child->path, (long)command->arguments, (long)command->environment);

	remember_candidate(child, (int)-result);
	return (int)-result;
}

/* Sets child->path to @folder, which ends at @end, with @name. False when that is too long. */
static bool join_path(struct child *child, const char *folder, const char *end, const char *name)
{
	size_t folder_len = (size_t)(end - folder), name_size = strlen(name) + 1;
	char *to = child->path;

	if (folder_len + 1 + name_size > sizeof(child->path))
		return false;
	memcpy(to, folder, folder_len);
	to += folder_len;
	if (folder_len) /* an empty one is the working directory */
		*to++ = '/';
	memcpy(to, name, name_size);
	return true;
}

/* Whether a search goes on after this error: not here, or not for us. */
static bool is_elsewhere(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES || error == ELOOP || error == ENAMETOOLONG;
}

/* Returns a positive errno. */
static int search_and_execute(struct child *child, const char *name)
{
	const char *folder = child->command->path, *end;
	bool is_forbidden = false;
	int error;

	do {
		for (end = folder; *end && *end != ':'; end++)
			;
		error = ENAMETOOLONG;
		/* To ask first is cheap; to execute is not, also when it fails. */
		if (join_path(child, folder, end, name))
			error = -(int)sys_call3(__NR_access, (long)child->path, 0, 0);
		if (error == 0)
			error = execute(child);
		if (!is_elsewhere(error))
			return error;
		is_forbidden |= error == EACCES;
		folder = end + 1;
	} while (*end);
	return is_forbidden ? EACCES : ENOENT;
}

static bool has_slash(const char *name)
{
	while (*name && *name != '/')
		name++;
	return *name;
}

static int run_program(struct child *child)
{
	const char *name = child->command->arguments[0];

	if (!*name)
		return ENOENT;
	if (!has_slash(name))
		return search_and_execute(child, name);
	if (!join_path(child, name, name, name))
		return ENAMETOOLONG;
	return execute(child);
}

static void take_streams(const struct child *child)
{
	int input = child->input >= 0 ? child->input : sys_open("/dev/null", O_RDONLY | O_CLOEXEC, 0);

	if (input >= 0)
		sys_dup2(input, STDIN);
	else
		sys_close(STDIN);
	sys_dup2(child->output, STDOUT);
	sys_dup2(child->output, STDERR);
}

static void fail(struct child *child, int error, enum command_step step)
{
	child->error = error;
	child->step = step;
	sys_exit(1);
}

/* In the child, in its parent's memory. The signals are as the kernel gave them to init, but for SIGCHLD's handler, and
 * handlers end with the program. */
static void run_child(void *argument)
{
	struct child *child = argument;
	const struct command *command = child->command;

	/* With a terminal it stays in init's session, whose terminal that is. */
	if (!(command->flags & COMMAND_FLAG_TTY))
		sys_call3(__NR_setsid, 0, 0, 0);
	transport_drop_ports(child->transport);
	take_streams(child);
	if (command->folder[0]) {
		int result = (int)sys_call3(__NR_chdir, (long)command->folder, 0, 0);

		if (result != 0)
			fail(child, -result, COMMAND_STEP_CHDIR);
	}
	fail(child, run_program(child), COMMAND_STEP_EXEC);
}

long child_start(struct child *child)
{
	static uint8_t stack[STACK_SIZE] __attribute__((aligned(16)));

	return sys_spawn(CLONE_VM | CLONE_VFORK | SIGCHLD, stack + sizeof(stack), run_child, child);
}
