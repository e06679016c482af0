/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "matrix/table.h"
#include "matrix/verdict.h"
#include "matrix/whole_file.h"

#define MAX_SHOWN 100

/* A byte can become six ("\u001b"). */
static size_t json_room(const struct plan *plan)
{
	size_t room = 1024;

	for (unsigned i = 0; i < plan->count; i++) {
		const struct plan_run *run = &plan->runs[i];

		room += 256 + 6 * (strlen(run->name) + strlen(run->kernel) + strlen(run->folder) + strlen(run->reason));
	}
	return room;
}

static void put_run(struct json *json, const struct plan_run *run)
{
	char state[16];

	/* The words of --events are in lower case too. */
	snprintf(state, sizeof(state), "%s", verdict_name(run->state));
	for (char *c = state; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
		else if (*c == ' ')
			*c = '-';
	json_open_object(json, NULL);
	json_put_string(json, "name", run->name);
	json_put_string(json, "kernel", run->kernel);
	json_put_string(json, "result", state);
	if (run->status >= 0)
		json_put_i64(json, "status", run->status);
	else
		json_put_null(json, "status");
	json_put_i64(json, "expected", run->expect);
	json_put_fixed(json, "seconds", (double)run->elapsed_ns / 1e9, 3);
	json_put_string(json, "reason", run->reason);
	json_put_string(json, "logs", run->folder);
	json_close(json);
}

static int format(const struct plan *plan, uint64_t elapsed_ns, char *buf, size_t size, size_t *len)
{
	unsigned counts[PLAN_STATES];
	struct json json;

	plan_count(plan, counts);
	json_init(&json, buf, size);
	json_open_object(&json, NULL);
	json_put_u64(&json, "runs", plan->count);
	json_put_u64(&json, "passed", counts[PLAN_PASSED]);
	json_put_u64(&json, "failed", counts[PLAN_FAILED]);
	json_put_u64(&json, "errors", counts[PLAN_ERROR]);
	json_put_u64(&json, "not-run", counts[PLAN_NOT_RUN]);
	json_put_fixed(&json, "seconds", (double)elapsed_ns / 1e9, 3);
	json_open_array(&json, "results");
	for (unsigned i = 0; i < plan->count; i++)
		put_run(&json, &plan->runs[i]);
	json_close(&json);
	json_close(&json);
	return json_finish(&json, len);
}

int summary_write_json(const struct plan *plan, const char *path, uint64_t elapsed_ns, struct error *err)
{
	size_t size = json_room(plan), len;
	char *buf = malloc(size);
	struct whole_file file;
	int ret = buf ? format(plan, elapsed_ns, buf, size, &len) : -ENOMEM;

	if (ret) {
		free(buf);
		return error_set(err, ret, "%s: cannot write: %s", path, strerror(-ret));
	}
	ret = whole_file_begin(&file, path, err);
	if (!ret) {
		fwrite(buf, 1, len, file.to);
		ret = whole_file_finish(&file, err);
	}
	free(buf);
	return ret;
}

static void print_run(const struct plan_run *run, FILE *to)
{
	fprintf(to, "%s %s %.1fs: %s\n", verdict_name(run->state), run->name, (double)run->elapsed_ns / 1e9,
		run->reason);
	/* Of a run that was not begun there is nothing to see. */
	if (run->start_ns)
		fprintf(to, "    see %s/\n", run->folder);
}

void summary_print(const struct plan *plan, const char *logs, uint64_t elapsed_ns, FILE *to)
{
	unsigned bad = 0;
	char sums[128];

	for (unsigned i = 0; i < plan->count; i++) {
		const struct plan_run *run = &plan->runs[i];

		if (run->state != PLAN_FAILED && run->state != PLAN_ERROR)
			continue;
		if (bad++ < MAX_SHOWN)
			print_run(run, to);
	}
	if (bad > MAX_SHOWN)
		fprintf(to, "and %u more\n", bad - MAX_SHOWN);
	fprintf(to, "%s; %.1fs; %s/junit.xml\n", table_sums(plan, sums, sizeof(sums)), (double)elapsed_ns / 1e9, logs);
}
