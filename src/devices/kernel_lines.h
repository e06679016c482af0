/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which lines of Linux's log tell of a fault in the kernel. Whole phrases of known origin: a kernel also says "WARNING"
 * of an unusual set-up ("WARNING: The mand mount option has been deprecated"). Pure.
 */
#ifndef VMM_DEVICES_KERNEL_LINES_H
#define VMM_DEVICES_KERNEL_LINES_H

#include <stddef.h>

enum kernel_line {
	KERNEL_LINE_PLAIN,
	KERNEL_LINE_WARN, /* it complained and goes on: WARN(), lockdep, UBSAN, RCU stalls, hung tasks */
	KERNEL_LINE_OOPS, /* "BUG: ..." of every kind, an exception it did not expect, a lockup */
};

/* The length of printk's prefix at the beginning of @line: "[   12.345678] ", "[   12.345678][    T1] " or
 * "[    T1] ". 0: there is none. */
size_t kernel_lines_prefix(const char *line);

/* @text: a whole line without that prefix. */
enum kernel_line kernel_lines_judge(const char *text);

#endif
