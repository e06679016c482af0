/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of linux-boot: times to /init, milestones, silences, initcalls. */
#ifndef VMM_BENCH_BOOT_REPORT_H
#define VMM_BENCH_BOOT_REPORT_H

#include <stdbool.h>

#include "bench.h"
#include "boot_log.h"

#define BOOT_MARKS 16

/* One boot, reduced to what the tables need. */
struct boot_run {
	bool reached;
	double init;		  /* seconds from fork to the line BOOT_INIT_LINE */
	double marks[BOOT_MARKS]; /* seconds from fork, or BOOT_UNKNOWN */
	char outcome[2 * BENCH_TEXT_SIZE];
};

struct boot_case {
	const char *label;
	struct boot_run *runs; /* one a round */
};

/* Reduces @log; @expected is the status that a guest's clean end gives this program, @vmlinux the kernel that ran. */
void boot_report_reduce(struct boot_run *run, const struct boot_log *log, const struct bench_child *child, int expected,
			const char *vmlinux);

/* Time to /init of each case. */
void boot_report_times(struct bench *bench, const struct boot_case *cases, size_t nr_cases, size_t rounds);

/* Medians of the milestones of each case, and what each step took. */
void boot_report_milestones(struct bench *bench, const struct boot_case *cases, size_t nr_cases, size_t rounds);

void boot_report_gaps(struct bench *bench, const char *label, const struct boot_log *log);
void boot_report_initcalls(struct bench *bench, const struct boot_log *log, const char *vmlinux);

/* The times to /init of the runs that reached it, in @values, which has room for all; returns their number. */
size_t boot_report_collect(const struct boot_case *c, size_t rounds, double *values);

#endif
