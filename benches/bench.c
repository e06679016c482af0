/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/parse.h"

/* Like mkdir -p. 0 or -errno. */
static int make_folders(const char *path)
{
	char part[BENCH_PATH_SIZE];
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(part))
		return -ENAMETOOLONG;
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0777) && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static FILE *open_result(const struct bench *bench, const char *suffix)
{
	char path[BENCH_PATH_SIZE + 64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s%s", bench->out, bench->name, suffix);
	file = fopen(path, "we");
	if (!file)
		bench_fail(bench->name, "%s: cannot write: %s; give another folder with --out", path, strerror(errno));
	return file;
}

void bench_init(struct bench *bench, const char *name, const char *out)
{
	int ret = make_folders(out);

	if (ret)
		bench_fail(name, "%s: cannot make the folder: %s; give another one with --out", out, strerror(-ret));
	*bench = (struct bench){.name = name, .progress = isatty(STDERR_FILENO)};
	snprintf(bench->out, sizeof(bench->out), "%s", out);
	bench->text = open_result(bench, ".txt");
	bench->csv = open_result(bench, ".csv");
	fprintf(bench->csv, "round,position,case,metric,value,unit\n");
}

void bench_fini(struct bench *bench)
{
	bench_say(bench, "results: %s/%s.txt, .csv (every raw number), .svg\n", bench->out, bench->name);
	if (fclose(bench->text) || fclose(bench->csv))
		bench_fail(bench->name, "%s: cannot write the results: %s", bench->out, strerror(errno));
}

void bench_fail(const char *name, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s%s: ", isatty(STDERR_FILENO) ? "\r\033[K" : "", name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

void bench_need_kvm(const char *name)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		return;
	}
	fprintf(stderr, "%s: skipped: /dev/kvm: %s; `vmm doctor` tells more\n", name, strerror(errno));
	exit(BENCH_EXIT_SKIP);
}

void bench_say(struct bench *bench, const char *fmt, ...)
{
	va_list args;

	bench_progress(bench, "%s", "");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	fflush(stdout);
	va_start(args, fmt);
	vfprintf(bench->text, fmt, args);
	va_end(args);
}

void bench_progress(const struct bench *bench, const char *fmt, ...)
{
	va_list args;

	if (!bench->progress)
		return;
	fputs("\r\033[K", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fflush(stderr);
}

/* The value of the first line of /proc/cpuinfo that begins with @key; empty when there is none. */
static void read_cpuinfo(const char *key, char *value, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char *line = NULL;
	size_t capacity = 0;

	value[0] = '\0';
	while (file && getline(&line, &capacity, file) > 0) {
		const char *colon = strchr(line, ':');

		if (strncmp(line, key, strlen(key)) || !colon)
			continue;
		snprintf(value, size, "%s", colon + (colon[1] == ' ' ? 2 : 1));
		value[strcspn(value, "\n")] = '\0';
		break;
	}
	free(line);
	if (file)
		fclose(file);
}

bool bench_host_has_virtualization(void)
{
	char flags[8192], *rest = flags, *word;

	read_cpuinfo("flags", flags, sizeof(flags));
	while ((word = strsep(&rest, " ")))
		if (strcmp(word, "vmx") == 0 || strcmp(word, "svm") == 0)
			return true;
	return false;
}

void bench_say_host(struct bench *bench)
{
	double load[1] = {0};
	struct utsname name;
	char model[256];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	read_cpuinfo("model name", model, sizeof(model));
	uname(&name);
	bench_say(bench, "host: %s, %ld CPUs, Linux %s, %s\n", model[0] ? model : "unknown CPU", cpus, name.release,
		  bench_host_has_virtualization() ? "VT-x or SVM"
						  : "no VT-x or SVM: KVM emulates the guest's supervisor code");
	if (getloadavg(load, 1) == 1)
		bench_say(bench, "load average at the start: %.2f%s\n", load[0],
			  load[0] > 0.5 * (double)cpus ? ": the host is busy, expect noise" : "");
}

void bench_say_command(struct bench *bench, const char *label, const char *const *argv)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=,./:@%";

	bench_say(bench, "%s:", label);
	for (; *argv; argv++) {
		bool quote = !**argv || (*argv)[strspn(*argv, plain)];

		bench_say(bench, quote ? " '%s'" : " %s", *argv);
	}
	bench_say(bench, "\n");
}

void bench_record(struct bench *bench, size_t round, size_t position, const char *what, const char *metric,
		  double value, const char *unit)
{
	fprintf(bench->csv, "%zu,%zu,%s,%s,%.6f,%s\n", round, position, what, metric, value, unit);
	fflush(bench->csv);
}

struct bench_summary bench_summarise(const double *values, size_t count)
{
	struct bench_summary summary;

	if (bench_stats_summarise(values, count, &summary))
		bench_fail("bench", "out of memory");
	return summary;
}

struct bench_ratio bench_say_ratio(struct bench *bench, const char *label, const double *a, const double *b,
				   size_t count)
{
	struct bench_ratio ratio;

	if (bench_stats_compare(a, b, count, &ratio))
		bench_fail(bench->name, "%s: no ratio of these samples", label);
	bench_say(bench,
		  "%s: %.3f of the medians; %.3f is the median of %zu pairs (quartiles %.3f to %.3f, range %.3f to "
		  "%.3f)\n",
		  label, ratio.of_medians, ratio.paired.median, count, ratio.paired.q1, ratio.paired.q3,
		  ratio.paired.min, ratio.paired.max);
	return ratio;
}

uint64_t bench_parse_count(const char *name, const char *option, const char *text, uint64_t max)
{
	uint64_t value;

	if (parse_u64(text, max, &value) || value == 0)
		bench_fail(name, "--%s %s: give a number from 1 to %llu", option, text, (unsigned long long)max);
	return value;
}

void *bench_alloc(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		bench_fail("bench", "out of memory");
	return memory;
}
