/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one command to its end: wall time, peak memory, status, and its lines of output with the time each arrived. */
#ifndef VMM_BENCH_CHILD_H
#define VMM_BENCH_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

#define BENCH_EVENTS_TARGET "fd:3" /* for vmm's --events: the third stream */
#define BENCH_TEXT_SIZE	    256

enum bench_stream { BENCH_STDOUT, BENCH_STDERR, BENCH_EVENTS, BENCH_STREAMS };

struct bench_command {
	const char *const *argv; /* argv[0] is looked up in PATH; NULL ends it */
	uint64_t timeout_ns;
	bool wants_stdout; /* else it goes to /dev/null; stdin is always /dev/null, stderr always read */
	bool wants_events; /* opens descriptor 3 */
	/* Called for each line, without its newline, with the nanoseconds since the start; may be NULL. When it returns
	 * false the child has half a second more to say, and is then killed. */
	bool (*on_line)(void *arg, enum bench_stream stream, const char *line, uint64_t at_ns);
	void *arg;
};

struct bench_child {
	uint64_t wall_ns;		       /* from before fork to its end */
	uint64_t first_byte_ns[BENCH_STREAMS]; /* 0: none came */
	uint64_t cpu_ns;		       /* user and system time */
	uint64_t peak_rss_kib;		       /* ru_maxrss, which counts what the child was before exec ... */
	uint64_t floor_rss_kib;		       /* ... namely this much: a lower peak cannot be seen */
	int status;			       /* exit status; 128 + n for signal n */
	bool timed_out;			       /* killed: the time was up */
	bool stopped;			       /* killed: on_line said so */
	char last_error[BENCH_TEXT_SIZE];      /* the last line on stderr */
};

/* 0 whatever the command's status was, or -errno with a line in @err when it could not be run. No child is left. */
MUST_CHECK int bench_child_run(const struct bench_command *command, struct bench_child *child, struct error *err);

#endif
