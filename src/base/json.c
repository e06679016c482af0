/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

void json_init(struct json *json, char *buf, size_t size)
{
	*json = (struct json){.buf = buf, .size = size};
}

static void append(struct json *json, const void *data, size_t len)
{
	/* Strictly less: one byte stays free for the NUL. */
	if (json->overflow || len >= json->size - json->len) {
		json->overflow = true;
		return;
	}
	memcpy(json->buf + json->len, data, len);
	json->len += len;
}

static void append_char(struct json *json, char c)
{
	append(json, &c, 1);
}

static void append_format(struct json *json, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void append_format(struct json *json, const char *fmt, ...)
{
	size_t room = json->overflow ? 0 : json->size - json->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room ? json->buf + json->len : NULL, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room)
		json->overflow = true;
	else
		json->len += (size_t)n;
}

/* C1 controls and DEL are legal in JSON, but a report that is shown must not steer the terminal. */
static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

static void append_quoted(struct json *json, const uint8_t *data, size_t len)
{
	append_char(json, '"');
	while (len && !json->overflow) {
		uint32_t code;
		size_t n = utf8_decode(data, len, &code);

		if (code == '"' || code == '\\')
			append_format(json, "\\%c", (char)code);
		else if (code == '\n')
			append(json, "\\n", 2);
		else if (code == '\r')
			append(json, "\\r", 2);
		else if (code == '\t')
			append(json, "\\t", 2);
		else if (is_control(code) || code == UTF8_REPLACEMENT)
			append_format(json, "\\u%04" PRIx32, code);
		else
			append(json, data, n);
		data += n;
		len -= n;
	}
	append_char(json, '"');
}

static bool is_in_array(const struct json *json)
{
	return json->depth && json->arrays >> (json->depth - 1) & 1;
}

/* The comma and the key in front of a value. */
static void begin_value(struct json *json, const char *key)
{
	ASSERT(json->depth || !json->has_root);
	ASSERT((key != NULL) == (json->depth && !is_in_array(json)));
	if (json->has_sibling)
		append_char(json, ',');
	if (key) {
		append_quoted(json, (const uint8_t *)key, strlen(key));
		append_char(json, ':');
	}
	json->has_root = true;
	json->has_sibling = true;
}

static void open_level(struct json *json, const char *key, bool array)
{
	begin_value(json, key);
	ASSERT(json->depth < JSON_MAX_DEPTH);
	json->arrays &= ~(1u << json->depth);
	json->arrays |= (uint32_t)array << json->depth;
	json->depth++;
	json->has_sibling = false;
	append_char(json, array ? '[' : '{');
}

void json_open_object(struct json *json, const char *key)
{
	open_level(json, key, false);
}

void json_open_array(struct json *json, const char *key)
{
	open_level(json, key, true);
}

void json_close(struct json *json)
{
	ASSERT(json->depth);
	append_char(json, is_in_array(json) ? ']' : '}');
	json->depth--;
	json->has_sibling = true;
}

void json_put_bytes(struct json *json, const char *key, const void *data, size_t len)
{
	begin_value(json, key);
	append_quoted(json, data, len);
}

void json_put_string(struct json *json, const char *key, const char *text)
{
	json_put_bytes(json, key, text, strlen(text));
}

void json_put_u64(struct json *json, const char *key, uint64_t value)
{
	begin_value(json, key);
	append_format(json, "%" PRIu64, value);
}

void json_put_i64(struct json *json, const char *key, int64_t value)
{
	begin_value(json, key);
	append_format(json, "%" PRId64, value);
}

void json_put_bool(struct json *json, const char *key, bool value)
{
	begin_value(json, key);
	append_format(json, "%s", value ? "true" : "false");
}

void json_put_null(struct json *json, const char *key)
{
	begin_value(json, key);
	append_format(json, "null");
}

void json_put_fixed(struct json *json, const char *key, double value, unsigned decimals)
{
	ASSERT(decimals <= JSON_MAX_DECIMALS);
	if (!isfinite(value)) {
		json_put_null(json, key);
		return;
	}
	begin_value(json, key);
	append_format(json, "%.*f", (int)decimals, value);
}

int json_finish(struct json *json, size_t *len)
{
	ASSERT(json->depth == 0 && json->has_root);
	append_char(json, '\n');
	*len = json->overflow ? 0 : json->len;
	if (json->size)
		json->buf[*len] = '\0';
	return json->overflow ? -ENOSPC : 0;
}
