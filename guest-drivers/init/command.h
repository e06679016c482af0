/* SPDX-License-Identifier: Apache-2.0 */
/* COMMAND_FILE's content as what execve wants. Pure. */
#ifndef VMM_INIT_COMMAND_H
#define VMM_INIT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "ci/command_proto.h"

/* Variables that are added when they are not given. */
#define COMMAND_NR_DEFAULTS 6
/* Pointers for any file: one for each string but the folder, the defaults, and two NULLs. */
#define COMMAND_MAX_POINTERS (COMMAND_FILE_MAX_SIZE - sizeof(struct command_file) + COMMAND_NR_DEFAULTS + 1)

#define COMMAND_DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct command {
	char *const *arguments;
	char *const *environment;
	const char *folder; /* may be empty */
	const char *path;   /* value of PATH */
	uint32_t flags;
	uint16_t rows, columns;
};

/* Whether @file, of @size bytes, is a command file of our version, so that its numbers may be believed. */
bool command_is_ours(const struct command_file *file, size_t size);

/* Fills @command, with @pointers for its lists. False when the strings are not what the numbers say. */
bool command_parse(struct command *command, struct command_file *file, char *pointers[COMMAND_MAX_POINTERS]);

#endif
