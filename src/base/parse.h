/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as users write them: sizes ("256M"), durations ("90s", "2m", "500ms") and plain counts. */
#ifndef VMM_BASE_PARSE_H
#define VMM_BASE_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* "512", "64K", "256M", "4G", "1T" (also kKmMgGtT, an optional "iB" or "B"): powers of 1024; no suffix is bytes.
 * 0 with *bytes, -EINVAL when it is not a size, -ERANGE when it does not fit 64 bits. */
MUST_CHECK int parse_size(const char *text, uint64_t *bytes);

/* "90" and "90s" are seconds; "500ms", "2m", "1h"; a decimal fraction is allowed ("1.5s").
 * 0 with *ns, -EINVAL, or -ERANGE when it does not fit. */
MUST_CHECK int parse_duration(const char *text, uint64_t *ns);

/* A decimal or 0x number with nothing behind it. 0, -EINVAL, -ERANGE (also when above @max). */
MUST_CHECK int parse_u64(const char *text, uint64_t max, uint64_t *value);

/* Writes @bytes as a person would ("256M", "1.5G", "512 bytes") into @buf; returns @buf. */
const char *format_size(uint64_t bytes, char *buf, size_t size);

#endif
