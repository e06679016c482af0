/* SPDX-License-Identifier: Apache-2.0 */
/* The folder that a matrix writes to: one folder a run in it. One thread. */
#ifndef VMM_MATRIX_LOG_FOLDER_H
#define VMM_MATRIX_LOG_FOLDER_H

#include <stddef.h>

#include "base/error.h"
#include "matrix/plan.h"

/* Makes @path, with the folders above it, and takes it for this process alone. Its descriptor, which the caller closes
 * at the end, or -errno with a line. */
MUST_CHECK int log_folder_open(const char *path, struct error *err);

/* Refuses what an earlier run brought out of its guest: it would be taken for this one's. 0, or -errno with a line. */
MUST_CHECK int log_folder_check(const struct plan *plan, struct error *err);

/* Makes the folder of @run and removes what we wrote there earlier. Its vmm.log, open for writing, or -errno with a
 * line. */
MUST_CHECK int log_folder_begin(const struct plan_run *run, struct error *err);

/* The last @size bytes at most of @name in the run's folder. Returns how many; 0 when there is no such file. */
size_t log_folder_tail(const struct plan_run *run, const char *name, char *buf, size_t size);

/* The last line that is not empty, without what steers a terminal; "" when there is none. */
void log_folder_last_line(const struct plan_run *run, const char *name, char *line, size_t size);

/* What the run said last: the console or vmm itself, whichever file changed last. */
void log_folder_said(const struct plan_run *run, char *line, size_t size);

#endif
