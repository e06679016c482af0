/* SPDX-License-Identifier: Apache-2.0 */
/* The format has no specification; attributes and elements as in the schema that Jenkins' xUnit plug-in publishes. */
#include "matrix/junit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matrix/log_folder.h"
#include "matrix/whole_file.h"
#include "matrix/xml.h"

struct writer {
	FILE *to;
	char *output; /* JUNIT_MAX_OUTPUT */
	char timestamp[32];
};

struct totals {
	unsigned tests, failures, errors, skipped;
	uint64_t ns;
};

/* Of one kernel, or of all when it is NULL. */
static struct totals add_up(const struct plan *plan, const char *kernel)
{
	struct totals totals = {0};

	for (unsigned i = 0; i < plan->count; i++) {
		const struct plan_run *run = &plan->runs[i];

		if (kernel && strcmp(run->kernel, kernel) != 0)
			continue;
		totals.tests++;
		totals.failures += run->state == PLAN_FAILED;
		totals.errors += run->state == PLAN_ERROR;
		totals.skipped += run->state == PLAN_NOT_RUN;
		totals.ns += run->elapsed_ns;
	}
	return totals;
}

static void put_totals(FILE *to, const struct totals *totals, uint64_t ns)
{
	fprintf(to, " tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\" time=\"%.3f\"", totals->tests,
		totals->failures, totals->errors, totals->skipped, (double)ns / 1e9);
}

static void put_verdict(FILE *to, const struct plan_run *run)
{
	const char *element = run->state == PLAN_FAILED ? "failure" : run->state == PLAN_ERROR ? "error" : "skipped";

	fprintf(to, "      <%s", element);
	xml_put_attribute(to, "message", run->reason);
	if (run->state != PLAN_NOT_RUN && run->status >= 0)
		fprintf(to, " type=\"status-%d\"", run->status);
	fputs("/>\n", to);
}

static void put_output(const struct writer *w, const struct plan_run *run, const char *element, const char *name)
{
	size_t len = log_folder_tail(run, name, w->output, JUNIT_MAX_OUTPUT);

	if (!len)
		return;
	fprintf(w->to, "      <%s>", element);
	xml_put_text(w->to, w->output, len);
	fprintf(w->to, "</%s>\n", element);
}

static void put_run(const struct writer *w, const struct plan_run *run)
{
	fputs("    <testcase", w->to);
	xml_put_attribute(w->to, "classname", run->kernel);
	xml_put_attribute(w->to, "name", run->name);
	fprintf(w->to, " time=\"%.3f\">\n", (double)run->elapsed_ns / 1e9);
	if (run->state != PLAN_PASSED)
		put_verdict(w->to, run);
	/* What is there of a run that was not begun is an earlier one's. */
	if (run->start_ns) {
		put_output(w, run, "system-out", PLAN_CONSOLE_FILE);
		put_output(w, run, "system-err", PLAN_VMM_FILE);
	}
	fputs("    </testcase>\n", w->to);
}

static void put_suite(const struct writer *w, const struct plan *plan, const char *kernel)
{
	const struct totals totals = add_up(plan, kernel);

	fputs("  <testsuite", w->to);
	xml_put_attribute(w->to, "name", kernel);
	put_totals(w->to, &totals, totals.ns);
	fprintf(w->to, " timestamp=\"%s\">\n", w->timestamp);
	for (unsigned i = 0; i < plan->count; i++)
		if (strcmp(plan->runs[i].kernel, kernel) == 0)
			put_run(w, &plan->runs[i]);
	fputs("  </testsuite>\n", w->to);
}

/* The runs of a kernel stand together, in the file's order. */
static void put_all(const struct writer *w, const struct plan *plan, uint64_t elapsed_ns)
{
	const struct totals totals = add_up(plan, NULL);

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"vmm matrix\"", w->to);
	put_totals(w->to, &totals, elapsed_ns);
	fputs(">\n", w->to);
	for (unsigned i = 0; i < plan->count; i++)
		if (i == 0 || strcmp(plan->runs[i].kernel, plan->runs[i - 1].kernel) != 0)
			put_suite(w, plan, plan->runs[i].kernel);
	fputs("</testsuites>\n", w->to);
}

int junit_write(const struct plan *plan, const char *path, time_t started, uint64_t elapsed_ns, struct error *err)
{
	struct writer w = {.output = malloc(JUNIT_MAX_OUTPUT)};
	struct whole_file file;
	struct tm utc;
	int ret;

	if (!w.output)
		return error_set(err, -ENOMEM, "%s: cannot write: out of memory", path);
	ret = whole_file_begin(&file, path, err);
	if (!ret) {
		w.to = file.to;
		if (gmtime_r(&started, &utc))
			strftime(w.timestamp, sizeof(w.timestamp), "%Y-%m-%dT%H:%M:%SZ", &utc);
		put_all(&w, plan, elapsed_ns);
		ret = whole_file_finish(&file, err);
	}
	free(w.output);
	return ret;
}
