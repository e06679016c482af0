/* SPDX-License-Identifier: Apache-2.0 */
/* An arbitrary text as a matrix file: it is refused with a line, or makes a plan whose runs are complete. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "matrix/plan.h"
#include "matrix/run_words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_run(const struct plan_run *run, struct arena *arena)
{
	ASSERT(*run->name && !strchr(run->name, '/') && strcmp(run->name, "..") != 0 && *run->name != '.');
	ASSERT(run->nr_words > 2 && run->words[run->nr_words] == NULL);
	ASSERT(run->cpus >= 1 && run->timeout_ns > 0 && run->expect >= 0);
	ASSERT(run_words_quote(run, arena));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct matrix_file file;
	struct plan plan;
	struct error err = {""};
	int ret = matrix_file_parse(&file, "dir/m.json", (const char *)data, size, &arena, &err);

	if (!ret)
		ret = plan_make(&plan, &file, "logs", &(struct arena_list){0}, &arena, &err);
	ASSERT(ret <= 0);
	ASSERT((ret < 0) == (err.text[0] != 0));
	for (unsigned i = 0; !ret && i < plan.count; i++)
		check_run(&plan.runs[i], &arena);
	arena_fini(&arena);
	return 0;
}
