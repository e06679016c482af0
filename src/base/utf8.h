/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes UTF-8 of unknown quality. Pure. */
#ifndef VMM_BASE_UTF8_H
#define VMM_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT 0xfffdu

/* Length of the well-formed sequence at @p (Unicode 15.0, table 3-7) with its code point in *code; for an ill-formed
 * one the length of its maximal subpart, at least 1, and UTF8_REPLACEMENT. @len is above 0. */
size_t utf8_decode(const uint8_t *p, size_t len, uint32_t *code);

#endif
