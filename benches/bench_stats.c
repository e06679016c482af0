/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_stats.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int order(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static double interpolate(const double *sorted, size_t count, double fraction)
{
	double at = fraction * (double)(count - 1);
	size_t low = (size_t)floor(at);
	size_t high = low + 1 < count ? low + 1 : low;

	return sorted[low] + (at - (double)low) * (sorted[high] - sorted[low]);
}

int bench_stats_summarise(const double *values, size_t count, struct bench_summary *summary)
{
	double *sorted;

	*summary = (struct bench_summary){.count = count};
	if (count == 0)
		return 0;
	sorted = calloc(count, sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, values, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), order);
	summary->min = sorted[0];
	summary->q1 = interpolate(sorted, count, 0.25);
	summary->median = interpolate(sorted, count, 0.5);
	summary->q3 = interpolate(sorted, count, 0.75);
	summary->max = sorted[count - 1];
	free(sorted);
	return 0;
}

int bench_stats_compare(const double *a, const double *b, size_t count, struct bench_ratio *ratio)
{
	struct bench_summary of_a, of_b;
	double *ratios;
	int ret;

	if (count == 0)
		return -EINVAL;
	for (size_t i = 0; i < count; i++)
		if (!(b[i] > 0))
			return -EINVAL;
	ratios = calloc(count, sizeof(*ratios));
	if (!ratios)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		ratios[i] = a[i] / b[i];
	ret = bench_stats_summarise(ratios, count, &ratio->paired);
	free(ratios);
	ret = ret ? ret : bench_stats_summarise(a, count, &of_a);
	ret = ret ? ret : bench_stats_summarise(b, count, &of_b);
	if (ret)
		return ret;
	ratio->of_medians = of_a.median / of_b.median;
	return 0;
}

size_t bench_stats_turn(size_t round, size_t position, size_t count)
{
	return round % 2 == 0 ? position : count - 1 - position;
}
