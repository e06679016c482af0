/* SPDX-License-Identifier: Apache-2.0 */
/* What every bench does: options, where results go, progress on a terminal, facts about the host, tables and figures.
 */
#ifndef VMM_BENCH_H
#define VMM_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"
#include "bench_stats.h"

#define BENCH_EXIT_SKIP 77
#define BENCH_PATH_SIZE 4096

struct bench {
	const char *name;
	char out[BENCH_PATH_SIZE]; /* folder of the results */
	FILE *text;		   /* <out>/<name>.txt: all that bench_say printed */
	FILE *csv;		   /* <out>/<name>.csv: every raw number */
	bool progress;		   /* stderr is a terminal */
};

/* Makes the folder @out and opens the files in it. Ends the program with a line on stderr when it cannot. */
void bench_init(struct bench *bench, const char *name, const char *out);
void bench_fini(struct bench *bench);

/* Ends the program with status 1. For what a user of the bench can mend. */
_Noreturn void bench_fail(const char *name, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Ends the program when there is no usable /dev/kvm: skipped (77). */
void bench_need_kvm(const char *name);

/* To stdout and to the text file. */
void bench_say(struct bench *bench, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* One line that overwrites itself, on a terminal only; an empty @fmt clears it. */
void bench_progress(const struct bench *bench, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* CPU, kernel, load: what a figure means nothing without. */
void bench_say_host(struct bench *bench);

/* Whether the CPU shows VT-x or SVM. Without them KVM, if it is there, emulates supervisor code. */
bool bench_host_has_virtualization(void);

/* Prints a command as it could be pasted into a shell. */
void bench_say_command(struct bench *bench, const char *label, const char *const *argv);

/* One raw number. */
void bench_record(struct bench *bench, size_t round, size_t position, const char *what, const char *metric,
		  double value, const char *unit);

/* bench_stats_*, where a failure can only be memory. */
struct bench_summary bench_summarise(const double *values, size_t count);

/* Prints both ratios of two paired samples, "A / B wall time", and returns them. */
struct bench_ratio bench_say_ratio(struct bench *bench, const char *label, const double *a, const double *b,
				   size_t count);

/* A number of an option, from 1 to @max; ends the program when it is not. */
uint64_t bench_parse_count(const char *name, const char *option, const char *text, uint64_t max);

/* Zeroed memory; ends the program when there is none. */
void *bench_alloc(size_t count, size_t size);

#endif
