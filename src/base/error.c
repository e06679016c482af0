/* SPDX-License-Identifier: Apache-2.0 */
/* User-facing error lines and the assertion handler. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int error_set(struct error *err, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return code;
}

_Noreturn void assert_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "vmm: bug: %s:%d: assertion failed: %s\n", file, line, condition);
	abort();
}
