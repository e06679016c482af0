/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /init of the test initramfs. Runs /tests/NAME for `vmm.test=NAME` on the kernel command line, with every `vmm.x=y`
 * there in its environment as VMM_X=y, and ends the machine with its status as a shell would report it. A program, not
 * a script: three mounts and one exec are all the guest has to do.
 */
#include "tiny.h"

#define MAX_CMDLINE	4096
#define MAX_ENVIRONMENT 64
#define MAX_PATH	256

#define STATUS_NOT_EXECUTABLE 126
#define STATUS_NOT_FOUND      127
#define ENOENT_RESULT	      (-2)

struct context {
	char cmdline[MAX_CMDLINE];
	char *environment[MAX_ENVIRONMENT + 1];
	size_t variables;
};

static void mount_all(void)
{
	static const char *const table[][2] = {{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *type = table[i][0], *where = table[i][1];

		if (tiny_syscall6(__NR_mount, (long)type, (long)where, (long)type, 0, 0, 0) != 0)
			tiny_print("init: a mount failed\n");
	}
}

static void add_variable(struct context *ctx, char *text)
{
	if (ctx->variables < MAX_ENVIRONMENT)
		ctx->environment[ctx->variables++] = text;
}

/* Turns `vmm.some=value` into `VMM_SOME=value`, in place: the two are of one length. */
static void take_word(struct context *ctx, char *word)
{
	if (word[0] != 'v' || word[1] != 'm' || word[2] != 'm' || word[3] != '.')
		return;
	word[3] = '_';
	for (char *c = word; *c && *c != '='; c++) {
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	}
	add_variable(ctx, word);
}

static void read_cmdline(struct context *ctx)
{
	long fd = tiny_syscall(__NR_open, (long)"/proc/cmdline", 0, 0);
	long size = fd < 0 ? 0 : tiny_syscall(__NR_read, fd, (long)ctx->cmdline, MAX_CMDLINE - 1);
	char *word = ctx->cmdline;

	tiny_syscall(__NR_close, fd, 0, 0);
	for (long i = 0; i <= size && size > 0; i++) {
		char *c = &ctx->cmdline[i];

		if (*c && *c != ' ' && *c != '\n')
			continue;
		*c = '\0';
		take_word(ctx, word);
		word = c + 1;
	}
}

/* The status a shell would give: 0-255, or 128 + the signal that killed it. */
static int wait_for(long child)
{
	int status = 0;

	/* Orphans come to PID 1 too; only our child ends the run. */
	while (tiny_syscall6(__NR_wait4, -1, (long)&status, 0, 0, 0, 0) != child)
		;
	return (status & 0x7f) ? 128 + (status & 0x7f) : (status >> 8) & 0xff;
}

static int run(struct context *ctx, const char *name)
{
	struct tiny_line path = {.used = 0};
	char *argv[] = {path.text, NULL};
	long child, result;

	tiny_add(&path, "/tests/");
	tiny_add(&path, name);
	child = tiny_syscall(__NR_vfork, 0, 0, 0);
	if (child > 0)
		return wait_for(child);
	result = tiny_syscall(__NR_execve, (long)path.text, (long)argv, (long)ctx->environment);
	tiny_add(&path, result == ENOENT_RESULT ? ": no such test" : ": cannot be executed");
	tiny_flush(&path);
	tiny_syscall(__NR_exit_group, result == ENOENT_RESULT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE, 0, 0);
	return STATUS_NOT_FOUND;
}

int tiny_main(int argc, char **argv, char **envp)
{
	static struct context ctx;
	const char *name;

	(void)argc;
	(void)argv;
	(void)envp;
	if (tiny_syscall(__NR_getpid, 0, 0, 0) != 1) {
		tiny_print(
			"init: this is the first process of a test guest; it mounts file systems and ends the "
			"machine\n");
		return 1;
	}
	mount_all();
	add_variable(&ctx, (char[]){"PATH=/bin"});
	read_cmdline(&ctx);
	name = tiny_environment(ctx.environment, "VMM_TEST=");
	if (!name) {
		tiny_print("init: name a test with vmm.test=NAME on the kernel command line\n");
		tiny_exit_machine(STATUS_NOT_FOUND);
		return 1;
	}
	/* The one test that is about init itself: PID 1 ends, and the kernel panics. */
	if (tiny_is_equal(name, "panic"))
		return 1;
	tiny_exit_machine((uint32_t)run(&ctx, name));
	return 1;
}
