/* SPDX-License-Identifier: Apache-2.0 */
/* What became of the runs: for programs as JSON, for people as a few lines. One thread. */
#ifndef VMM_MATRIX_SUMMARY_H
#define VMM_MATRIX_SUMMARY_H

#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "matrix/plan.h"

/* One JSON document at @path. 0, or -errno with a line. */
MUST_CHECK int summary_write_json(const struct plan *plan, const char *path, uint64_t elapsed_ns, struct error *err);

/* Each run that did not pass, with its log folder, and the sums. Errors stay in the stream. */
void summary_print(const struct plan *plan, const char *logs, uint64_t elapsed_ns, FILE *to);

#endif
