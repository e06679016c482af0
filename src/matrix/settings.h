/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may be set for all runs, or for those of one kernel, size or command; what stands nearer to the command wins,
 * lists add up. One thread.
 */
#ifndef VMM_MATRIX_SETTINGS_H
#define VMM_MATRIX_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "matrix/arena.h"
#include "matrix/reader.h"

#define SETTINGS_DEFAULT_MEM	 "256M"
#define SETTINGS_DEFAULT_TIMEOUT "10m"

/* Strings live in an arena. */
struct settings {
	const char *mem;
	unsigned cpus; /* 0: not set */
	const char *timeout;
	uint64_t timeout_ns;
	int expect; /* the status that counts as passed; -1: not set */
	int out;    /* 0, 1; -1: not set */
	const char *out_limit;
	const char *fail_on;
	const char *chdir;
	struct arena_list initrds, initrd_dirs, appends, env, vmm_args;
};

/* Nothing is set. */
#define SETTINGS_NONE                                                                                                  \
	(struct settings)                                                                                              \
	{                                                                                                              \
		.expect = -1, .out = -1                                                                                \
	}

/* Reads the value of @key, which the reader has entered. 1, 0 when it is no setting, or -errno with a line. */
MUST_CHECK int settings_read(struct reader *reader, struct settings *settings, const char *key, const json_t *value);

/* Adds the keys that settings_read knows to @list, which begins with others. */
MUST_CHECK int settings_add_keys(struct arena *arena, struct arena_list *list);

/* Lays @over on @settings. 0 or -ENOMEM. */
MUST_CHECK int settings_merge(struct settings *settings, const struct settings *over, struct arena *arena);

/* What nobody has set gets its default. */
void settings_complete(struct settings *settings);

#endif
