/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "matrix/json_place.h"
#include "matrix/nearest.h"

/* Room for "kernels.6.1.env.NAME" in front of a complaint. */
#define NAME_SIZE 128

static int start(struct reader *reader, const char *path, struct arena *arena, struct error *err)
{
	const char *slash = strrchr(path, '/');

	*reader = (struct reader){.file = path, .folder = "", .arena = arena, .err = err};
	if (slash)
		reader->folder = arena_format(arena, "%.*s", (int)(slash - path + 1), path);
	return reader->folder ? 0 : reader_fail_memory(reader);
}

static int parse(struct reader *reader)
{
	json_error_t refusal;

	reader->root = json_loadb(reader->text, reader->len, JSON_REJECT_DUPLICATES, &refusal);
	if (!reader->root)
		return error_set(reader->err, -EINVAL, "%s:%d:%d: is not JSON: %s", reader->file, refusal.line,
				 refusal.column, refusal.text);
	return reader_object(reader, reader->root, "{\"kernels\": {\"NAME\": \"bzImage\"}}");
}

int reader_parse(struct reader *reader, const char *path, const char *text, size_t len, struct arena *arena,
		 struct error *err)
{
	int ret = start(reader, path, arena, err);

	if (ret)
		return ret;
	reader->text = malloc(len + 1);
	if (!reader->text)
		return reader_fail_memory(reader);
	memcpy(reader->text, text, len);
	reader->len = len;
	return parse(reader);
}

int reader_open(struct reader *reader, const char *path, struct arena *arena, struct error *err)
{
	int ret = start(reader, path, arena, err), fd;
	uint64_t size;

	if (ret)
		return ret;
	fd = file_open_regular("matrix", path, &size, err);
	if (fd < 0)
		return fd;
	if (size > READER_MAX_SIZE) {
		close_fd(&fd);
		return error_set(err, -EFBIG, "matrix %s: larger than %u KiB; is it the right file?", path,
				 READER_MAX_SIZE >> 10);
	}
	reader->text = malloc((size_t)size + 1);
	ret = reader->text ? read_exact_at(fd, reader->text, (size_t)size, 0) : -ENOMEM;
	close_fd(&fd);
	if (ret)
		return error_set(err, ret, "matrix %s: cannot read: %s", path, strerror(-ret));
	reader->len = (size_t)size;
	return parse(reader);
}

void reader_fini(struct reader *reader)
{
	json_decref(reader->root);
	free(reader->text);
	reader->root = NULL;
	reader->text = NULL;
}

void reader_enter(struct reader *reader, unsigned index, const char *name)
{
	ASSERT(reader->depth < READER_MAX_DEPTH);
	reader->steps[reader->depth] = index;
	reader->names[reader->depth++] = name;
}

void reader_leave(struct reader *reader)
{
	ASSERT(reader->depth > 0);
	reader->depth--;
}

/* "sizes.small.mem: ", or nothing for the outermost value. */
static void format_name(const struct reader *reader, char *to, size_t size)
{
	size_t len = 0;

	to[0] = 0;
	for (unsigned i = 0; i < reader->depth && len < size; i++) {
		if (reader->names[i])
			len += (size_t)snprintf(to + len, size - len, "%s%s", len ? "." : "", reader->names[i]);
		else
			len += (size_t)snprintf(to + len, size - len, "[%u]", reader->steps[i]);
	}
	if (len && len < size - 2)
		snprintf(to + len, size - len, ": ");
}

static int refuse(struct reader *reader, bool at_key, const char *what)
{
	struct json_place place = json_place_find(reader->text, reader->len, reader->steps, reader->depth, at_key);
	char name[NAME_SIZE];

	format_name(reader, name, sizeof(name));
	return error_set(reader->err, -EINVAL, "%s:%u:%u: %s%s", reader->file, place.line, place.column, name, what);
}

int reader_fail(struct reader *reader, const char *fmt, ...)
{
	char what[ERROR_TEXT_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return refuse(reader, false, what);
}

int reader_fail_memory(struct reader *reader)
{
	return error_set(reader->err, -ENOMEM, "matrix %s: out of memory", reader->file);
}

int reader_fail_key(struct reader *reader, const char *const *known)
{
	const char *near = nearest_find(reader->names[reader->depth - 1], known);
	char what[ERROR_TEXT_SIZE] = "unknown key; known here: ";
	size_t len = strlen(what);

	if (near)
		snprintf(what, sizeof(what), "unknown key; is \"%s\" meant?", near);
	for (unsigned i = 0; !near && known[i] && len < sizeof(what); i++)
		len += (size_t)snprintf(what + len, sizeof(what) - len, "%s%s", i ? ", " : "", known[i]);
	return refuse(reader, true, what);
}

int reader_string(struct reader *reader, const json_t *value, const char *example, const char **text)
{
	if (!json_is_string(value))
		return reader_fail(reader, "is not a string; write %s", example);
	*text = arena_format(reader->arena, "%s", json_string_value(value));
	return *text ? 0 : reader_fail_memory(reader);
}

int reader_integer(struct reader *reader, const json_t *value, unsigned min, unsigned max, unsigned *number)
{
	json_int_t n = json_integer_value(value);

	if (!json_is_integer(value) || n < (json_int_t)min || n > (json_int_t)max)
		return reader_fail(reader, "write a whole number from %u to %u, without quotes", min, max);
	*number = (unsigned)n;
	return 0;
}

int reader_bool(struct reader *reader, const json_t *value, bool *flag)
{
	if (!json_is_boolean(value))
		return reader_fail(reader, "write true or false, without quotes");
	*flag = json_is_true(value);
	return 0;
}

int reader_object(struct reader *reader, const json_t *value, const char *example)
{
	return json_is_object(value) ? 0 : reader_fail(reader, "is not an object; write %s", example);
}

typedef int (*read_one)(struct reader *reader, const json_t *value, const char *example, const char **text);

static int read_list(struct reader *reader, const json_t *value, const char *example, read_one read,
		     struct arena_list *list)
{
	bool is_list = json_is_array(value);
	size_t count = is_list ? json_array_size(value) : 1;
	const char *text;

	if (!is_list && !json_is_string(value))
		return reader_fail(reader, "is neither a string nor a list of strings; write %s", example);
	if (count > READER_MAX_ITEMS)
		return reader_fail(reader, "has more than %d elements; put them into a script or a file",
				   READER_MAX_ITEMS);
	for (size_t i = 0; i < count; i++) {
		int ret;

		if (is_list)
			reader_enter(reader, (unsigned)i, NULL);
		ret = read(reader, is_list ? json_array_get(value, i) : value, example, &text);
		if (is_list)
			reader_leave(reader);
		if (ret)
			return ret;
		if (arena_list_add(reader->arena, list, text))
			return reader_fail_memory(reader);
	}
	return 0;
}

int reader_strings(struct reader *reader, const json_t *value, const char *example, struct arena_list *list)
{
	return read_list(reader, value, example, reader_string, list);
}

int reader_path(struct reader *reader, const json_t *value, const char *example, const char **path)
{
	int ret = reader_string(reader, value, example, path);

	if (ret)
		return ret;
	if (!**path)
		return reader_fail(reader, "is empty; write %s", example);
	if (**path != '/')
		*path = arena_format(reader->arena, "%s%s", reader->folder, *path);
	return *path ? 0 : reader_fail_memory(reader);
}

int reader_paths(struct reader *reader, const json_t *value, const char *example, struct arena_list *list)
{
	return read_list(reader, value, example, reader_path, list);
}
