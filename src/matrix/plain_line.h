/* SPDX-License-Identifier: Apache-2.0 */
/* One line of a guest's console, fit to stand in a table on a terminal. Pure. */
#ifndef VMM_MATRIX_PLAIN_LINE_H
#define VMM_MATRIX_PLAIN_LINE_H

#include <stddef.h>

/* The last line of @text in which something is printed, as printable ASCII: without escape sequences, and of what a
 * carriage return wrote over only the last. Other characters become '?'. NUL-terminated, cut to @size. */
void plain_line_last(const char *text, size_t len, char *line, size_t size);

#endif
