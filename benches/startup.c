/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What does a machine cost? The whole process, from fork to its end, with a guest that ends at once: vmm against QEMU's
 * microvm with the same guest file, taken in pairs.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bench_child.h"
#include "bench_report.h"
#include "bench_svg.h"

#define NAME	     "startup"
#define MAX_PAIRS    100000
#define MAX_ARGV     40
#define MAX_CASES    2
#define GUEST_STATUS 42			    /* guest/minimal.S */
#define QEMU_STATUS  (GUEST_STATUS * 2 + 1) /* isa-debug-exit: (value << 1) | 1 */
#define RUN_TIMEOUT  10000000000ULL
#define WALL_GOAL    0.1 /* of QEMU's wall time */
#define RSS_GOAL     4.0 /* MiB */

/* The leanest line QEMU has for this guest: no chip, no firmware table and no option ROM that it does not need. */
#define QEMU_MACHINE "microvm,x-option-roms=off,pit=off,pic=off,rtc=off,isa-serial=off,acpi=off,auto-kernel-cmdline=off"

struct options {
	const char *vmm, *qemu, *guest, *mem, *out;
	size_t pairs;
	bool with_qemu, breakdown;
};

struct contender {
	const char *label;
	const char *argv[MAX_ARGV];
	int expected;
	double *wall_ms, *rss_mib;
};

static const char usage[] =
	"Usage: startup [options]\n\n"
	"Runs vmm and QEMU in turn with a guest that ends at once; reports wall time and peak memory.\n\n"
	"  --pairs N      runs of each (default 31)\n"
	"  --mem SIZE     guest memory (default 128M)\n"
	"  --no-qemu      vmm alone\n"
	"  --breakdown    then shows where vmm's time goes, from its --events\n"
	"  --vmm FILE, --qemu FILE, --guest FILE   other programs, another guest that writes 42 to port 0xf4\n"
	"  --out DIR      where the results go (default: results in the build folder)\n";

static void parse_options(struct options *options, int argc, char *argv[])
{
	static const struct option known[] = {
		{"pairs", required_argument, NULL, 'p'}, {"mem", required_argument, NULL, 'm'},
		{"no-qemu", no_argument, NULL, 'n'},	 {"breakdown", no_argument, NULL, 'b'},
		{"vmm", required_argument, NULL, 'v'},	 {"qemu", required_argument, NULL, 'q'},
		{"guest", required_argument, NULL, 'g'}, {"out", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},	 {NULL, 0, NULL, 0},
	};
	int letter;

	*options = (struct options){.vmm = BENCH_VMM,
				    .qemu = "qemu-system-x86_64",
				    .guest = BENCH_GUEST,
				    .mem = "128M",
				    .out = BENCH_RESULTS,
				    .pairs = 31,
				    .with_qemu = true};
	while ((letter = getopt_long(argc, argv, "h", known, NULL)) >= 0) {
		switch (letter) {
		case 'p':
			options->pairs = (size_t)bench_parse_count(NAME, "pairs", optarg, MAX_PAIRS);
			break;
		case 'm':
			options->mem = optarg;
			break;
		case 'n':
			options->with_qemu = false;
			break;
		case 'b':
			options->breakdown = true;
			break;
		case 'v':
			options->vmm = optarg;
			break;
		case 'q':
			options->qemu = optarg;
			break;
		case 'g':
			options->guest = optarg;
			break;
		case 'o':
			options->out = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		default:
			exit(EXIT_FAILURE);
		}
	}
	if (optind < argc)
		bench_fail(NAME, "%s: unknown argument; see --help", argv[optind]);
}

static void prepare(struct contender *contenders, const struct options *o)
{
	const char *vmm[] = {o->vmm, "run", o->guest, "--mem", o->mem, NULL};
	const char *qemu[] = {o->qemu,	     "-M",
			      QEMU_MACHINE,  "-enable-kvm",
			      "-cpu",	     "host",
			      "-m",	     o->mem,
			      "-nodefaults", "-no-user-config",
			      "-nographic",  "-serial",
			      "none",	     "-monitor",
			      "none",	     "-no-reboot",
			      "-device",     "isa-debug-exit,iobase=0xf4,iosize=4",
			      "-kernel",     o->guest,
			      NULL};

	contenders[0] = (struct contender){.label = "vmm", .expected = GUEST_STATUS};
	contenders[1] = (struct contender){.label = "qemu microvm", .expected = QEMU_STATUS};
	memcpy(contenders[0].argv, vmm, sizeof(vmm));
	memcpy(contenders[1].argv, qemu, sizeof(qemu));
	for (size_t i = 0; i < MAX_CASES; i++) {
		contenders[i].wall_ms = bench_alloc(o->pairs, sizeof(double));
		contenders[i].rss_mib = bench_alloc(o->pairs, sizeof(double));
	}
}

/* A run that did not reach the guest's exit is no measurement: it ends the bench. */
static void run_once(const struct contender *contender, struct bench_child *child)
{
	const struct bench_command command = {.argv = contender->argv, .timeout_ns = RUN_TIMEOUT};
	struct error err;

	if (bench_child_run(&command, child, &err))
		bench_fail(NAME, "%s", err.text);
	if (child->timed_out)
		bench_fail(NAME, "%s did not end in time: %s", contender->label, child->last_error);
	if (child->status != contender->expected)
		bench_fail(NAME, "%s ended with status %d, not %d: %s", contender->label, child->status,
			   contender->expected, child->last_error);
}

/* Returns the largest floor of ru_maxrss that was seen, in MiB. */
static double measure(struct bench *bench, struct contender *contenders, size_t cases, const struct options *o)
{
	struct bench_child child;
	double floor_mib = 0;

	for (size_t i = 0; i < cases; i++) /* to have the files in memory */
		run_once(&contenders[i], &child);
	for (size_t pair = 0; pair < o->pairs; pair++) {
		for (size_t position = 0; position < cases; position++) {
			struct contender *c = &contenders[bench_stats_turn(pair, position, cases)];

			run_once(c, &child);
			c->wall_ms[pair] = (double)child.wall_ns / 1e6;
			c->rss_mib[pair] = (double)child.peak_rss_kib / 1024;
			floor_mib = (double)child.floor_rss_kib / 1024 > floor_mib ? (double)child.floor_rss_kib / 1024
										   : floor_mib;
			bench_record(bench, pair, position, c->label, "wall", c->wall_ms[pair], "ms");
			bench_record(bench, pair, position, c->label, "cpu", (double)child.cpu_ns / 1e6, "ms");
			bench_record(bench, pair, position, c->label, "peak-rss", c->rss_mib[pair], "MiB");
			bench_progress(bench, "[%zu/%zu] %s %.1f ms", pair + 1, o->pairs, c->label, c->wall_ms[pair]);
		}
	}
	return floor_mib;
}

static void report_goals(struct bench *bench, const struct contender *contenders, size_t cases, size_t pairs)
{
	double rss = bench_summarise(contenders[0].rss_mib, pairs).median;

	if (cases == 2) {
		struct bench_ratio wall = bench_say_ratio(bench, "wall time, vmm / qemu", contenders[0].wall_ms,
							  contenders[1].wall_ms, pairs);

		bench_say_ratio(bench, "peak RSS, vmm / qemu", contenders[0].rss_mib, contenders[1].rss_mib, pairs);
		bench_say(bench, "goal: at most %.2f of QEMU's wall time: %s\n", WALL_GOAL,
			  wall.paired.median <= WALL_GOAL ? "met" : "missed");
	}
	bench_say(bench, "goal: at most %.0f MiB peak RSS beyond guest pages: %s (%.2f MiB in all)\n", RSS_GOAL,
		  rss <= RSS_GOAL ? "met" : "missed, unless guest pages are the rest", rss);
}

static void report(struct bench *bench, const struct contender *contenders, size_t cases, const struct options *o,
		   double floor_mib)
{
	struct bench_table *table = bench_alloc(2, sizeof(*table));

	bench_report_head_summary(&table[0], "wall time", "ms");
	bench_report_head_summary(&table[1], "peak RSS", "MiB");
	for (size_t i = 0; i < cases; i++) {
		struct bench_summary wall = bench_summarise(contenders[i].wall_ms, o->pairs);
		struct bench_summary rss = bench_summarise(contenders[i].rss_mib, o->pairs);

		bench_report_add_summary(&table[0], contenders[i].label, &wall, 2);
		bench_report_add_summary(&table[1], contenders[i].label, &rss, 2);
	}
	bench_say(bench, "\n");
	bench_report_print(bench, &table[0]);
	bench_say(bench, "\n");
	bench_report_print(bench, &table[1]);
	bench_say(bench,
		  "\nPeak RSS is ru_maxrss: all of the process, with the few guest pages that the loader and this "
		  "guest touch.\n"
		  "The kernel counts in it what the child was before exec (%.2f MiB here): a lower peak could not be "
		  "seen.\n\n",
		  floor_mib);
	report_goals(bench, contenders, cases, o->pairs);
	free(table);
}

static void draw(const struct bench *bench, const struct contender *contenders, size_t cases, const struct options *o)
{
	struct bench_svg_row rows[MAX_CASES];
	char subtitle[256];

	for (size_t i = 0; i < cases; i++)
		rows[i] = (struct bench_svg_row){
			.label = contenders[i].label, .values = contenders[i].wall_ms, .count = o->pairs};
	snprintf(subtitle, sizeof(subtitle),
		 "PVH guest that ends at once, %s; %zu runs of each, in turn; stroke and figure: median", o->mem,
		 o->pairs);
	bench_svg_write(bench, &(struct bench_svg){.title = "Start-up: the whole process",
						   .subtitle = subtitle,
						   .unit = "wall time, ms",
						   .rows = rows,
						   .nr_rows = cases});
}

/* ---- the breakdown */

enum phase { PHASE_PROCESS, PHASE_BUILD, PHASE_ENTER, PHASE_GUEST, PHASE_TEARDOWN, PHASES };

static const char *const phase_names[PHASES] = {
	[PHASE_PROCESS] = "process alone: vmm --version", [PHASE_BUILD] = "main to machine built",
	[PHASE_ENTER] = "to the first instruction",	  [PHASE_GUEST] = "guest until its exit is known",
	[PHASE_TEARDOWN] = "teardown: all the rest",
};

/* Seconds since main, as vmm tells them. */
struct events {
	double started, first, exit;
};

static bool take_event(void *arg, enum bench_stream stream, const char *line, uint64_t at_ns)
{
	struct events *events = arg;
	const char *t = strstr(line, "\"t\":");
	double seconds = t ? strtod(t + strlen("\"t\":"), NULL) : 0;

	(void)at_ns;
	if (stream != BENCH_EVENTS)
		return true;
	if (strstr(line, "\"event\":\"started\""))
		events->started = seconds;
	else if (strstr(line, "\"event\":\"first-instruction\""))
		events->first = seconds;
	else if (strstr(line, "\"event\":\"exit\""))
		events->exit = seconds;
	return true;
}

/* The process without a machine: what fork, exec, the loader and the end of a process cost. */
static double time_process(const struct contender *vmm)
{
	const char *argv[] = {vmm->argv[0], "--version", NULL};
	const struct bench_command command = {.argv = argv, .timeout_ns = RUN_TIMEOUT};
	struct bench_child child;
	struct error err;

	if (bench_child_run(&command, &child, &err))
		bench_fail(NAME, "%s", err.text);
	return (double)child.wall_ns / 1e6;
}

static void time_phases(const struct contender *vmm, double ms[PHASES])
{
	struct events events = {0};
	struct bench_command command = {
		.timeout_ns = RUN_TIMEOUT, .wants_events = true, .on_line = take_event, .arg = &events};
	const char *argv[MAX_ARGV + 2];
	struct bench_child child;
	struct error err;
	size_t words = 0;

	while (vmm->argv[words]) {
		argv[words] = vmm->argv[words];
		words++;
	}
	argv[words++] = "--events";
	argv[words++] = BENCH_EVENTS_TARGET;
	argv[words] = NULL;
	command.argv = argv;
	if (bench_child_run(&command, &child, &err))
		bench_fail(NAME, "%s", err.text);
	if (child.status != vmm->expected || events.exit <= 0)
		bench_fail(NAME, "vmm with --events ended with status %d: %s", child.status, child.last_error);
	ms[PHASE_PROCESS] = time_process(vmm);
	ms[PHASE_BUILD] = events.started * 1e3;
	ms[PHASE_ENTER] = (events.first - events.started) * 1e3;
	ms[PHASE_GUEST] = (events.exit - events.first) * 1e3;
	ms[PHASE_TEARDOWN] = (double)child.wall_ns / 1e6 - events.exit * 1e3; /* and the process alone: break_down */
}

static void break_down(struct bench *bench, const struct contender *vmm, const struct options *o)
{
	struct bench_table *table = bench_alloc(1, sizeof(*table));
	double *values[PHASES], process;

	for (size_t phase = 0; phase < PHASES; phase++)
		values[phase] = bench_alloc(o->pairs, sizeof(double));
	for (size_t run = 0; run < o->pairs; run++) {
		double ms[PHASES];

		time_phases(vmm, ms);
		bench_progress(bench, "[%zu/%zu] breakdown", run + 1, o->pairs);
		for (size_t phase = 0; phase < PHASES; phase++)
			values[phase][run] = ms[phase];
	}
	process = bench_summarise(values[PHASE_PROCESS], o->pairs).median;
	for (size_t run = 0; run < o->pairs; run++) {
		values[PHASE_TEARDOWN][run] -= process;
		for (size_t phase = 0; phase < PHASES; phase++)
			bench_record(bench, run, phase, "vmm breakdown", phase_names[phase], values[phase][run], "ms");
	}
	bench_report_head_summary(table, "where vmm's time goes", "ms");
	for (size_t phase = 0; phase < PHASES; phase++) {
		struct bench_summary summary = bench_summarise(values[phase], o->pairs);

		bench_report_add_summary(table, phase_names[phase], &summary, 3);
		free(values[phase]);
	}
	bench_say(bench, "\n");
	bench_report_print(bench, table);
	bench_say(bench, "\n");
	free(table);
}

int main(int argc, char *argv[])
{
	struct contender contenders[MAX_CASES];
	struct options options;
	struct bench bench;
	double floor_mib;
	size_t cases;

	parse_options(&options, argc, argv);
	bench_need_kvm(NAME);
	bench_init(&bench, NAME, options.out);
	prepare(contenders, &options);
	cases = options.with_qemu ? 2 : 1;
	bench_say(&bench,
		  "startup: whole process, PVH guest that ends at once, %s, %zu runs of each, order swapped every "
		  "second pair\n",
		  options.mem, options.pairs);
	bench_say_host(&bench);
	for (size_t i = 0; i < cases; i++)
		bench_say_command(&bench, contenders[i].label, contenders[i].argv);
	floor_mib = measure(&bench, contenders, cases, &options);
	report(&bench, contenders, cases, &options, floor_mib);
	if (options.breakdown)
		break_down(&bench, &contenders[0], &options);
	draw(&bench, contenders, cases, &options);
	bench_fini(&bench);
	for (size_t i = 0; i < MAX_CASES; i++) {
		free(contenders[i].wall_ms);
		free(contenders[i].rss_mib);
	}
	return EXIT_SUCCESS;
}
