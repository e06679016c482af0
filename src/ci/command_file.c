/* SPDX-License-Identifier: Apache-2.0 */
#include "ci/command_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define MODE_PRIVATE_FOLDER 0700
#define MODE_PROGRAM	    0700
#define MODE_SECRET	    0600

/* Linux's major and minor numbers of /dev/console (Documentation/admin-guide/devices.txt). */
#define CONSOLE_MAJOR 5
#define CONSOLE_MINOR 1

static size_t strings_size(const struct command_request *request)
{
	size_t size = 0;

	for (unsigned i = 0; i < request->nr_arguments; i++)
		size += strlen(request->arguments[i]) + 1;
	for (unsigned i = 0; i < request->nr_variables; i++)
		size += strlen(request->variables[i]) + 1;
	return size + (request->folder ? strlen(request->folder) : 0) + 1;
}

static char *put_string(char *to, const char *text)
{
	size_t size = strlen(text) + 1;

	memcpy(to, text, size);
	return to + size;
}

void *command_file_make(const struct command_request *request, size_t *size, struct error *err)
{
	struct command_file head = {
		.magic = COMMAND_MAGIC,
		.version = COMMAND_PROTO_VERSION,
		.flags = request->flags,
		.nr_arguments = request->nr_arguments,
		.nr_variables = request->nr_variables,
		.rows = request->rows,
		.columns = request->columns,
		.window_address = request->window_address,
		.window_size = request->window_size,
		.doorbell_port = request->doorbell_port,
	};
	uint8_t *file;
	char *to;

	*size = sizeof(head) + strings_size(request);
	if (*size > COMMAND_FILE_MAX_SIZE) {
		error_set(err, -E2BIG,
			  "--: command and environment take %zu bytes, more than %u; put the long part into a file",
			  *size, COMMAND_FILE_MAX_SIZE);
		return NULL;
	}
	head.size = (uint32_t)*size;
	memcpy(head.token, request->token, sizeof(head.token));
	file = malloc(*size);
	if (!file) {
		error_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	memcpy(file, &head, sizeof(head));
	to = (char *)file + sizeof(head);
	for (unsigned i = 0; i < request->nr_arguments; i++)
		to = put_string(to, request->arguments[i]);
	for (unsigned i = 0; i < request->nr_variables; i++)
		to = put_string(to, request->variables[i]);
	put_string(to, request->folder ? request->folder : "");
	return file;
}

int command_archive_make(struct archive *archive, const struct command_request *request, const void *init,
			 size_t init_size, struct error *err)
{
	size_t size;
	void *file = command_file_make(request, &size, err);

	archive_init(archive);
	if (!file)
		return -E2BIG;
	archive_add_folder(archive, "dev", 0755);
	archive_add_character_device(archive, "dev/console", 0600, CONSOLE_MAJOR, CONSOLE_MINOR);
	archive_add_folder(archive, COMMAND_FOLDER, MODE_PRIVATE_FOLDER);
	archive_add_file(archive, &COMMAND_INIT[1], MODE_PROGRAM, init, init_size);
	archive_add_file(archive, &COMMAND_FILE[1], MODE_SECRET, file, size);
	free(file);
	return archive_finish(archive) ? error_set(err, -ENOMEM, "out of memory") : 0;
}

int command_token_make(uint8_t token[COMMAND_TOKEN_SIZE], struct error *err)
{
	/* Up to 256 bytes come whole or not at all (getrandom(2)). */
	if (getrandom(token, COMMAND_TOKEN_SIZE, 0) == COMMAND_TOKEN_SIZE)
		return 0;
	return error_set(err, -errno, "getrandom: %s; the kernel is too old or forbids it", strerror(errno));
}
