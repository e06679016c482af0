/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long does Linux need from exec to /init, and where does the time go? The same kernel, initramfs and command line
 * under vmm (vmlinux, bzImage) and QEMU's microvm (vmlinux), in turn. /init is reached when the kernel's line about it
 * arrives.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "bench.h"
#include "bench_child.h"
#include "bench_svg.h"
#include "boot_images.h"
#include "boot_log.h"
#include "boot_report.h"

#define NAME		"linux-boot"
#define MAX_ROUNDS	1000
#define MAX_ARGV	40
#define CMDLINE_SIZE	2048
#define CMDLINE		"console=ttyS0 reboot=t panic=-1"
#define EMULATED_APPEND "clearcpuid=297,580" /* no ERMS, no FSRM: an emulated kernel copies words, not bytes */
#define INITCALL_APPEND "initcall_debug ignore_loglevel"
#define GOAL		25.0 /* seconds to /init */
#define VMM_STATUS	0
#define QEMU_STATUS	1 /* isa-debug-exit: (0 << 1) | 1 */

enum { CASE_VMLINUX, CASE_BZIMAGE, CASE_QEMU, CASES };

struct options {
	const char *vmm, *qemu, *mem, *cpus, *append, *out;
	struct boot_images images;
	uint64_t timeout_ns;
	size_t rounds;
	bool with_qemu, with_initcalls;
};

struct contender {
	const char *argv[MAX_ARGV];
	int expected;
};

static const char usage[] =
	"Usage: linux-boot [options]\n\n"
	"Boots the same kernel to /init under vmm (vmlinux, bzImage) and QEMU (vmlinux), in turn.\n\n"
	"  --rounds N       boots of each (default 3)\n"
	"  --vmlinux FILE, --bzimage FILE, --initrd FILE   default: what scripts/build-guest-* make\n"
	"  --append STR     adds to everyone's command line\n"
	"  --mem SIZE, --cpus N   the machine (default 256M, 1)\n"
	"  --timeout DUR    ends a boot (default 120s)\n"
	"  --no-qemu        vmm alone\n"
	"  --no-initcalls   without the extra boot that times the initcalls\n"
	"  --vmm FILE, --qemu FILE   other programs\n"
	"  --out DIR        where the results go (default: results in the build folder)\n";

static const struct option known_options[] = {
	{"rounds", required_argument, NULL, 'r'},
	{"vmlinux", required_argument, NULL, 'k'},
	{"bzimage", required_argument, NULL, 'z'},
	{"initrd", required_argument, NULL, 'i'},
	{"append", required_argument, NULL, 'a'},
	{"mem", required_argument, NULL, 'm'},
	{"cpus", required_argument, NULL, 'c'},
	{"timeout", required_argument, NULL, 't'},
	{"no-qemu", no_argument, NULL, 'n'},
	{"no-initcalls", no_argument, NULL, 'x'},
	{"vmm", required_argument, NULL, 'v'},
	{"qemu", required_argument, NULL, 'q'},
	{"out", required_argument, NULL, 'o'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void set_path(char *path, const char *value)
{
	snprintf(path, BENCH_PATH_SIZE, "%s", value);
}

static void take_option(struct options *o, int letter, const char *value)
{
	switch (letter) {
	case 'r':
		o->rounds = (size_t)bench_parse_count(NAME, "rounds", value, MAX_ROUNDS);
		break;
	case 'k':
		set_path(o->images.vmlinux, value);
		break;
	case 'z':
		set_path(o->images.bzimage, value);
		break;
	case 'i':
		set_path(o->images.initrd, value);
		break;
	case 'a':
		o->append = value;
		break;
	case 'm':
		o->mem = value;
		break;
	case 'c':
		o->cpus = value;
		break;
	case 't':
		if (parse_duration(value, &o->timeout_ns) || o->timeout_ns == 0)
			bench_fail(NAME, "--timeout %s: give a duration such as 90s or 2m", value);
		break;
	case 'n':
		o->with_qemu = false;
		break;
	case 'x':
		o->with_initcalls = false;
		break;
	case 'v':
		o->vmm = value;
		break;
	case 'q':
		o->qemu = value;
		break;
	case 'o':
		o->out = value;
		break;
	case 'h':
		fputs(usage, stdout);
		exit(EXIT_SUCCESS);
	default:
		exit(EXIT_FAILURE);
	}
}

static void parse_options(struct options *o, int argc, char *argv[])
{
	int letter;

	*o = (struct options){.vmm = BENCH_VMM,
			      .qemu = "qemu-system-x86_64",
			      .mem = "256M",
			      .cpus = "1",
			      .append = "",
			      .out = BENCH_RESULTS,
			      .timeout_ns = 120000000000ULL,
			      .rounds = 3,
			      .with_qemu = true,
			      .with_initcalls = true};
	while ((letter = getopt_long(argc, argv, "h", known_options, NULL)) >= 0)
		take_option(o, letter, optarg);
	if (optind < argc)
		bench_fail(NAME, "%s: unknown argument; see --help", argv[optind]);
}

/* Everyone's command line. */
static void compose_cmdline(char *cmdline, const struct options *o, const char *more)
{
	const char *const parts[] = {bench_host_has_virtualization() ? "" : EMULATED_APPEND, o->append, more};
	size_t len = (size_t)snprintf(cmdline, CMDLINE_SIZE, CMDLINE);

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (*parts[i] && len < CMDLINE_SIZE)
			len += (size_t)snprintf(cmdline + len, CMDLINE_SIZE - len, " %s", parts[i]);
	if (len >= CMDLINE_SIZE)
		bench_fail(NAME, "--append: the command line is longer than %d bytes", CMDLINE_SIZE - 1);
}

static void prepare_vmm(struct contender *c, const struct options *o, const char *kernel, const char *cmdline)
{
	const char *argv[] = {o->vmm,
			      "run",
			      kernel,
			      "--mem",
			      o->mem,
			      "--cpus",
			      o->cpus,
			      "--initrd",
			      o->images.initrd,
			      "--cmdline",
			      cmdline,
			      "--events",
			      BENCH_EVENTS_TARGET,
			      "--stats",
			      NULL};

	c->expected = VMM_STATUS;
	memcpy(c->argv, argv, sizeof(argv));
}

static void prepare_qemu(struct contender *c, const struct options *o, const char *cmdline)
{
	const char *argv[] = {o->qemu,
			      "-M",
			      "microvm,x-option-roms=off,rtc=off,auto-kernel-cmdline=off",
			      "-enable-kvm",
			      "-cpu",
			      "host",
			      "-m",
			      o->mem,
			      "-smp",
			      o->cpus,
			      "-nodefaults",
			      "-no-user-config",
			      "-display",
			      "none",
			      "-serial",
			      "stdio",
			      "-monitor",
			      "none",
			      "-no-reboot",
			      "-device",
			      "isa-debug-exit,iobase=0xf4,iosize=4",
			      "-kernel",
			      o->images.vmlinux,
			      "-initrd",
			      o->images.initrd,
			      "-append",
			      cmdline,
			      NULL};

	c->expected = QEMU_STATUS;
	memcpy(c->argv, argv, sizeof(argv));
}

static void boot(const struct contender *c, const struct options *o, struct boot_log *log, struct bench_child *child)
{
	const struct bench_command command = {.argv = c->argv,
					      .timeout_ns = o->timeout_ns,
					      .wants_stdout = true,
					      .wants_events = true,
					      .on_line = boot_log_take,
					      .arg = log};
	struct error err;

	boot_log_reset(log);
	if (bench_child_run(&command, child, &err))
		bench_fail(NAME, "%s", err.text);
	boot_log_finish(log, child);
}

/* @logs: the last log of each case stays there. */
static void measure(struct bench *bench, const struct contender *contenders, struct boot_case *cases, size_t nr_cases,
		    const struct options *o, struct boot_log *logs)
{
	struct bench_child child;

	bench_say(bench, "\n");
	for (size_t round = 0; round < o->rounds; round++) {
		for (size_t position = 0; position < nr_cases; position++) {
			size_t i = bench_stats_turn(round, position, nr_cases);
			struct boot_run *run = &cases[i].runs[round];

			bench_progress(bench, "[%zu/%zu] %s ...", round + 1, o->rounds, cases[i].label);
			boot(&contenders[i], o, &logs[i], &child);
			boot_report_reduce(run, &logs[i], &child, contenders[i].expected, o->images.vmlinux);
			bench_say(bench, "round %zu: %s: %s\n", round + 1, cases[i].label, run->outcome);
			if (run->reached)
				bench_record(bench, round, position, cases[i].label, "init", run->init, "s");
			if (logs[i].first_byte >= 0)
				bench_record(bench, round, position, cases[i].label, "first-console-byte",
					     logs[i].first_byte, "s");
			bench_record(bench, round, position, cases[i].label, "wall", (double)child.wall_ns / 1e9, "s");
			bench_record(bench, round, position, cases[i].label, "cpu", (double)child.cpu_ns / 1e9, "s");
			bench_record(bench, round, position, cases[i].label, "peak-rss",
				     (double)child.peak_rss_kib / 1024, "MiB");
		}
	}
}

/* A ratio only of runs that all reached /init. */
static void compare(struct bench *bench, const char *label, const struct boot_case *a, const struct boot_case *b,
		    size_t rounds)
{
	double *values = bench_alloc(2 * rounds, sizeof(*values));
	size_t of_a = boot_report_collect(a, rounds, values);
	size_t of_b = boot_report_collect(b, rounds, values + rounds);

	if (of_a == rounds && of_b == rounds)
		bench_say_ratio(bench, label, values, values + rounds, rounds);
	else
		bench_say(bench, "%s: no ratio: /init was reached in %zu and %zu of %zu boots\n", label, of_a, of_b,
			  rounds);
	free(values);
}

/* Returns whether every boot of vmm reached /init. */
static bool report(struct bench *bench, const struct boot_case *cases, size_t nr_cases, const struct options *o,
		   const struct boot_log *logs)
{
	double *values = bench_alloc(o->rounds, sizeof(*values));
	bool complete = true;

	boot_report_times(bench, cases, nr_cases, o->rounds);
	bench_say(bench, "\n");
	compare(bench, "bzImage / vmlinux, both vmm", &cases[CASE_BZIMAGE], &cases[CASE_VMLINUX], o->rounds);
	if (o->with_qemu)
		compare(bench, "vmm / qemu, both vmlinux", &cases[CASE_VMLINUX], &cases[CASE_QEMU], o->rounds);
	for (size_t i = CASE_VMLINUX; i <= CASE_BZIMAGE; i++) {
		size_t count = boot_report_collect(&cases[i], o->rounds, values);
		double median = bench_summarise(values, count).median;

		complete = complete && count == o->rounds;
		bench_say(bench, "goal: %s reaches /init each time, below %.0f s: %s\n", cases[i].label, GOAL,
			  count == o->rounds && median < GOAL ? "met" : "missed");
	}
	free(values);
	boot_report_milestones(bench, cases, nr_cases, o->rounds);
	boot_report_gaps(bench, cases[CASE_VMLINUX].label, &logs[CASE_VMLINUX]);
	bench_say(bench, "\ncounts of %s in the last round, from --stats:\n", cases[CASE_VMLINUX].label);
	for (size_t i = 0; i < logs[CASE_VMLINUX].nr_notes; i++)
		bench_say(bench, "  %s\n", logs[CASE_VMLINUX].notes[i]);
	return complete;
}

static void time_initcalls(struct bench *bench, const struct options *o, struct boot_log *log)
{
	char cmdline[CMDLINE_SIZE];
	struct contender contender;
	struct bench_child child;

	compose_cmdline(cmdline, o, INITCALL_APPEND);
	prepare_vmm(&contender, o, o->images.vmlinux, cmdline);
	bench_progress(bench, "one more boot, with initcall_debug ...");
	boot(&contender, o, log, &child);
	boot_report_initcalls(bench, log, o->images.vmlinux);
}

static void draw(const struct bench *bench, const struct boot_case *cases, size_t nr_cases, const struct options *o)
{
	struct bench_svg_row rows[CASES];
	char subtitle[256];

	for (size_t i = 0; i < nr_cases; i++) {
		double *values = bench_alloc(o->rounds, sizeof(*values));
		char *note = cases[i].runs[o->rounds - 1].outcome;

		note[strcspn(note, ";")] = '\0'; /* the address and bytes behind it are for the text */
		rows[i] = (struct bench_svg_row){.label = cases[i].label,
						 .values = values,
						 .count = boot_report_collect(&cases[i], o->rounds, values),
						 .note = note};
	}
	snprintf(subtitle, sizeof(subtitle),
		 "the same kernel, initramfs and command line; %s, %s CPU; %zu boots of each, in turn", o->mem, o->cpus,
		 o->rounds);
	bench_svg_write(bench, &(struct bench_svg){.title = "Linux: process start to /init",
						   .subtitle = subtitle,
						   .unit = "seconds to \"" BOOT_INIT_LINE "\"",
						   .rows = rows,
						   .nr_rows = nr_cases});
	for (size_t i = 0; i < nr_cases; i++)
		free((double *)(uintptr_t)rows[i].values);
}

static void introduce(struct bench *bench, const struct contender *contenders, const struct boot_case *cases,
		      size_t nr_cases, const struct options *o)
{
	bench_say(bench,
		  "linux-boot: process start to /init, %s, %s CPU, %zu boots of each, in turn, order reversed every "
		  "second round\n",
		  o->mem, o->cpus, o->rounds);
	bench_say_host(bench);
	if (!bench_host_has_virtualization())
		bench_say(bench, "so every command line has %s (the kernel then copies words, not bytes)\n",
			  EMULATED_APPEND);
	for (size_t i = 0; i < nr_cases; i++)
		bench_say_command(bench, cases[i].label, contenders[i].argv);
}

int main(int argc, char *argv[])
{
	struct boot_case cases[CASES] = {{.label = "vmm vmlinux"}, {.label = "vmm bzImage"}, {.label = "qemu vmlinux"}};
	struct boot_log *logs = bench_alloc(CASES, sizeof(*logs));
	struct contender contenders[CASES];
	char cmdline[CMDLINE_SIZE];
	struct options options;
	struct bench bench;
	size_t nr_cases;
	bool complete;

	parse_options(&options, argc, argv);
	bench_need_kvm(NAME);
	bench_init(&bench, NAME, options.out);
	boot_images_find(&bench, &options.images);
	compose_cmdline(cmdline, &options, "");
	prepare_vmm(&contenders[CASE_VMLINUX], &options, options.images.vmlinux, cmdline);
	prepare_vmm(&contenders[CASE_BZIMAGE], &options, options.images.bzimage, cmdline);
	prepare_qemu(&contenders[CASE_QEMU], &options, cmdline);
	nr_cases = options.with_qemu ? CASES : CASE_QEMU;
	for (size_t i = 0; i < CASES; i++)
		cases[i].runs = bench_alloc(options.rounds, sizeof(*cases[i].runs));
	introduce(&bench, contenders, cases, nr_cases, &options);
	measure(&bench, contenders, cases, nr_cases, &options, logs);
	complete = report(&bench, cases, nr_cases, &options, logs);
	if (options.with_initcalls)
		time_initcalls(&bench, &options, &logs[CASE_VMLINUX]);
	draw(&bench, cases, nr_cases, &options);
	bench_say(&bench, "\n");
	bench_fini(&bench);
	for (size_t i = 0; i < CASES; i++)
		free(cases[i].runs);
	free(logs);
	return complete ? EXIT_SUCCESS : EXIT_FAILURE;
}
