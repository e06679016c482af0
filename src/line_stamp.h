/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The times of --console-time: before each line the seconds since vmm started, when the line's first byte came, in ten
 * columns with milliseconds, then two spaces: "     1.250  [    0.000000] Linux version ...". `cut -c13-` removes it.
 */
#ifndef VMM_LINE_STAMP_H
#define VMM_LINE_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "out_stream.h"

#define LINE_STAMP_WIDTH 12 /* grows after 11 days */
#define LINE_STAMP_SIZE	 32

/* As out_stream_put, with a stamp before the first byte of each line: both are taken, or neither. @start_ns: of
 * CLOCK_MONOTONIC. @is_midline: the last byte that was put before was no newline. */
size_t line_stamp_put(struct out_stream *out, uint64_t start_ns, bool is_midline, const uint8_t *data, size_t len);

/* Writes the stamp of @ns after the start to @buf (LINE_STAMP_SIZE), without a NUL. Returns its length. */
size_t line_stamp_format(uint64_t ns, uint8_t *buf);

#endif
