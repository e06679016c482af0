/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_svg.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define WIDTH	     860
#define LEFT	     190 /* where the axis begins: labels stand before it */
#define RIGHT	     40
#define TOP	     84
#define ROW_HEIGHT   64
#define STROKE	     16 /* half the length of a median's stroke */
#define BOTTOM	     58
#define DOT_RADIUS   3.2
#define JITTER	     11 /* dots of a row spread this far up and down */
#define TARGET_TICKS 6

static const char *const colours[] = {"#0b6e99", "#d9730d", "#448361", "#9065b0"};

/* Text between tags and in attributes; what XML 1.0 does not allow becomes a question mark. */
static void put_text(FILE *file, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", file);
			break;
		case '<':
			fputs("&lt;", file);
			break;
		case '>':
			fputs("&gt;", file);
			break;
		case '"':
			fputs("&quot;", file);
			break;
		default:
			fputc((unsigned char)*text < ' ' || (unsigned char)*text > '~' ? '?' : *text, file);
			break;
		}
	}
}

static void put_label(FILE *file, double x, double y, const char *attributes, const char *text)
{
	fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes);
	put_text(file, text);
	fputs("</text>\n", file);
}

/* The smallest of 1, 2, 5 times a power of ten that gives about TARGET_TICKS steps up to @max. */
static double choose_step(double max)
{
	double rough = max / TARGET_TICKS;
	double power = pow(10, floor(log10(rough)));
	double steps[] = {1, 2, 5, 10};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (steps[i] * power >= rough)
			return steps[i] * power;
	return 10 * power;
}

static double find_max(const struct bench_svg *svg)
{
	double max = 0;

	for (size_t row = 0; row < svg->nr_rows; row++)
		for (size_t i = 0; i < svg->rows[row].count; i++)
			max = fmax(max, svg->rows[row].values[i]);
	return max > 0 && isfinite(max) ? max : 1;
}

static void put_axis(FILE *file, const struct bench_svg *svg, double end, double step)
{
	double bottom = TOP + (double)svg->nr_rows * ROW_HEIGHT;
	int decimals = step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0;
	int ticks = (int)lround(end / step);
	char text[32];

	for (int tick = 0; tick <= ticks; tick++) {
		double x = LEFT + (WIDTH - LEFT - RIGHT) * (tick * step) / end;

		fprintf(file, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", x, TOP - 8, x,
			bottom, tick ? "#e6e8eb" : "#8a9199");
		snprintf(text, sizeof(text), "%.*f", decimals, tick * step);
		put_label(file, x, bottom + 18, "text-anchor=\"middle\" font-size=\"12\" fill=\"#5c6670\"", text);
	}
	put_label(file, LEFT + (WIDTH - LEFT - RIGHT) / 2.0, bottom + 42,
		  "text-anchor=\"middle\" font-size=\"13\" fill=\"#2b3036\"", svg->unit);
}

static void put_median(FILE *file, const struct bench_svg_row *row, double y, double scale, const char *colour)
{
	double median = bench_summarise(row->values, row->count).median;
	double x = LEFT + median * scale;
	char attributes[128], text[48];

	fprintf(file, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"2.5\"/>\n", x,
		y - STROKE, x, y + STROKE, colour);
	snprintf(attributes, sizeof(attributes),
		 "text-anchor=\"middle\" font-size=\"13\" font-weight=\"600\" fill=\"%s\"", colour);
	snprintf(text, sizeof(text), "%.*f", median < 10 ? 2 : 1, median);
	put_label(file, x, y - STROKE - 5, attributes, text);
}

static void put_row(FILE *file, const struct bench_svg *svg, size_t index, double scale)
{
	const struct bench_svg_row *row = &svg->rows[index];
	const char *colour = colours[index % ARRAY_SIZE(colours)];
	double y = TOP + ((double)index + 0.6) * ROW_HEIGHT;

	put_label(file, LEFT - 14, y + 4.5, "text-anchor=\"end\" font-size=\"13\" fill=\"#2b3036\"", row->label);
	if (row->count == 0) {
		put_label(file, LEFT + 12, y + 4.5, "font-size=\"12\" font-style=\"italic\" fill=\"#5c6670\"",
			  row->note ? row->note : "no value");
		return;
	}
	for (size_t i = 0; i < row->count; i++) {
		/* Steps of 7 through 23 places: neighbours in time stand apart, and the picture is the same each time.
		 */
		double shift = ((double)(i * 7 % 23) / 11.0 - 1) * JITTER;

		fprintf(file, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\" fill-opacity=\"0.45\"/>\n",
			LEFT + row->values[i] * scale, row->count > 1 ? y + shift : y, DOT_RADIUS, colour);
	}
	put_median(file, row, y, scale, colour);
}

static void put_all(FILE *file, const struct bench_svg *svg)
{
	double max = find_max(svg);
	double step = choose_step(max);
	double end = step * ceil(max / step - 1e-9);
	double height = TOP + (double)svg->nr_rows * ROW_HEIGHT + BOTTOM;

	fprintf(file,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" viewBox=\"0 0 %d %.0f\" "
		"font-family=\"system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
		WIDTH, height, WIDTH, height);
	put_label(file, 24, 34, "font-size=\"18\" font-weight=\"600\" fill=\"#16191d\"", svg->title);
	put_label(file, 24, 56, "font-size=\"13\" fill=\"#5c6670\"", svg->subtitle);
	put_axis(file, svg, end, step);
	for (size_t i = 0; i < svg->nr_rows; i++)
		put_row(file, svg, i, (WIDTH - LEFT - RIGHT) / end);
	fputs("</svg>\n", file);
}

void bench_svg_write(const struct bench *bench, const struct bench_svg *svg)
{
	char path[BENCH_PATH_SIZE + 64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.svg", bench->out, bench->name);
	file = fopen(path, "we");
	if (!file)
		bench_fail(bench->name, "%s: cannot write: %s", path, strerror(errno));
	put_all(file, svg);
	if (fclose(file))
		bench_fail(bench->name, "%s: cannot write: %s", path, strerror(errno));
}
