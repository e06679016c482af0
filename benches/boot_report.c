/* SPDX-License-Identifier: Apache-2.0 */
#include "boot_report.h"

#include <stdlib.h>
#include <string.h>

#include "bench_report.h"

#define LISTED 12

/* The first two marks are times of ours; the others are the first line of the kernel's log that contains the text. */
enum { MARK_FIRST_INSTRUCTION, MARK_FIRST_LINES };

static const struct {
	const char *label, *needle;
} milestones[] = {
	[MARK_FIRST_INSTRUCTION] = {"first instruction (vmm's events)", NULL},
	{"kernel's clock starts", "kvm-clock: using sched offset"},
	{"memory map read", "Zone ranges:"},
	{"memory initialised", "Memory: "},
	{"console up", "console [ttyS0] enabled"},
	{"secondary CPUs", "smp: Bringing up secondary CPUs"},
	{"drivers begin", "devtmpfs: initialized"},
	{"clock source chosen", "Switched to clocksource"},
	{"network stack", "NET: Registered PF_INET protocol family"},
	{"initramfs unpacking", "Unpacking initramfs"},
	{"serial driver", "Serial: 8250/16550 driver"},
	{"last initcalls done", "sched_clock: Marking stable"},
	{"init memory freed", "Freeing unused kernel image (initmem)"},
	{"/init", BOOT_INIT_LINE},
};

_Static_assert(ARRAY_SIZE(milestones) <= BOOT_MARKS, "a boot_run has room for every milestone");

static void describe_failure(struct boot_run *run, const struct boot_log *log, const struct bench_child *child)
{
	double stamp = boot_log_last_stamp(log);
	double last = log->count ? log->lines[log->count - 1].arrived : 0;
	char where[64] = "before its first line";

	if (stamp >= 0)
		snprintf(where, sizeof(where), "at kernel time %.3f (last line after %.1f s)", stamp, last);
	if (log->has_failed)
		snprintf(run->outcome, sizeof(run->outcome), "%s %s, RIP %s, bytes %s", log->failure, where, log->rip,
			 log->code);
	else if (child->timed_out)
		snprintf(run->outcome, sizeof(run->outcome), "time-out %s", where);
	else
		snprintf(run->outcome, sizeof(run->outcome), "ended with status %d %s: %s", child->status, where,
			 child->last_error);
}

void boot_report_reduce(struct boot_run *run, const struct boot_log *log, const struct bench_child *child, int expected)
{
	run->init = boot_log_find(log, BOOT_INIT_LINE);
	run->reached = run->init >= 0;
	for (size_t i = 0; i < ARRAY_SIZE(milestones); i++)
		run->marks[i] =
			milestones[i].needle ? boot_log_find(log, milestones[i].needle) : log->first_instruction;
	if (!run->reached)
		describe_failure(run, log, child);
	else if (child->status == expected)
		snprintf(run->outcome, sizeof(run->outcome), "/init after %.2f s, guest ended after %.2f s", run->init,
			 (double)child->wall_ns / 1e9);
	else
		snprintf(run->outcome, sizeof(run->outcome), "/init after %.2f s, but then %s %d (not %d): %s",
			 run->init, child->timed_out ? "time-out, status" : "status", child->status, expected,
			 child->last_error);
}

size_t boot_report_collect(const struct boot_case *c, size_t rounds, double *values)
{
	size_t count = 0;

	for (size_t round = 0; round < rounds; round++)
		if (c->runs[round].reached)
			values[count++] = c->runs[round].init;
	return count;
}

void boot_report_times(struct bench *bench, const struct boot_case *cases, size_t nr_cases, size_t rounds)
{
	struct bench_table *table = bench_alloc(1, sizeof(*table));
	double *values = bench_alloc(rounds, sizeof(*values));

	bench_report_head_summary(table, "start to /init", "s");
	for (size_t i = 0; i < nr_cases; i++) {
		struct bench_summary summary = bench_summarise(values, boot_report_collect(&cases[i], rounds, values));

		bench_report_add_summary(table, cases[i].label, &summary, 2);
	}
	bench_say(bench, "\n");
	bench_report_print(bench, table);
	free(values);
	free(table);
}

/* The median of milestone @mark over the rounds that have it, or BOOT_UNKNOWN. */
static double find_mark(const struct boot_case *c, size_t rounds, size_t mark, double *scratch)
{
	size_t count = 0;

	for (size_t round = 0; round < rounds; round++)
		if (c->runs[round].marks[mark] >= 0)
			scratch[count++] = c->runs[round].marks[mark];
	return count ? bench_summarise(scratch, count).median : BOOT_UNKNOWN;
}

void boot_report_milestones(struct bench *bench, const struct boot_case *cases, size_t nr_cases, size_t rounds)
{
	struct bench_table *table = bench_alloc(1, sizeof(*table));
	double *scratch = bench_alloc(rounds, sizeof(*scratch));
	double *previous = bench_alloc(nr_cases, sizeof(*previous));

	bench_report_cell(table, "milestone, s since start (median)");
	for (size_t i = 0; i < nr_cases; i++) {
		bench_report_cell(table, "%s", cases[i].label);
		bench_report_cell(table, "took");
	}
	bench_report_end_row(table);
	for (size_t mark = 0; mark < ARRAY_SIZE(milestones); mark++) {
		bench_report_cell(table, "%s", milestones[mark].label);
		for (size_t i = 0; i < nr_cases; i++) {
			double at = find_mark(&cases[i], rounds, mark, scratch);

			bench_report_cell(table, at < 0 ? "-" : "%.3f", at);
			bench_report_cell(table, at < 0 ? "" : "%.3f", at - previous[i]);
			previous[i] = at < 0 ? previous[i] : at;
		}
		bench_report_end_row(table);
	}
	bench_say(bench, "\n");
	bench_report_print(bench, table);
	free(previous);
	free(scratch);
	free(table);
}

void boot_report_gaps(struct bench *bench, const char *label, const struct boot_log *log)
{
	struct boot_entry entries[LISTED];
	size_t count = boot_log_gaps(log, entries, LISTED);

	bench_say(bench, "\nlongest silences of %s in the last round, and the line that ended each:\n", label);
	for (size_t i = 0; i < count; i++)
		bench_say(bench, "  %7.3f s, to %7.3f s: %.90s\n", entries[i].seconds, log->lines[entries[i].line].at,
			  log->lines[entries[i].line].text);
}

void boot_report_initcalls(struct bench *bench, const struct boot_log *log)
{
	struct boot_entry entries[LISTED];
	size_t count = boot_log_initcalls(log, entries, LISTED);

	bench_say(bench,
		  "\nslowest initcalls, from one more boot with initcall_debug (its own lines cost time too):\n");
	if (count == 0)
		bench_say(bench, "  none were told\n");
	for (size_t i = 0; i < count; i++) {
		const char *name = log->lines[entries[i].line].text + strlen("initcall ");

		bench_say(bench, "  %9.1f ms  %.*s\n", entries[i].seconds * 1e3, (int)strcspn(name, "+ "), name);
	}
}
