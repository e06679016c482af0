/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A streaming JSON writer (RFC 8259) into a bounded buffer of the caller, for --events lines and reports. Whatever
 * bytes go in, what comes out is valid JSON on one line, or -ENOSPC: never a part of a line. Any thread, one per
 * struct.
 */
#ifndef VMM_BASE_JSON_H
#define VMM_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define JSON_MAX_DEPTH	  32
#define JSON_MAX_DECIMALS 9

struct json {
	char *buf; /* borrowed */
	size_t size;
	size_t len;
	uint32_t arrays; /* bit n: level n is an array, else an object */
	unsigned depth;
	bool has_sibling; /* a value precedes at this level: the next one needs a comma */
	bool has_root;
	bool overflow;
};

/* Starts a document in @buf, which the caller keeps until json_finish. */
void json_init(struct json *json, char *buf, size_t size);

/* Every value takes the key it has in its object; @key is NULL in an array and for the outermost value. */
void json_open_object(struct json *json, const char *key);
void json_open_array(struct json *json, const char *key);
void json_close(struct json *json); /* the innermost object or array */

/* Control characters become escapes; each maximal ill-formed UTF-8 sequence becomes U+FFFD. */
void json_put_string(struct json *json, const char *key, const char *text);
void json_put_bytes(struct json *json, const char *key, const void *data, size_t len);
void json_put_u64(struct json *json, const char *key, uint64_t value);
void json_put_i64(struct json *json, const char *key, int64_t value);
void json_put_bool(struct json *json, const char *key, bool value);
void json_put_null(struct json *json, const char *key);

/* @value with exactly @decimals (at most JSON_MAX_DECIMALS) digits behind the point; null when it is not finite. */
void json_put_fixed(struct json *json, const char *key, double value, unsigned decimals);

/* Ends the document with a newline and a NUL; everything opened must be closed. 0 with the length (the newline counts,
 * the NUL does not) in *len, or -ENOSPC, *len 0 and an empty string when it did not fit. */
MUST_CHECK int json_finish(struct json *json, size_t *len);

#endif
