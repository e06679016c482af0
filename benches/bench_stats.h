/* SPDX-License-Identifier: Apache-2.0 */
/* Order statistics of small samples, and ratios of two samples taken in pairs. Any thread. */
#ifndef VMM_BENCH_STATS_H
#define VMM_BENCH_STATS_H

#include <stddef.h>

#include "base/compiler.h"

struct bench_summary {
	size_t count;
	double min, q1, median, q3, max; /* all 0 when count is 0 */
};

struct bench_ratio {
	double of_medians;	     /* median(a) / median(b) */
	struct bench_summary paired; /* of a[i] / b[i]: what drifts during the run touches both of a pair */
};

/* Quartiles are interpolated between the two nearest values (as R's type 7). @values is not changed.
 * 0, or -ENOMEM. */
MUST_CHECK int bench_stats_summarise(const double *values, size_t count, struct bench_summary *summary);

/* 0, -EINVAL when there is no pair or a divisor is not above zero, or -ENOMEM. */
MUST_CHECK int bench_stats_compare(const double *a, const double *b, size_t count, struct bench_ratio *ratio);

/* Which of @count cases is run at @position of round @round: forward, then backward, and so on, so that no case always
 * profits from what the one before it left behind. */
size_t bench_stats_turn(size_t round, size_t position, size_t count);

#endif
