/* SPDX-License-Identifier: Apache-2.0 */
#include "boot_report.h"

#include <stdlib.h>
#include <string.h>

#include "bench_report.h"
#include "boot_symbols.h"

#define LISTED 12

enum source {
	FROM_LOG, /* the first line of the kernel's log that contains the needle */
	FROM_MAIN,
	FROM_ENTRY,
	FROM_BYTE,
};

static const struct {
	const char *label, *needle;
	enum source source;
} milestones[] = {
	{"main of vmm", NULL, FROM_MAIN},
	{"first instruction", NULL, FROM_ENTRY},
	{"kernel's clock starts", "kvm-clock: using sched offset", FROM_LOG},
	{"memory map read", "Zone ranges:", FROM_LOG},
	{"memory initialised", "Memory: ", FROM_LOG},
	{"first console byte", NULL, FROM_BYTE},
	{"console up", "console [ttyS0] enabled", FROM_LOG},
	{"secondary CPUs", "smp: Bringing up secondary CPUs", FROM_LOG},
	{"drivers begin", "devtmpfs: initialized", FROM_LOG},
	{"clock source chosen", "Switched to clocksource", FROM_LOG},
	{"network stack", "NET: Registered PF_INET protocol family", FROM_LOG},
	{"initramfs unpacking", "Unpacking initramfs", FROM_LOG},
	{"serial driver", "Serial: 8250/16550 driver", FROM_LOG},
	{"last initcalls done", "sched_clock: Marking stable", FROM_LOG},
	{"init memory freed", "Freeing unused kernel image (initmem)", FROM_LOG},
	{"/init", BOOT_INIT_LINE, FROM_LOG},
};

_Static_assert(ARRAY_SIZE(milestones) <= BOOT_MARKS, "a boot_run has room for every milestone");

static double find_milestone(const struct boot_log *log, size_t i)
{
	switch (milestones[i].source) {
	case FROM_MAIN:
		return log->main_at;
	case FROM_ENTRY:
		return log->first_instruction < 0 ? BOOT_UNKNOWN : log->main_at + log->first_instruction;
	case FROM_BYTE:
		return log->first_byte;
	default:
		return boot_log_find(log, milestones[i].needle);
	}
}

static void describe_failure(struct boot_run *run, const struct boot_log *log, const struct bench_child *child,
			     const char *vmlinux)
{
	double stamp = boot_log_last_stamp(log), wall = (double)child->wall_ns / 1e9;
	char where[64] = "before the kernel's first line", symbol[BENCH_TEXT_SIZE];

	if (stamp >= 0)
		snprintf(where, sizeof(where), "last kernel time %.3f", stamp);
	if (log->has_failed)
		snprintf(run->outcome, sizeof(run->outcome), "%s after %.2f s, %s; at %s: %s", log->failure,
			 log->failed_at, where, boot_symbols_name(vmlinux, log->rip, symbol, sizeof(symbol)),
			 log->code);
	else if (child->timed_out)
		snprintf(run->outcome, sizeof(run->outcome), "no /init until the time-out at %.0f s, %s", wall, where);
	else
		snprintf(run->outcome, sizeof(run->outcome), "ended with status %d after %.2f s, %s; %s", child->status,
			 wall, where, child->last_error);
}

void boot_report_reduce(struct boot_run *run, const struct boot_log *log, const struct bench_child *child, int expected,
			const char *vmlinux)
{
	double wall = (double)child->wall_ns / 1e9;

	run->init = boot_log_find(log, BOOT_INIT_LINE);
	run->reached = run->init >= 0;
	for (size_t i = 0; i < ARRAY_SIZE(milestones); i++)
		run->marks[i] = find_milestone(log, i);
	if (!run->reached)
		describe_failure(run, log, child, vmlinux);
	else if (child->status == expected)
		snprintf(run->outcome, sizeof(run->outcome), "/init after %.2f s, guest ended after %.2f s", run->init,
			 wall);
	else
		snprintf(run->outcome, sizeof(run->outcome), "/init after %.2f s, then %s after %.2f s (status %d): %s",
			 run->init, child->timed_out ? "the time-out" : "a bad end", wall, child->status,
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
			bench_report_cell(table, at < 0 ? "-" : "%.3f", at - previous[i]);
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

void boot_report_initcalls(struct bench *bench, const struct boot_log *log, const char *vmlinux)
{
	struct boot_entry entries[LISTED];
	char symbol[BENCH_TEXT_SIZE], word[BOOT_LINE_SIZE];
	size_t count = boot_log_initcalls(log, entries, LISTED);

	bench_say(bench,
		  "\nslowest initcalls, from one more boot with initcall_debug (its own lines cost time too):\n");
	if (count == 0)
		bench_say(bench, "  none were told\n");
	for (size_t i = 0; i < count; i++) {
		const char *name = log->lines[entries[i].line].text + strlen("initcall ");

		/* A kernel without KALLSYMS tells addresses. */
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(name, "+ "), name);
		bench_say(bench, "  %9.1f ms  %s\n", entries[i].seconds * 1e3,
			  strncmp(word, "0x", 2) ? word : boot_symbols_name(vmlinux, word, symbol, sizeof(symbol)));
	}
}
