/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <string.h>

#include "window.h"

static bool is_window_possible(const struct command_file *file)
{
	uint32_t size = file->window_size;

	return file->window_address % COMMAND_WINDOW_PAGE == 0 && size >= WINDOW_MIN_SIZE && size <= WINDOW_MAX_SIZE &&
	       (size & (size - 1)) == 0;
}

bool command_is_ours(const struct command_file *file, size_t size)
{
	return size > sizeof(*file) && size <= COMMAND_FILE_MAX_SIZE && file->magic == COMMAND_MAGIC &&
	       file->version == COMMAND_PROTO_VERSION && file->size == size &&
	       (file->window_address == 0 || is_window_possible(file));
}

/* Whether @variable begins with the name of @example, NAME=value. */
static bool has_name(const char *variable, const char *example)
{
	for (; *example != '='; variable++, example++) {
		if (*variable != *example)
			return false;
	}
	return *variable == '=';
}

static const char *find_variable(char *const *environment, const char *example)
{
	for (; *environment; environment++) {
		if (has_name(*environment, example))
			return *environment;
	}
	return NULL;
}

/* The environment ends at @end. */
static void add_defaults(char **environment, char **end, uint32_t flags)
{
	static char defaults[COMMAND_NR_DEFAULTS - 1][72] = {
		COMMAND_DEFAULT_PATH, "HOME=/root", "USER=root", "LOGNAME=root", "SHELL=/bin/sh",
	};
	static char terminals[2][12] = {"TERM=dumb", "TERM=vt100"};
	char *terminal = terminals[flags & COMMAND_FLAG_TTY ? 1 : 0];

	*end = NULL;
	for (size_t i = 0; i < COMMAND_NR_DEFAULTS - 1; i++) {
		if (!find_variable(environment, defaults[i])) {
			*end++ = defaults[i];
			*end = NULL;
		}
	}
	if (!find_variable(environment, terminal))
		*end++ = terminal;
	*end = NULL;
}

bool command_parse(struct command *command, struct command_file *file, char *pointers[COMMAND_MAX_POINTERS])
{
	char *at = (char *)(file + 1), *end = (char *)file + file->size;
	uint64_t nr_strings = (uint64_t)file->nr_arguments + file->nr_variables + 1;
	char **to = pointers;

	if (file->nr_arguments == 0 || nr_strings > (uint64_t)(end - at) || end[-1] != '\0')
		return false;
	command->arguments = to;
	for (uint64_t i = 0; i < nr_strings - 1 && at < end; i++, at += strlen(at) + 1) {
		if (i == file->nr_arguments)
			*to++ = NULL;
		*to++ = at;
	}
	if (at >= end)
		return false;
	command->folder = at;
	if (at + strlen(at) + 1 != end)
		return false;
	if (file->nr_variables == 0)
		*to++ = NULL;
	command->environment = command->arguments + file->nr_arguments + 1;
	add_defaults(pointers + file->nr_arguments + 1, to, file->flags);
	command->path = find_variable(command->environment, "PATH=") + strlen("PATH=");
	command->flags = file->flags;
	command->rows = file->rows;
	command->columns = file->columns;
	return true;
}
