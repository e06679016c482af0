/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/parse.h"
#include "commands.h"
#include "config.h"
#include "matrix/junit.h"
#include "matrix/log_folder.h"
#include "matrix/matrix_file.h"
#include "matrix/plan.h"
#include "matrix/run_words.h"
#include "matrix/runner.h"
#include "matrix/screen.h"
#include "matrix/summary.h"
#include "outcome.h"

#define DEFAULT_LOGS	"matrix-logs"
#define EXIT_NOT_PASSED 1
/* Whatever has happened to the file we were started from since. */
#define THIS_PROGRAM "/proc/self/exe"

static const char usage[] =
	"Usage: vmm matrix FILE [options]\n"
	"\n"
	"Runs every combination of the kernels, commands and sizes in FILE (JSON), several at a time, each in a vmm\n"
	"of its own. Each run leaves console.log, vmm.log and events.jsonl in a folder of its own.\n"
	"\n"
	"  -j, --jobs N         so many at a time (default: the file's \"jobs\", else the CPUs of this host by the\n"
	"                       largest run's)\n"
	"      --logs DIR       the folder for the logs, junit.xml and summary.json (default: the file's \"logs\", "
	"else\n"
	"                       " DEFAULT_LOGS
	")\n"
	"      --junit FILE     a second copy of junit.xml\n"
	"      --only PATTERN   only runs with such a name, as in a shell: '6.1-*'; may be given several times\n"
	"      --list           prints the runs with their command lines and ends\n"
	"      --fail-fast      begins nothing more after the first run that does not pass\n"
	"  -q, --quiet          prints only what did not pass, and the sums\n"
	"  -h, --help           this text\n"
	"\n"
	"Exit status: 0 when all passed; 1 when some did not; 125 when FILE or an option is wrong or the logs cannot "
	"be\n"
	"written; 128+n after signal n (Ctrl-C: 130). `man vmm` describes FILE.\n";

struct options {
	const char *file, *logs, *junit;
	unsigned jobs; /* 0: not given */
	struct arena_list only;
	bool list, fail_fast, quiet, help;
};

struct matrix {
	struct options options;
	struct matrix_file file;
	struct plan plan;
	const char *logs;
	struct arena arena;
	struct error err;
};

static const char short_options[] = ":j:qh";
static const struct option long_options[] = {
	{"jobs", required_argument, NULL, 'j'},
	{"logs", required_argument, NULL, 'l'},
	{"junit", required_argument, NULL, 'J'},
	{"only", required_argument, NULL, 'o'},
	{"list", no_argument, NULL, 'L'},
	{"fail-fast", no_argument, NULL, 'f'},
	{"quiet", no_argument, NULL, 'q'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int take_jobs(struct matrix *m, const char *text)
{
	uint64_t jobs;

	if (parse_u64(text, MATRIX_FILE_MAX_JOBS, &jobs) || jobs == 0)
		return error_set(&m->err, -EINVAL, "matrix --jobs %s: give a number from 1 to %d", text,
				 MATRIX_FILE_MAX_JOBS);
	m->options.jobs = (unsigned)jobs;
	return 0;
}

static int take_path(struct matrix *m, const char *option, const char **path)
{
	if (*path)
		return error_set(&m->err, -EINVAL, "matrix --%s: given twice; give it once", option);
	if (!*optarg)
		return error_set(&m->err, -EINVAL, "matrix --%s: is empty; give a path", option);
	*path = optarg;
	return 0;
}

static int take_option(struct matrix *m, int letter, const char *word)
{
	struct options *o = &m->options;

	switch (letter) {
	case 'j':
		return take_jobs(m, optarg);
	case 'l':
		return take_path(m, "logs", &o->logs);
	case 'J':
		return take_path(m, "junit", &o->junit);
	case 'o':
		return arena_list_add(&m->arena, &o->only, optarg)
			       ? error_set(&m->err, -ENOMEM, "matrix: out of memory")
			       : 0;
	case 'L':
		o->list = true;
		return 0;
	case 'f':
		o->fail_fast = true;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case 'h':
		o->help = true;
		return 0;
	case ':':
		return error_set(&m->err, -EINVAL, "matrix %s: needs a value; see `vmm matrix --help`", word);
	default:
		return error_set(&m->err, -EINVAL, "matrix %s: unknown option; see `vmm matrix --help`", word);
	}
}

static int parse_options(struct matrix *m, int argc, char *argv[])
{
	int letter, ret;

	opterr = 0;
	optind = 0; /* glibc: also forget the state of an earlier parse */
	while ((letter = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
		ret = take_option(m, letter, argv[optind - 1]);
		if (ret)
			return ret;
	}
	if (m->options.help)
		return 0;
	if (optind == argc)
		return error_set(&m->err, -EINVAL,
				 "matrix: no file given; write `vmm matrix FILE`, see `vmm matrix --help`");
	if (optind + 1 < argc)
		return error_set(&m->err, -EINVAL, "matrix %s: unexpected word; the file is %s", argv[optind + 1],
				 argv[optind]);
	m->options.file = argv[optind];
	return 0;
}

/* What `vmm run` would refuse in one of the runs is an error of the file: nothing begins then. */
static int check_runs(struct matrix *m)
{
	for (unsigned i = 0; i < m->plan.count; i++) {
		const struct plan_run *run = &m->plan.runs[i];
		/* The parser reorders words; these are its own. */
		char **words = arena_alloc(&m->arena, (run->nr_words + 1) * sizeof(*words));
		struct config config;
		struct error err;

		if (!words)
			return error_set(&m->err, -ENOMEM, "matrix: out of memory");
		memcpy(words, run->words, run->nr_words * sizeof(*words));
		if (config_parse(&config, (int)run->nr_words - 1, words + 1, &err))
			return error_set(&m->err, -EINVAL, "%s: run %s: %.400s", m->file.path, run->name, err.text);
	}
	return 0;
}

static int load(struct matrix *m)
{
	int ret = matrix_file_load(&m->file, m->options.file, &m->arena, &m->err);

	if (ret)
		return ret;
	m->logs = m->options.logs ? m->options.logs : m->file.logs ? m->file.logs : DEFAULT_LOGS;
	ret = plan_make(&m->plan, &m->file, m->logs, &m->options.only, &m->arena, &m->err);
	return ret ? ret : check_runs(m);
}

/* What was printed must have arrived. */
static int finish_stdout(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	log_err("stdout: cannot write: %s; give it room", strerror(errno));
	return EXIT_VMM_ERROR;
}

static int list_runs(struct matrix *m)
{
	for (unsigned i = 0; i < m->plan.count; i++) {
		const char *line = run_words_quote(&m->plan.runs[i], &m->arena);

		printf("%s  %s\n", m->plan.runs[i].name, line ? line : "");
	}
	return finish_stdout(0);
}

static unsigned choose_jobs(const struct matrix *m)
{
	unsigned cpus = 1, jobs = m->options.jobs ? m->options.jobs : m->file.jobs;
	cpu_set_t set;
	unsigned here = sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;

	for (unsigned i = 0; i < m->plan.count; i++)
		if (m->plan.runs[i].cpus > cpus)
			cpus = m->plan.runs[i].cpus;
	if (!jobs)
		jobs = here > cpus ? here / cpus : 1;
	if (jobs > MATRIX_FILE_MAX_JOBS)
		jobs = MATRIX_FILE_MAX_JOBS;
	return jobs < m->plan.count ? jobs : m->plan.count;
}

static int write_reports(struct matrix *m, time_t started, uint64_t elapsed_ns)
{
	const char *paths[] = {arena_format(&m->arena, "%s/junit.xml", m->logs), m->options.junit};
	const char *json = arena_format(&m->arena, "%s/summary.json", m->logs);
	int code = 0;

	if (!paths[0] || !json) {
		log_err("matrix: out of memory");
		return EXIT_VMM_ERROR;
	}
	/* One that cannot be written does not keep the others from it. */
	for (unsigned i = 0; i < ARRAY_SIZE(paths); i++) {
		if (paths[i] && junit_write(&m->plan, paths[i], started, elapsed_ns, &m->err)) {
			log_err("%s", m->err.text);
			code = EXIT_VMM_ERROR;
		}
	}
	if (summary_write_json(&m->plan, json, elapsed_ns, &m->err)) {
		log_err("%s", m->err.text);
		code = EXIT_VMM_ERROR;
	}
	return code;
}

static int exit_code(const struct matrix *m, const struct runner *runner)
{
	unsigned counts[PLAN_STATES];

	if (runner->stop_signal)
		return 128 + runner->stop_signal;
	plan_count(&m->plan, counts);
	return counts[PLAN_PASSED] == m->plan.count ? 0 : EXIT_NOT_PASSED;
}

static int run_and_report(struct matrix *m, struct runner *runner, struct screen *screen)
{
	time_t started = time(NULL);
	int ret = runner_run(runner, &m->err), code;
	uint64_t elapsed_ns = monotonic_ns() - screen->start_ns;

	screen_finish(screen);
	if (ret)
		log_err("%s", m->err.text);
	code = write_reports(m, started, elapsed_ns);
	if (!screen->is_broken) {
		if (!m->options.quiet)
			putchar('\n');
		summary_print(&m->plan, m->logs, elapsed_ns, stdout);
	}
	if (runner->stop_signal)
		log_err("stopped by %s (exit %d)", strsignal(runner->stop_signal), 128 + runner->stop_signal);
	if (ret || screen->is_broken)
		code = EXIT_VMM_ERROR;
	return finish_stdout(code ? code : exit_code(m, runner));
}

static int run_all(struct matrix *m)
{
	struct runner runner = {
		.plan = &m->plan,
		.program = THIS_PROGRAM,
		.jobs = choose_jobs(m),
		.fail_fast = m->options.fail_fast,
		.grace_ns = RUNNER_GRACE_NS,
		.signal_fd = -1,
	};
	struct screen screen;
	int code = EXIT_VMM_ERROR, folder;

	folder = log_folder_open(m->logs, &m->err);
	if (folder < 0 || log_folder_check(&m->plan, &m->err) || runner_prepare(&runner, &m->err)) {
		log_err("%s", m->err.text);
		close_fd(&folder);
		return EXIT_VMM_ERROR;
	}
	if (screen_init(&screen, &m->plan, runner.signal_fd, m->options.quiet) == 0) {
		runner.watch = (struct runner_watch){
			.ended = screen_on_end,
			.tick = screen_on_tick,
			.resized = screen_on_resize,
			.tick_ns = screen.table_fd >= 0 ? SCREEN_TICK_NS : 0,
			.opaque = &screen,
		};
		code = run_and_report(m, &runner, &screen);
	} else {
		log_err("matrix: out of memory");
	}
	screen_fini(&screen);
	runner_finish(&runner);
	close_fd(&folder);
	return code;
}

int cmd_matrix(int argc, char *argv[], uint64_t start_ns)
{
	struct matrix m = {0};
	int code;

	(void)start_ns;
	if (parse_options(&m, argc, argv)) {
		log_err("%s", m.err.text);
		code = EXIT_VMM_ERROR;
	} else if (m.options.help) {
		fputs(usage, stdout);
		code = finish_stdout(0);
	} else if (load(&m)) {
		log_err("%s", m.err.text);
		code = EXIT_VMM_ERROR;
	} else {
		code = m.options.list ? list_runs(&m) : run_all(&m);
	}
	arena_fini(&m.arena);
	return code;
}
