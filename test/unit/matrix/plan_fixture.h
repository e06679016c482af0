/* SPDX-License-Identifier: Apache-2.0 */
/* A plan from the text of a matrix file; and one of plain shell commands, for tests that run something. */
#ifndef VMM_TEST_UNIT_MATRIX_PLAN_FIXTURE_H
#define VMM_TEST_UNIT_MATRIX_PLAN_FIXTURE_H

#include "support/fake_root.h"

#include <string.h>

#include "matrix/plan.h"

#define FIXTURE_MAX_RUNS 16

struct plan_fixture {
	struct arena arena;
	struct matrix_file file;
	struct plan plan;
	struct error err;
	struct plan_run runs[FIXTURE_MAX_RUNS];
	const char *words[FIXTURE_MAX_RUNS][4];
};

/* The result of plan_make; the text itself must be good. */
static inline int plan_fixture_make(struct plan_fixture *f, const char *text, const char *only)
{
	struct arena_list patterns = {0};

	memset(f, 0, sizeof(*f));
	if (matrix_file_parse(&f->file, "ci/m.json", text, strlen(text), &f->arena, &f->err))
		fail_msg("%s", f->err.text);
	if (only)
		assert_int_equal(arena_list_add(&f->arena, &patterns, only), 0);
	return plan_make(&f->plan, &f->file, "logs", &patterns, &f->arena, &f->err);
}

static inline void plan_fixture_free(struct plan_fixture *f)
{
	arena_fini(&f->arena);
}

/* Another run, which has @script run by a shell; its logs are below @root. */
static inline struct plan_run *plan_fixture_add(struct plan_fixture *f, const struct fake_root *root, const char *name,
						const char *script)
{
	unsigned i = f->plan.count++;
	struct plan_run *run = &f->runs[i];

	assert_true(i < FIXTURE_MAX_RUNS);
	f->plan.runs = f->runs;
	f->plan.total = f->plan.count;
	f->words[i][0] = "sh";
	f->words[i][1] = "-c";
	f->words[i][2] = script;
	*run = (struct plan_run){
		.name = name,
		.kernel = "sh",
		.folder = arena_format(&f->arena, "%s/%s", root->path, name),
		.words = f->words[i],
		.nr_words = 3,
		.cpus = 1,
		.timeout_ns = 60000000000ULL,
		.status = -1,
	};
	return run;
}

#endif
