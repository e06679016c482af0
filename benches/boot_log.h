/* SPDX-License-Identifier: Apache-2.0 */
/* What one boot said and when: console, --events and stderr, as lines with their time of arrival. */
#ifndef VMM_BENCH_BOOT_LOG_H
#define VMM_BENCH_BOOT_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "bench_child.h"

#define BOOT_MAX_LINES 8192
#define BOOT_LINE_SIZE 160
#define BOOT_NOTES     4
#define BOOT_INIT_LINE "Run /init as init process"
#define BOOT_UNKNOWN   (-1.0)

struct boot_line {
	double arrived;		   /* seconds since the start, when the bench read it */
	double stamp;		   /* the kernel's clock in brackets, or BOOT_UNKNOWN */
	double at;		   /* seconds since the start, when it was said (boot_log_finish) */
	char text[BOOT_LINE_SIZE]; /* behind the stamp */
};

struct boot_log {
	size_t count;
	struct boot_line lines[BOOT_MAX_LINES];
	double first_instruction; /* since main, by vmm's own clock; BOOT_UNKNOWN until known, as the next two */
	double main_at;		  /* the least difference between an event's arrival and its own time */
	double first_byte;	  /* of console output */
	bool has_failed;	  /* QEMU: KVM internal error */
	double failed_at;
	char failure[BENCH_TEXT_SIZE], rip[32], code[64];
	size_t nr_notes;
	char notes[BOOT_NOTES][BENCH_TEXT_SIZE]; /* vmm's --stats */
};

struct boot_entry {
	double seconds;
	size_t line; /* index into lines */
};

void boot_log_reset(struct boot_log *log);

/* bench_command.on_line with the log as its argument. False once KVM has failed: QEMU then stands still for ever. */
bool boot_log_take(void *log, enum bench_stream stream, const char *line, uint64_t at_ns);

/* After the end: places the lines that the console replayed when it came up at the time they were said. */
void boot_log_finish(struct boot_log *log, const struct bench_child *child);

/* When the first line that contains @needle was said, or BOOT_UNKNOWN. */
double boot_log_find(const struct boot_log *log, const char *needle);

/* The kernel's clock in the last line that has one, or BOOT_UNKNOWN. */
double boot_log_last_stamp(const struct boot_log *log);

/* The @max slowest initcalls, slowest first, each with the line that tells it; returns how many. Needs initcall_debug.
 */
size_t boot_log_initcalls(const struct boot_log *log, struct boot_entry *entries, size_t max);

/* The @max longest silences until /init, each with the line that ended it; returns how many. */
size_t boot_log_gaps(const struct boot_log *log, struct boot_entry *entries, size_t max);

#endif
