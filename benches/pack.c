/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What does --initrd-dir cost? A directory tree packed into fresh guest memory, against GNU cpio writing the same bytes
 * to a file in memory (tmpfs), taken in pairs.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/file.h"
#include "bench.h"
#include "bench_child.h"
#include "bench_report.h"
#include "bench_svg.h"
#include "boot/tree_pack.h"

#define NAME	    "pack"
#define MAX_PAIRS   10000
#define MAX_PATH    512
#define RUN_TIMEOUT 600000000000ULL
#define BLOCK	    512 /* GNU cpio fills its last one with zeros */

/* The tree that is made: 100 folders of 50 small files, and a few large ones; 300 MB. */
#define NR_FOLDERS 100
#define NR_SMALL   50
#define MAX_SMALL  16384
#define NR_LARGE   8
#define LARGE_SIZE (32u << 20)

enum { VMM, CPIO, CASES };

static const char *const labels[CASES] = {[VMM] = "vmm --initrd-dir", [CPIO] = "find | sort | cpio"};

struct options {
	const char *tree, *out, *memory;
	size_t pairs;
};

/* What the bench made and removes again. */
struct places {
	char tree[MAX_PATH]; /* "" when the user named one */
	char archive[MAX_PATH];
	char command[4 * MAX_PATH];
};

static const char usage[] =
	"Usage: pack [options]\n\n"
	"Packs a directory tree with vmm's code and with GNU cpio in turn; reports the time.\n\n"
	"  --pairs N     runs of each (default 21)\n"
	"  --tree DIR    this directory, which nothing may change meanwhile (default: one of 300 MB is made)\n"
	"  --memory DIR  a tmpfs for cpio's archive (default /dev/shm)\n"
	"  --out DIR     where the results go (default: results in the build folder)\n";

static void parse_options(struct options *options, int argc, char *argv[])
{
	static const struct option known[] = {
		{"pairs", required_argument, NULL, 'p'},  {"tree", required_argument, NULL, 't'},
		{"memory", required_argument, NULL, 'm'}, {"out", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},	  {NULL, 0, NULL, 0},
	};
	int letter;

	*options = (struct options){.out = BENCH_RESULTS, .memory = "/dev/shm", .pairs = 21};
	while ((letter = getopt_long(argc, argv, "h", known, NULL)) >= 0) {
		switch (letter) {
		case 'p':
			options->pairs = (size_t)bench_parse_count(NAME, "pairs", optarg, MAX_PAIRS);
			break;
		case 't':
			options->tree = optarg;
			break;
		case 'm':
			options->memory = optarg;
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

/* ---- the tree */

static void write_file(const char *path, const uint8_t *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int code = fd < 0 ? -errno : write_all(fd, bytes, size);

	if (code)
		bench_fail(NAME, "%s: cannot write: %s", path, strerror(-code));
	close(fd);
}

/* The same in every run of the bench. */
static uint8_t *make_content(void)
{
	uint8_t *bytes = bench_alloc(LARGE_SIZE, 1);
	uint64_t state = 1;

	for (size_t i = 0; i < LARGE_SIZE; i++) {
		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		bytes[i] = (uint8_t)(state >> 56);
	}
	return bytes;
}

static void make_tree(const char *root)
{
	uint8_t *bytes = make_content();
	char path[MAX_PATH + 64];

	for (unsigned folder = 0; folder < NR_FOLDERS; folder++) {
		snprintf(path, sizeof(path), "%s/folder-%u", root, folder);
		if (mkdir(path, 0755))
			bench_fail(NAME, "%s: cannot make it: %s", path, strerror(errno));
		for (unsigned file = 0; file < NR_SMALL; file++) {
			snprintf(path, sizeof(path), "%s/folder-%u/file-%u.o", root, folder, file);
			write_file(path, bytes, (folder * 7919 + file * 104729) % MAX_SMALL);
		}
	}
	for (unsigned file = 0; file < NR_LARGE; file++) {
		snprintf(path, sizeof(path), "%s/large-%u", root, file);
		write_file(path, bytes, LARGE_SIZE);
	}
	free(bytes);
}

/* Quotes would end those of the shell command. */
static void name_temporary(char name[MAX_PATH], const char *folder)
{
	if (snprintf(name, MAX_PATH, "%s/vmm-pack-XXXXXX", folder) >= MAX_PATH || strchr(folder, '\''))
		bench_fail(NAME, "%s: a shorter path without quotes, please", folder);
}

static void prepare(struct places *places, struct options *o)
{
	const char *tmp = getenv("TMPDIR");
	int fd;

	*places = (struct places){.tree = ""};
	if (!o->tree) {
		name_temporary(places->tree, tmp ? tmp : "/tmp");
		if (!mkdtemp(places->tree))
			bench_fail(NAME, "%s: cannot make it: %s", places->tree, strerror(errno));
		make_tree(places->tree);
		o->tree = places->tree;
	}
	if (strchr(o->tree, '\'') || strlen(o->tree) >= MAX_PATH)
		bench_fail(NAME, "%s: a shorter path without quotes, please", o->tree);
	name_temporary(places->archive, o->memory);
	fd = mkstemp(places->archive);
	if (fd < 0)
		bench_fail(NAME, "%s: cannot make it: %s; see --memory", places->archive, strerror(errno));
	close(fd);
	snprintf(places->command, sizeof(places->command),
		 "cd '%s' && find . -mindepth 1 -printf '%%P\\0' | LC_ALL=C sort -z |"
		 " cpio -0 --quiet -o -H newc --reproducible >'%s'",
		 o->tree, places->archive);
}

static void clean_up(const struct places *places)
{
	char command[MAX_PATH + 16];

	unlink(places->archive);
	snprintf(command, sizeof(command), "rm -rf '%s'", places->tree);
	if (*places->tree && system(command))
		bench_fail(NAME, "%s: cannot remove it", places->tree);
}

/* ---- the runs */

struct run {
	double wall_ms, cpu_ms;
	uint64_t size;
};

static uint64_t cpu_ns(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000ULL +
	       (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000ULL;
}

static struct run run_vmm(const struct options *o, struct guest_mem *mem)
{
	uint64_t start = monotonic_ns(), start_cpu = cpu_ns();
	struct tree_pack *tree;
	struct error err;
	struct run run;
	int code = tree_pack_scan(&tree, o->tree, &err);

	if (code)
		bench_fail(NAME, "%s", err.text);
	run.size = tree_pack_size(tree);
	if (guest_mem_init(mem, align_up(run.size, GUEST_PAGE_SIZE)))
		bench_fail(NAME, "no memory for the archive");
	code = tree_pack_write(tree, mem, gpa(0), &err);
	if (code)
		bench_fail(NAME, "%s", err.text);
	run.wall_ms = (double)(monotonic_ns() - start) / 1e6;
	run.cpu_ms = (double)(cpu_ns() - start_cpu) / 1e6;
	tree_pack_free(tree);
	return run;
}

static struct run run_cpio(const struct places *places)
{
	const char *argv[] = {"sh", "-c", places->command, NULL};
	const struct bench_command command = {.argv = argv, .timeout_ns = RUN_TIMEOUT};
	struct bench_child child;
	struct error err;
	struct stat st;

	if (bench_child_run(&command, &child, &err))
		bench_fail(NAME, "%s", err.text);
	if (child.status || stat(places->archive, &st))
		bench_fail(NAME, "cpio ended with status %d: %s", child.status, child.last_error);
	return (struct run){.wall_ms = (double)child.wall_ns / 1e6,
			    .cpu_ms = (double)child.cpu_ns / 1e6,
			    .size = (uint64_t)st.st_size};
}

/* One of each that is not recorded, to have the files in memory: both must have made the same bytes. */
static uint64_t warm_up(const struct options *o, const struct places *places)
{
	struct guest_mem mem;
	struct run ours = run_vmm(o, &mem), theirs = run_cpio(places);
	int fd = open(places->archive, O_RDONLY | O_CLOEXEC);
	const void *bytes = mmap(NULL, theirs.size, PROT_READ, MAP_SHARED, fd, 0);

	if (fd < 0 || bytes == MAP_FAILED)
		bench_fail(NAME, "%s: cannot read: %s", places->archive, strerror(errno));
	if (theirs.size < ours.size || theirs.size - ours.size >= BLOCK ||
	    memcmp(bytes, guest_mem_ptr(&mem, gpa(0), ours.size), ours.size) != 0)
		bench_fail(NAME, "the two archives differ: no comparison");
	munmap((void *)(uintptr_t)bytes, theirs.size);
	close(fd);
	guest_mem_fini(&mem);
	return ours.size;
}

static void measure(struct bench *bench, double *wall_ms[CASES], const struct options *o, const struct places *places)
{
	for (size_t pair = 0; pair < o->pairs; pair++) {
		for (size_t position = 0; position < CASES; position++) {
			size_t which = bench_stats_turn(pair, position, CASES);
			struct guest_mem mem = {0};
			struct run run;

			/* Neither the removal of the old archive nor that of the memory is measured. */
			if (which == CPIO && truncate(places->archive, 0))
				bench_fail(NAME, "%s: cannot empty it: %s", places->archive, strerror(errno));
			run = which == VMM ? run_vmm(o, &mem) : run_cpio(places);
			guest_mem_fini(&mem);
			wall_ms[which][pair] = run.wall_ms;
			bench_record(bench, pair, position, labels[which], "wall", run.wall_ms, "ms");
			bench_record(bench, pair, position, labels[which], "cpu", run.cpu_ms, "ms");
			bench_progress(bench, "[%zu/%zu] %s %.0f ms", pair + 1, o->pairs, labels[which], run.wall_ms);
		}
	}
}

static void report(struct bench *bench, double *wall_ms[CASES], const struct options *o, uint64_t size)
{
	struct bench_table *table = bench_alloc(1, sizeof(*table));

	bench_report_head_summary(table, "wall time", "ms");
	for (size_t i = 0; i < CASES; i++) {
		struct bench_summary summary = bench_summarise(wall_ms[i], o->pairs);

		bench_report_add_summary(table, labels[i], &summary, 1);
	}
	bench_say(bench, "\n");
	bench_report_print(bench, table);
	bench_say(bench, "\n");
	for (size_t i = 0; i < CASES; i++)
		bench_say(bench, "%s: %.0f MiB/s\n", labels[i],
			  (double)size / (1 << 20) / (bench_summarise(wall_ms[i], o->pairs).median / 1e3));
	bench_say_ratio(bench, "wall time, vmm / cpio", wall_ms[VMM], wall_ms[CPIO], o->pairs);
	free(table);
}

static void draw(const struct bench *bench, double *wall_ms[CASES], const struct options *o, uint64_t size)
{
	struct bench_svg_row rows[CASES];
	char subtitle[256];

	for (size_t i = 0; i < CASES; i++)
		rows[i] = (struct bench_svg_row){.label = labels[i], .values = wall_ms[i], .count = o->pairs};
	snprintf(subtitle, sizeof(subtitle),
		 "archive of %.0f MiB, files in the page cache; %zu runs of each, in turn; stroke and figure: median",
		 (double)size / (1 << 20), o->pairs);
	bench_svg_write(bench, &(struct bench_svg){.title = "Packing a directory",
						   .subtitle = subtitle,
						   .unit = "wall time, ms",
						   .rows = rows,
						   .nr_rows = CASES});
}

int main(int argc, char *argv[])
{
	double *wall_ms[CASES];
	struct options options;
	struct places places;
	struct bench bench;
	uint64_t size;

	parse_options(&options, argc, argv);
	if (system("cpio --version 2>/dev/null | grep -q 'GNU cpio'")) {
		fprintf(stderr, NAME ": no GNU cpio: skipped\n");
		return BENCH_EXIT_SKIP;
	}
	bench_init(&bench, NAME, options.out);
	prepare(&places, &options);
	size = warm_up(&options, &places);
	for (size_t i = 0; i < CASES; i++)
		wall_ms[i] = bench_alloc(options.pairs, sizeof(double));
	bench_say(&bench,
		  "pack: an archive of %" PRIu64
		  " bytes, the same from both; %zu runs of each, order swapped every "
		  "second pair\n",
		  size, options.pairs);
	bench_say_host(&bench);
	bench_say(&bench, "%s: %s\n", labels[CPIO], places.command);
	measure(&bench, wall_ms, &options, &places);
	report(&bench, wall_ms, &options, size);
	draw(&bench, wall_ms, &options, size);
	clean_up(&places);
	bench_fini(&bench);
	for (size_t i = 0; i < CASES; i++)
		free(wall_ms[i]);
	return EXIT_SUCCESS;
}
