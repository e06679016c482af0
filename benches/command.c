/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What does it cost to run a command in the guest, beyond booting it? The same kernel with an init that ends the
 * machine at once, with a command that does nothing, and with the same command in the host's BusyBox as root file
 * system.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bench_child.h"
#include "bench_report.h"
#include "bench_svg.h"
#include "boot_images.h"

#define NAME	    "command"
#define MAX_ROUNDS  1000
#define CASES	    3
#define MAX_ARGV    16
#define RUN_TIMEOUT 300000000000ULL

struct options {
	const char *vmm, *out;
	size_t rounds;
	struct boot_images images;
};

struct contender {
	const char *label;
	const char *argv[MAX_ARGV];
	double *wall_s;
};

static const char usage[] =
	"Usage: command [options]\n\n"
	"Boots Linux with an init that ends at once, and with a command; reports wall time.\n\n"
	"  --rounds N     runs of each (default 5)\n"
	"  --vmm FILE, --kernel FILE, --initrd FILE   others than the project's\n"
	"  --out DIR      where the results go (default: results in the build folder)\n";

static void take_path(char path[BENCH_PATH_SIZE], const char *text)
{
	snprintf(path, BENCH_PATH_SIZE, "%s", text);
}

static void parse_options(struct options *options, int argc, char *argv[])
{
	static const struct option known[] = {
		{"rounds", required_argument, NULL, 'r'},
		{"vmm", required_argument, NULL, 'v'},
		{"kernel", required_argument, NULL, 'k'},
		{"initrd", required_argument, NULL, 'i'},
		{"out", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int letter;

	*options = (struct options){.vmm = BENCH_VMM, .out = BENCH_RESULTS, .rounds = 5};
	while ((letter = getopt_long(argc, argv, "h", known, NULL)) >= 0) {
		switch (letter) {
		case 'r':
			options->rounds = (size_t)bench_parse_count(NAME, "rounds", optarg, MAX_ROUNDS);
			break;
		case 'v':
			options->vmm = optarg;
			break;
		case 'k':
			take_path(options->images.bzimage, optarg);
			break;
		case 'i':
			take_path(options->images.initrd, optarg);
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

static void prepare(struct contender c[CASES], const struct options *o)
{
	/* On a host without VT-x or SVM the kernel copies eight bytes a step with it, one without. */
	const char *append = bench_host_has_virtualization() ? "loglevel=4" : "loglevel=4 clearcpuid=297,580";
	const char *kernel = o->images.bzimage;
	const char *plain[] = {o->vmm, "run", kernel, "--append", append, "--initrd", o->images.initrd, NULL};
	const char *command[] = {o->vmm,	 "run",	     kernel, "--append", append,
				 "--initrd-dir", BENCH_ROOT, "--",   "/true",	 NULL};
	const char *busybox[] = {o->vmm, "run", kernel, "--append", append, "--", "/bin/true", NULL};

	c[0].label = "own init, ends at once";
	memcpy(c[0].argv, plain, sizeof(plain));
	c[1].label = "-- /true";
	memcpy(c[1].argv, command, sizeof(command));
	c[2].label = "-- true, BusyBox root";
	memcpy(c[2].argv, busybox, sizeof(busybox));
	for (size_t i = 0; i < CASES; i++)
		c[i].wall_s = bench_alloc(o->rounds, sizeof(double));
}

static void run_once(struct bench *bench, struct contender *c, size_t round, size_t position)
{
	const struct bench_command command = {.argv = c->argv, .timeout_ns = RUN_TIMEOUT};
	struct bench_child child;
	struct error err;

	if (bench_child_run(&command, &child, &err))
		bench_fail(NAME, "%s", err.text);
	if (child.status != 0)
		bench_fail(NAME, "%s ended with status %d: %s", c->label, child.status, child.last_error);
	c->wall_s[round] = (double)child.wall_ns / 1e9;
	bench_record(bench, round, position, c->label, "wall", c->wall_s[round], "s");
	bench_progress(bench, "[%zu] %s %.2f s", round + 1, c->label, c->wall_s[round]);
}

static void report(struct bench *bench, const struct contender c[CASES], const struct options *o)
{
	struct bench_table *table = bench_alloc(1, sizeof(*table));
	struct bench_svg_row rows[CASES];

	bench_report_head_summary(table, "wall time", "s");
	for (size_t i = 0; i < CASES; i++) {
		struct bench_summary wall = bench_summarise(c[i].wall_s, o->rounds);

		bench_report_add_summary(table, c[i].label, &wall, 2);
		rows[i] = (struct bench_svg_row){.label = c[i].label, .values = c[i].wall_s, .count = o->rounds};
	}
	bench_say(bench, "\n");
	bench_report_print(bench, table);
	bench_say(bench, "\n");
	bench_say_ratio(bench, "wall time, command / own init", c[1].wall_s, c[0].wall_s, o->rounds);
	bench_say_ratio(bench, "wall time, command in BusyBox / own init", c[2].wall_s, c[0].wall_s, o->rounds);
	bench_svg_write(bench, &(struct bench_svg){.title = "A command in the guest: the whole process",
						   .subtitle = "the same kernel, in turn; stroke and figure: median",
						   .unit = "wall time, s",
						   .rows = rows,
						   .nr_rows = CASES});
	free(table);
}

int main(int argc, char *argv[])
{
	struct contender contenders[CASES] = {0};
	struct options options;
	struct bench bench;

	parse_options(&options, argc, argv);
	bench_need_kvm(NAME);
	bench_init(&bench, NAME, options.out);
	boot_images_find(&bench, &options.images);
	prepare(contenders, &options);
	bench_say_host(&bench);
	for (size_t i = 0; i < CASES; i++)
		bench_say_command(&bench, contenders[i].label, contenders[i].argv);
	for (size_t round = 0; round < options.rounds; round++)
		for (size_t position = 0; position < CASES; position++)
			run_once(&bench, &contenders[bench_stats_turn(round, position, CASES)], round, position);
	bench_progress(&bench, "%s", "");
	report(&bench, contenders, &options);
	for (size_t i = 0; i < CASES; i++)
		free(contenders[i].wall_s);
	bench_fini(&bench);
	return EXIT_SUCCESS;
}
