/* SPDX-License-Identifier: Apache-2.0 */
/* A strict reader of one JSON text (RFC 8259), enough to check what vmm writes. */
#ifndef VMM_TEST_KVM_JSON_CHECK_H
#define VMM_TEST_KVM_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Is @text, @len bytes, exactly one JSON object? */
bool json_check_object(const char *text, size_t len);

/* The value of @key in the object @text, NUL-terminated into @buf: a string without its quotes, anything else as it is
 * written. "a.b" looks into the object that is a's value. False when there is none. @text has been checked. */
bool json_check_find(const char *text, const char *key, char *buf, size_t size);

#endif
