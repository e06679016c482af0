/* SPDX-License-Identifier: Apache-2.0 */
#include "ci/out_names.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_component(const char *part, size_t len, const char *text)
{
	return len == strlen(text) && memcmp(part, text, len) == 0;
}

const char *out_names_path(const char *name, size_t len, const char **reason)
{
	const char *path = name;
	unsigned components = 0;

	if (strlen(name) != len) {
		*reason = "there is a NUL in its name";
		return NULL;
	}
	while (path[0] == '.' && path[1] == '/')
		path += 2;
	if (len && strcmp(path, ".") == 0)
		path++;
	if (len && !*path)
		return path;
	for (const char *part = path; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL) {
		size_t part_len = strcspn(part, "/");

		if (part_len == 0 || is_component(part, part_len, ".") || is_component(part, part_len, ".."))
			*reason = "its name is not one below the folder";
		else if (part_len > NAME_MAX || len >= PATH_MAX)
			*reason = "its name is too long";
		else if (++components > OUT_NAMES_MAX_DEPTH)
			*reason = "it lies in too many folders";
		else
			continue;
		return NULL;
	}
	return path;
}

unsigned out_names_depth(const char *path)
{
	unsigned depth = 0;

	while ((path = strchr(path, '/'))) {
		depth++;
		path++;
	}
	return depth;
}

const char *out_names_refuse_target(const char *target, size_t len, unsigned depth)
{
	bool named = false;

	if (len == 0 || len >= PATH_MAX || strlen(target) != len)
		return "its target is no path";
	if (*target == '/')
		return "it is a link to an absolute path";
	for (const char *part = target; *part;) {
		size_t part_len = strcspn(part, "/");

		if (is_component(part, part_len, "..")) {
			if (named)
				return "it is a link with .. behind a name";
			if (depth-- == 0)
				return "it is a link that leads outside";
		} else if (part_len && !is_component(part, part_len, ".")) {
			named = true;
		}
		part += part_len;
		part += strspn(part, "/");
	}
	return NULL;
}

const char *out_names_show(const char *name, size_t len, char *buf, size_t size)
{
	static const char cut[] = "...";
	size_t at = 0;

	ASSERT(size >= sizeof(cut));
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];
		bool plain = c >= 0x20 && c <= 0x7e && c != '\\';

		if (at + (plain ? 1 : 4) + sizeof(cut) > size) {
			memcpy(buf + at, cut, sizeof(cut));
			return buf;
		}
		at += (size_t)snprintf(buf + at, size - at, plain ? "%c" : "\\x%02x", c);
	}
	buf[at] = '\0';
	return buf;
}
