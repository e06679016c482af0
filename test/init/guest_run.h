/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the guest's init as the first process of new user, PID, mount and network namespaces, in a root folder of its
 * own that has BusyBox, with pseudo-terminals as COM2 and as the console. It can neither reach a port, nor /dev/mem,
 * nor end more than its namespace.
 */
#ifndef VMM_TEST_GUEST_RUN_H
#define VMM_TEST_GUEST_RUN_H

#include "frames.h"

#define GUEST_MAX_WORDS 16
#define EXIT_SKIPPED	77

struct guest_request {
	const char *arguments[GUEST_MAX_WORDS]; /* NULL at the end */
	const char *variables[GUEST_MAX_WORDS];
	const char *folder;
	uint32_t flags;
	uint16_t rows, columns;
	void (*prepare)(void); /* in the root folder, before init starts */
	const char *input;     /* what is typed on the console, once the command runs */
	const void *file;      /* instead of a right command file; NULL: none */
	size_t file_size;      /* 0: a right one */
	bool without_file, without_com2;
};

struct guest_result {
	struct frames frames;
	char console[65536]; /* what init and the command wrote there */
	size_t console_len;
	int wait_status; /* of init: a power-off ends a PID namespace with SIGINT (reboot(2)) */
};

extern const uint8_t guest_token[COMMAND_TOKEN_SIZE];

/* 0, or why such a guest cannot be had here: the status the test program ends with. */
int guest_missing(void);

/* The bytes of a right command file; returns its size. */
size_t guest_make_file(const struct guest_request *request, uint8_t *file, size_t size);

/* Returns when the guest has ended. guest_fini(result) is due afterwards. */
void guest_run(const struct guest_request *request, struct guest_result *result);
void guest_fini(struct guest_result *result);

/* Runs `sh -c SCRIPT` and asserts that it was started, that all is sent, and that the guest powered off. */
void guest_run_script(const char *script, uint32_t flags, struct guest_result *result);

void guest_assert_exited(const struct guest_result *result, unsigned status);
void guest_assert_not_started(const struct guest_result *result, int error, enum command_step step);

/* Write a file in the root folder; for prepare(). */
void guest_put(const char *path, const char *text, unsigned mode);
void guest_put_bytes(const char *path, const void *bytes, size_t len, unsigned mode);

#endif
