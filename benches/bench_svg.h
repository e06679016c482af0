/* SPDX-License-Identifier: Apache-2.0 */
/* A dot plot as an SVG file: one row a case, every raw value a dot, the median a stroke with its figure, axis from
 * zero. */
#ifndef VMM_BENCH_SVG_H
#define VMM_BENCH_SVG_H

#include <stddef.h>

#include "bench.h"

struct bench_svg_row {
	const char *label;
	const double *values;
	size_t count;
	const char *note; /* stands in the row when it has no values; may be NULL */
};

struct bench_svg {
	const char *title, *subtitle;
	const char *unit; /* of the axis: "wall time, ms" */
	const struct bench_svg_row *rows;
	size_t nr_rows;
};

/* Writes <out>/<bench's name>.svg. Ends the program with a line on stderr when it cannot. */
void bench_svg_write(const struct bench *bench, const struct bench_svg *svg);

#endif
