/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input that must reach a program through a terminal in canonical mode unchanged, whatever bytes it is of: characters
 * that mean something there are quoted (Ctrl-V, VLNEXT), and lines longer than the terminal's buffer are handed out in
 * pieces (Ctrl-D, VEOF, behind a piece; POSIX.1-2017 11.1.6, Linux drivers/tty/n_tty.c). Pure.
 */
#ifndef VMM_LINE_QUOTE_H
#define VMM_LINE_QUOTE_H

#include <stddef.h>
#include <stdint.h>

#define LINE_QUOTE_END	0x04 /* VEOF: the end of the input, in the midst of a line only of the piece */
#define LINE_QUOTE_NEXT 0x16 /* VLNEXT */

/*
 * Bytes without a newline after which a piece ends: N_TTY_BUF_SIZE is 4096. A prime: between February and June 2022
 * Linux (5.17, 5.18 and stable ones) took a piece's end for the input's when it stood right behind what was read
 * (359303076163, repaired by 65a8b287023d), and buffers have round sizes.
 */
#define LINE_QUOTE_PIECE 2039

/* Room for @len bytes (LINE_QUOTE_PIECE at most), quoted. */
#define LINE_QUOTE_SIZE(len) (2 * (len) + 1)

/* Starts as zeroes. */
struct line_quote {
	size_t line; /* bytes since the last newline or end of a piece */
};

/* Writes @len bytes (LINE_QUOTE_PIECE at most) quoted to @to, of LINE_QUOTE_SIZE(len). Returns how many that are. */
size_t line_quote_put(struct line_quote *quote, uint8_t *to, const uint8_t *data, size_t len);

#endif
