/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes and small macros used everywhere, and ASSERT, which is for our own bugs only and stays on in release. */
#ifndef VMM_BASE_COMPILER_H
#define VMM_BASE_COMPILER_H

#include <stddef.h>

#define MUST_CHECK	  __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define ARRAY_SIZE(a)	  (sizeof(a) / sizeof((a)[0]))

/* The object of type @type whose member @member is at @ptr. */
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

_Noreturn void assert_failed(const char *condition, const char *file, int line);

/* A broken invariant of ours (never a guest's or a user's doing): prints where, aborts. @cond has no side effects. */
#define ASSERT(cond)                                                                                                   \
	do {                                                                                                           \
		if (__builtin_expect(!(cond), 0))                                                                      \
			assert_failed(#cond, __FILE__, __LINE__);                                                      \
	} while (0)

#endif
