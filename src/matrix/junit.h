/* SPDX-License-Identifier: Apache-2.0 */
/* The runs as JUnit XML, which CI servers read: one suite a kernel. One thread. */
#ifndef VMM_MATRIX_JUNIT_H
#define VMM_MATRIX_JUNIT_H

#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "matrix/plan.h"

#define JUNIT_MAX_OUTPUT ((size_t)65536) /* of a run's log */

/* 0, or -errno with a line. */
MUST_CHECK int junit_write(const struct plan *plan, const char *path, time_t started, uint64_t elapsed_ns,
			   struct error *err);

#endif
