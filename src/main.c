/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/file.h"
#include "base/log.h"
#include "commands.h"
#include "outcome.h"

static const struct {
	const char *name;
	int (*run)(int argc, char *argv[], uint64_t start_ns);
	const char *summary;
} commands[] = {
	{"run", cmd_run, "boot a kernel and end with its status"},
	{"matrix", cmd_matrix, "run kernels x commands x sizes, several at a time"},
	{"doctor", cmd_doctor, "check what this host offers"},
};

static void print_help(FILE *to)
{
	fprintf(to, "vmm " VMM_VERSION
		    ", a lightweight virtual machine monitor for Linux/KVM\n\nUsage: vmm COMMAND [options]\n\n");
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fprintf(to, "\n`vmm COMMAND --help` tells more, `man vmm` everything; `vmm --version` prints the version.\n");
}

/* A standard descriptor that the caller closed would become one of ours, and the guest's output would go there. */
static void fill_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			_exit(EXIT_VMM_ERROR);
}

int main(int argc, char *argv[])
{
	uint64_t start_ns = monotonic_ns();
	const char *word = argc > 1 ? argv[1] : "";

	fill_standard_descriptors();
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(word, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1, start_ns);
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
		print_help(stdout);
		return 0;
	}
	if (strcmp(word, "--version") == 0) {
		printf("vmm " VMM_VERSION "\n");
		return 0;
	}
	if (!*word)
		log_err("no command given; write `vmm run KERNEL`, see `vmm --help`");
	else
		log_err("%s: unknown command; see `vmm --help`", word);
	return EXIT_VMM_ERROR;
}
