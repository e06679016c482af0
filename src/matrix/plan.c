/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/plan.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "matrix/run_words.h"

#define MAX_NAME 120 /* of a log folder; file systems take 255 bytes */

/* The number of one combination is split into one index for each axis, the sizes fastest. */
static void split(const struct matrix_file *file, uint64_t number, unsigned index[MATRIX_AXES])
{
	for (int axis = MATRIX_AXES - 1; axis >= 0; axis--) {
		index[axis] = (unsigned)(number % file->counts[axis]);
		number /= file->counts[axis];
	}
}

static bool is_skipped(const struct matrix_file *file, const unsigned index[MATRIX_AXES])
{
	for (unsigned i = 0; i < file->nr_skips; i++) {
		bool matches = true;

		for (unsigned axis = 0; axis < MATRIX_AXES; axis++)
			matches = matches && (file->skips[i].index[axis] < 0 ||
					      (unsigned)file->skips[i].index[axis] == index[axis]);
		if (matches)
			return true;
	}
	return false;
}

static bool is_safe(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("._+-", c);
}

/* Appends @part to the name as far as there is room. */
static void append_part(char name[MAX_NAME + 1], const char *part)
{
	size_t len = strlen(name);

	if (len && len < MAX_NAME)
		name[len++] = '-';
	for (; *part && len < MAX_NAME; part++)
		name[len++] = is_safe(*part) ? *part : '_';
	name[len] = 0;
	/* Neither hidden, nor "..", nor what looks like an option. */
	if (name[0] == '.' || name[0] == '-')
		name[0] = '_';
}

static bool is_taken(const struct plan *plan, const char *name)
{
	/* These lie beside the log folders. */
	if (strcmp(name, "junit.xml") == 0 || strcmp(name, "summary.json") == 0)
		return true;
	for (unsigned i = 0; i < plan->count; i++)
		if (strcmp(plan->runs[i].name, name) == 0)
			return true;
	return false;
}

static const char *make_name(const struct plan *plan, const struct matrix_file *file, const unsigned index[MATRIX_AXES],
			     struct arena *arena)
{
	char name[MAX_NAME + 1] = "", unique[MAX_NAME + 16];

	for (unsigned axis = 0; axis < MATRIX_AXES; axis++)
		if (file->entries[axis][index[axis]].name)
			append_part(name, file->entries[axis][index[axis]].name);
	snprintf(unique, sizeof(unique), "%s", name);
	for (unsigned n = 2; is_taken(plan, unique); n++)
		snprintf(unique, sizeof(unique), "%s.%u", name, n);
	return arena_format(arena, "%s", unique);
}

/* Kernel, size, command: what stands nearer to the command wins. */
static int merge_all(struct settings *settings, const struct matrix_file *file, const unsigned index[MATRIX_AXES],
		     struct arena *arena)
{
	static const enum matrix_axis order[] = {MATRIX_KERNELS, MATRIX_SIZES, MATRIX_COMMANDS};
	int ret;

	*settings = SETTINGS_NONE;
	ret = settings_merge(settings, &file->settings, arena);
	for (unsigned i = 0; i < ARRAY_SIZE(order) && !ret; i++)
		ret = settings_merge(settings, &file->entries[order[i]][index[order[i]]].settings, arena);
	settings_complete(settings);
	return ret;
}

static int fill_run(struct plan_run *run, const struct plan *plan, const struct matrix_file *file, const char *logs,
		    const unsigned index[MATRIX_AXES], struct arena *arena)
{
	const struct matrix_entry *kernel = &file->entries[MATRIX_KERNELS][index[MATRIX_KERNELS]];
	struct settings settings;

	if (merge_all(&settings, file, index, arena))
		return -ENOMEM;
	*run = (struct plan_run){
		.name = make_name(plan, file, index, arena),
		.kernel = kernel->name,
		.cpus = settings.cpus,
		.timeout_ns = settings.timeout_ns,
		.expect = settings.expect,
		.status = -1,
	};
	if (!run->name)
		return -ENOMEM;
	run->folder = arena_format(arena, "%s/%s", logs, run->name);
	if (settings.out)
		run->out = arena_format(arena, "%s/%s/out", logs, run->name);
	if (!run->folder || (settings.out && !run->out))
		return -ENOMEM;
	return run_words_make(run, kernel->path, &settings,
			      &file->entries[MATRIX_COMMANDS][index[MATRIX_COMMANDS]].words, arena);
}

/* Before anything is left out: a name is the same whatever --only says. */
static int make_all(struct plan *plan, const struct matrix_file *file, const char *logs, uint64_t product,
		    struct arena *arena)
{
	for (uint64_t i = 0; i < product; i++) {
		unsigned index[MATRIX_AXES];

		split(file, i, index);
		if (is_skipped(file, index))
			continue;
		if (fill_run(&plan->runs[plan->count], plan, file, logs, index, arena))
			return -ENOMEM;
		plan->count++;
	}
	return 0;
}

static bool is_wanted(const struct plan_run *run, const struct arena_list *only)
{
	for (unsigned i = 0; i < only->count; i++)
		if (fnmatch(only->items[i], run->name, 0) == 0)
			return true;
	return only->count == 0;
}

static void keep_wanted(struct plan *plan, const struct arena_list *only)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < plan->count; i++)
		if (is_wanted(&plan->runs[i], only))
			plan->runs[kept++] = plan->runs[i];
	plan->total = plan->count;
	plan->count = kept;
}

int plan_make(struct plan *plan, const struct matrix_file *file, const char *logs, const struct arena_list *only,
	      struct arena *arena, struct error *err)
{
	uint64_t product = 1;

	*plan = (struct plan){0};
	for (unsigned axis = 0; axis < MATRIX_AXES; axis++)
		if (!checked_mul(product, file->counts[axis], &product) || product > PLAN_MAX_RUNS)
			return error_set(err, -E2BIG, "matrix %s: more than %d combinations; split the file",
					 file->path, PLAN_MAX_RUNS);
	plan->runs = arena_alloc(arena, product * sizeof(*plan->runs));
	if (!plan->runs || make_all(plan, file, logs, product, arena))
		return error_set(err, -ENOMEM, "matrix %s: out of memory", file->path);
	if (plan->count == 0)
		return error_set(err, -EINVAL, "matrix %s: \"skip\" leaves no run; take an entry out of it",
				 file->path);
	keep_wanted(plan, only);
	if (plan->count == 0)
		return error_set(err, -EINVAL, "--only %s: matches none of %u runs; see `vmm matrix --list %s`",
				 only->items[0], plan->total, file->path);
	return 0;
}

void plan_count(const struct plan *plan, unsigned counts[PLAN_STATES])
{
	memset(counts, 0, PLAN_STATES * sizeof(counts[0]));
	for (unsigned i = 0; i < plan->count; i++)
		counts[plan->runs[i].state]++;
}
