/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic on untrusted numbers: overflow is an answer, never a wrap. */
#ifndef VMM_BASE_CHECKED_H
#define VMM_BASE_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* True and *sum = a + b, or false on overflow. */
static inline MUST_CHECK bool checked_add(uint64_t a, uint64_t b, uint64_t *sum)
{
	return !__builtin_add_overflow(a, b, sum);
}

static inline MUST_CHECK bool checked_mul(uint64_t a, uint64_t b, uint64_t *product)
{
	return !__builtin_mul_overflow(a, b, product);
}

/* Is [offset, offset + len) inside [0, size)? A zero @len is inside when offset <= size. */
static inline MUST_CHECK bool range_within(uint64_t offset, uint64_t len, uint64_t size)
{
	return offset <= size && len <= size - offset;
}

/* Do [a, a + a_len) and [b, b + b_len) share a byte? Neither may wrap. */
static inline MUST_CHECK bool ranges_overlap(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a_len && b_len && a < b + b_len && b < a + a_len;
}

/* @align is a power of two. align_up: the caller has made sure that v + align - 1 does not wrap. */
static inline uint64_t align_down(uint64_t v, uint64_t align)
{
	return v & ~(align - 1);
}
static inline uint64_t align_up(uint64_t v, uint64_t align)
{
	return (v + align - 1) & ~(align - 1);
}

#endif
