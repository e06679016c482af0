/* SPDX-License-Identifier: Apache-2.0 */
/* The `vmm run` command line of one run, as words and as a line for a shell. Pure. */
#ifndef VMM_MATRIX_RUN_WORDS_H
#define VMM_MATRIX_RUN_WORDS_H

#include <stddef.h>

#include "matrix/arena.h"
#include "matrix/plan.h"
#include "matrix/settings.h"

/* Sets run->words; its folder and out are set. @command: none without items. 0 or -ENOMEM. */
MUST_CHECK int run_words_make(struct plan_run *run, const char *kernel, const struct settings *settings,
			      const struct arena_list *command, struct arena *arena);

/* The words as a shell takes them, or NULL without memory. */
const char *run_words_quote(const struct plan_run *run, struct arena *arena);

#endif
