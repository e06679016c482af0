/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One clear line for the user. Start-up code that can fail for a reason the user can mend takes a struct error:
 * what is wrong, which file, how to fix it, without a trailing newline and without the "vmm: " prefix.
 */
#ifndef VMM_BASE_ERROR_H
#define VMM_BASE_ERROR_H

#include "base/compiler.h"

#define ERROR_TEXT_SIZE 512

struct error {
	char text[ERROR_TEXT_SIZE];
};

/* Stores the formatted line in @err and returns @code (a negative errno), so that callers can `return error_set(...)`.
 */
int error_set(struct error *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
