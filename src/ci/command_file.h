/* SPDX-License-Identifier: Apache-2.0 */
/* What the guest's init is to run: the request as the bytes of COMMAND_FILE (command_proto.h). Start-up only. */
#ifndef VMM_CI_COMMAND_FILE_H
#define VMM_CI_COMMAND_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "ci/archive.h"
#include "ci/command_proto.h"

struct command_request {
	char *const *arguments; /* borrowed, as all here */
	unsigned nr_arguments;
	const char *const *variables; /* NAME=value */
	unsigned nr_variables;
	const char *folder; /* the working directory; NULL: / */
	uint32_t flags;	    /* COMMAND_FLAG_* */
	uint16_t rows, columns;
	uint8_t token[COMMAND_TOKEN_SIZE];
	uint64_t window_address;
	uint32_t window_size;
	uint16_t doorbell_port;
};

/* The file, to be freed by the caller, with its size in *size; NULL with a line in @err when it would be larger than
 * COMMAND_FILE_MAX_SIZE, or memory ran out. */
void *command_file_make(const struct command_request *request, size_t *size, struct error *err);

/* Fills @archive with all that the guest needs to run the command: init, command file, a console. @init: the program's
 * bytes. 0, or -errno with a line in @err; archive_fini is due either way. */
MUST_CHECK int command_archive_make(struct archive *archive, const struct command_request *request, const void *init,
				    size_t init_size, struct error *err);

/* A new token from the kernel's random numbers. 0 or -errno with a line in @err. */
MUST_CHECK int command_token_make(uint8_t token[COMMAND_TOKEN_SIZE], struct error *err);

#endif
