/* SPDX-License-Identifier: Apache-2.0 */
/* Shows how the runs go: a table that is redrawn in place on a terminal, a line for each end elsewhere. Main thread. */
#ifndef VMM_MATRIX_SCREEN_H
#define VMM_MATRIX_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "matrix/plan.h"

#define SCREEN_TICK_NS 100000000ULL

struct screen {
	const struct plan *plan;
	int table_fd; /* a terminal; -1: no table */
	int lines_fd; /* -1: no lines */
	int stop_fd;  /* readable: do not wait for a reader; -1: there is none */
	bool colour;
	bool is_broken; /* a write to lines_fd failed */
	unsigned rows, columns, drawn;
	unsigned ended;
	uint64_t start_ns, due_ns;
	char *text;
};

/* Which of standard error and output are terminals decides what is shown where. @quiet: nothing. 0 or -ENOMEM. */
MUST_CHECK int screen_init(struct screen *screen, const struct plan *plan, int stop_fd, bool quiet);
void screen_fini(struct screen *screen);

/* For struct runner_watch; @opaque is the screen. */
void screen_on_end(void *opaque, struct plan_run *run);
void screen_on_tick(void *opaque, uint64_t now_ns);
void screen_on_resize(void *opaque);

/* The table as it is at the end stays. */
void screen_finish(struct screen *screen);

#endif
