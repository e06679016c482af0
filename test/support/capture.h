/* SPDX-License-Identifier: Apache-2.0 */
/* What a function of the program prints on stdout and stderr, and what it returns. */
#ifndef VMM_TEST_CAPTURE_H
#define VMM_TEST_CAPTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct capture {
	int status;
	char out[65536], err[8192];
};

#define CAPTURE_MAX_WORDS 16

static inline int capture_redirect(int fd)
{
	char path[] = "/tmp/vmm-capture.XXXXXX";
	int file = mkstemp(path), saved = dup(fd);

	assert_true(file >= 0 && saved >= 0);
	unlink(path);
	assert_int_equal(dup2(file, fd), fd);
	close(file);
	return saved;
}

static inline void capture_take(int fd, int saved, char *text, size_t size)
{
	ssize_t len = pread(fd, text, size - 1, 0);

	dup2(saved, fd);
	close(saved);
	assert_true(len >= 0);
	text[len] = 0;
}

/* Calls a subcommand with its name and @words (NULL at the end). */
static inline void capture_command(struct capture *c, int (*command)(int argc, char *argv[], uint64_t start_ns),
				   const char *const words[])
{
	char storage[CAPTURE_MAX_WORDS][256], *argv[CAPTURE_MAX_WORDS + 1] = {NULL};
	int argc = 0, out, err;

	for (; words[argc]; argc++) {
		assert_true(argc < CAPTURE_MAX_WORDS);
		snprintf(storage[argc], sizeof(storage[argc]), "%s", words[argc]);
		argv[argc] = storage[argc];
	}
	fflush(stdout);
	out = capture_redirect(STDOUT_FILENO);
	err = capture_redirect(STDERR_FILENO);
	c->status = command(argc, argv, 0);
	fflush(stdout);
	capture_take(STDOUT_FILENO, out, c->out, sizeof(c->out));
	capture_take(STDERR_FILENO, err, c->err, sizeof(c->err));
}

#define CAPTURE(c, command, ...) capture_command(c, command, (const char *const[]){__VA_ARGS__, NULL})

#endif
