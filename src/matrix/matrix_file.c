/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/matrix_file.h"

#include <errno.h>
#include <string.h>

#define MAX_SKIPS 1024

static const struct {
	const char *key;      /* of the axis */
	const char *skip_key; /* of one of its entries */
	const char *own_key;  /* in an entry, besides the settings */
	const char *example;
} axes[MATRIX_AXES] = {
	[MATRIX_KERNELS] = {"kernels", "kernel", "path", "{\"6.1\": \"bzImage\"}"},
	[MATRIX_COMMANDS] = {"commands", "command", "run", "{\"unit\": [\"/bin/sh\", \"-c\", \"make check\"]}"},
	[MATRIX_SIZES] = {"sizes", "size", NULL, "{\"small\": {\"mem\": \"256M\", \"cpus\": 1}}"},
};

static int read_run(struct reader *reader, struct matrix_entry *entry, const json_t *value)
{
	int ret;

	/* A single string is a shell's line, as elsewhere. */
	if (json_is_string(value) && (arena_list_add(reader->arena, &entry->words, "/bin/sh") ||
				      arena_list_add(reader->arena, &entry->words, "-c")))
		return reader_fail_memory(reader);
	ret = reader_strings(reader, value, "[\"/bin/sh\", \"-c\", \"make check\"]", &entry->words);
	if (ret)
		return ret;
	if (entry->words.count == 0 || !*entry->words.items[0])
		return reader_fail(reader, "names no program; write [\"/bin/true\"]");
	return 0;
}

static int read_own(struct reader *reader, struct matrix_entry *entry, enum matrix_axis axis, const json_t *value)
{
	if (axis == MATRIX_COMMANDS)
		return read_run(reader, entry, value);
	return reader_path(reader, value, "\"bzImage\"", &entry->path);
}

static int fail_entry_key(struct reader *reader, enum matrix_axis axis)
{
	struct arena_list known = {0};

	if ((axes[axis].own_key && arena_list_add(reader->arena, &known, axes[axis].own_key)) ||
	    settings_add_keys(reader->arena, &known))
		return reader_fail_memory(reader);
	return reader_fail_key(reader, known.items);
}

static int read_member(struct reader *reader, struct matrix_entry *entry, enum matrix_axis axis, const char *key,
		       const json_t *value)
{
	int ret;

	if (axes[axis].own_key && strcmp(key, axes[axis].own_key) == 0)
		return read_own(reader, entry, axis, value);
	ret = settings_read(reader, &entry->settings, key, value);
	return ret == 0 ? fail_entry_key(reader, axis) : ret < 0 ? ret : 0;
}

static int read_members(struct reader *reader, struct matrix_entry *entry, enum matrix_axis axis, json_t *value)
{
	unsigned index = 0;
	const char *key;
	json_t *member;

	json_object_foreach(value, key, member)
	{
		int ret;

		reader_enter(reader, index++, key);
		ret = read_member(reader, entry, axis, key, member);
		reader_leave(reader);
		if (ret)
			return ret;
	}
	return 0;
}

static int read_entry(struct reader *reader, struct matrix_entry *entry, enum matrix_axis axis, json_t *value)
{
	int ret;

	entry->settings = SETTINGS_NONE;
	if (!*entry->name)
		return reader_fail(reader, "has an empty name; write %s", axes[axis].example);
	/* The short form: what stands for "path" or "run" alone. */
	if (axes[axis].own_key && !json_is_object(value))
		return read_own(reader, entry, axis, value);
	ret = reader_object(reader, value, axes[axis].example);
	if (!ret)
		ret = read_members(reader, entry, axis, value);
	if (!ret && axis == MATRIX_KERNELS && !entry->path)
		return reader_fail(reader, "has no \"path\"; write {\"path\": \"bzImage\"}");
	return ret;
}

static int read_axis(struct reader *reader, struct matrix_file *file, enum matrix_axis axis, json_t *value)
{
	int ret = reader_object(reader, value, axes[axis].example);
	struct matrix_entry *entries;
	unsigned index = 0;
	const char *name;
	json_t *member;

	if (ret)
		return ret;
	if (json_object_size(value) == 0)
		return reader_fail(reader, "is empty; write %s", axes[axis].example);
	entries = arena_alloc(reader->arena, json_object_size(value) * sizeof(*entries));
	if (!entries)
		return reader_fail_memory(reader);
	file->entries[axis] = entries;
	json_object_foreach(value, name, member)
	{
		reader_enter(reader, index, name);
		entries[index].name = arena_format(reader->arena, "%s", name);
		ret = entries[index].name ? read_entry(reader, &entries[index], axis, member)
					  : reader_fail_memory(reader);
		reader_leave(reader);
		if (ret)
			return ret;
		index++;
	}
	file->counts[axis] = index;
	return 0;
}

static int find_entry(const struct matrix_file *file, enum matrix_axis axis, const char *name)
{
	for (unsigned i = 0; i < file->counts[axis]; i++)
		if (file->entries[axis][i].name && strcmp(file->entries[axis][i].name, name) == 0)
			return (int)i;
	return -1;
}

static int read_skip_member(struct reader *reader, const struct matrix_file *file, struct matrix_skip *skip,
			    const char *key, const json_t *value)
{
	static const char *const keys[] = {"kernel", "command", "size", NULL};
	const char *name;
	int axis = 0, ret;

	while (keys[axis] && strcmp(key, axes[axis].skip_key) != 0)
		axis++;
	if (!keys[axis])
		return reader_fail_key(reader, keys);
	ret = reader_string(reader, value, "the name of one", &name);
	if (ret)
		return ret;
	skip->index[axis] = find_entry(file, (enum matrix_axis)axis, name);
	if (skip->index[axis] < 0)
		return reader_fail(reader, "\"%s\" is not among the %s; write one of those", name, axes[axis].key);
	return 0;
}

static int read_skip(struct reader *reader, const struct matrix_file *file, struct matrix_skip *skip, json_t *value)
{
	int ret = reader_object(reader, value, "{\"kernel\": \"6.1\", \"size\": \"small\"}");
	unsigned index = 0;
	const char *key;
	json_t *member;

	*skip = (struct matrix_skip){{-1, -1, -1}};
	if (ret)
		return ret;
	if (json_object_size(value) == 0)
		return reader_fail(reader, "would skip everything; name a kernel, a command or a size");
	json_object_foreach(value, key, member)
	{
		reader_enter(reader, index++, key);
		ret = read_skip_member(reader, file, skip, key, member);
		reader_leave(reader);
		if (ret)
			return ret;
	}
	return 0;
}

static int read_skips(struct reader *reader, struct matrix_file *file, const json_t *value)
{
	size_t count = json_array_size(value);

	if (!json_is_array(value))
		return reader_fail(reader, "is not a list; write [{\"kernel\": \"6.1\", \"size\": \"small\"}]");
	if (count > MAX_SKIPS)
		return reader_fail(reader, "has more than %d entries; leave out whole kernels, commands or sizes",
				   MAX_SKIPS);
	file->skips = arena_alloc(reader->arena, count * sizeof(*file->skips));
	if (!file->skips)
		return reader_fail_memory(reader);
	for (size_t i = 0; i < count; i++) {
		int ret;

		reader_enter(reader, (unsigned)i, NULL);
		ret = read_skip(reader, file, &file->skips[i], json_array_get(value, i));
		reader_leave(reader);
		if (ret)
			return ret;
	}
	file->nr_skips = (unsigned)count;
	return 0;
}

static int fail_top_key(struct reader *reader)
{
	static const char *const own[] = {"kernels", "commands", "sizes", "skip", "jobs", "logs"};
	struct arena_list known = {0};

	for (unsigned i = 0; i < ARRAY_SIZE(own); i++)
		if (arena_list_add(reader->arena, &known, own[i]))
			return reader_fail_memory(reader);
	if (settings_add_keys(reader->arena, &known))
		return reader_fail_memory(reader);
	return reader_fail_key(reader, known.items);
}

static int read_top_member(struct reader *reader, struct matrix_file *file, const char *key, json_t *value)
{
	int ret;

	for (unsigned axis = 0; axis < MATRIX_AXES; axis++)
		if (strcmp(key, axes[axis].key) == 0)
			return read_axis(reader, file, (enum matrix_axis)axis, value);
	if (strcmp(key, "jobs") == 0)
		return reader_integer(reader, value, 1, MATRIX_FILE_MAX_JOBS, &file->jobs);
	if (strcmp(key, "logs") == 0)
		return reader_path(reader, value, "\"matrix-logs\"", &file->logs);
	ret = settings_read(reader, &file->settings, key, value);
	return ret == 0 ? fail_top_key(reader) : ret < 0 ? ret : 0;
}

/* @skips: read only "skip", which names what the other keys define, wherever it stands; or everything else. */
static int read_top(struct reader *reader, struct matrix_file *file, bool skips)
{
	unsigned index = 0;
	const char *key;
	json_t *value;

	json_object_foreach(reader->root, key, value)
	{
		int ret = 0;

		reader_enter(reader, index++, key);
		if (strcmp(key, "skip") == 0)
			ret = skips ? read_skips(reader, file, value) : 0;
		else if (!skips)
			ret = read_top_member(reader, file, key, value);
		reader_leave(reader);
		if (ret)
			return ret;
	}
	return 0;
}

static int read_all(struct reader *reader, struct matrix_file *file)
{
	int ret = read_top(reader, file, false);

	if (ret)
		return ret;
	if (!file->counts[MATRIX_KERNELS])
		return reader_fail(reader, "names no kernel; write \"kernels\": %s", axes[MATRIX_KERNELS].example);
	for (unsigned axis = 0; axis < MATRIX_AXES; axis++) {
		if (file->counts[axis])
			continue;
		file->entries[axis] = arena_alloc(reader->arena, sizeof(*file->entries[axis]));
		if (!file->entries[axis])
			return reader_fail_memory(reader);
		file->entries[axis]->settings = SETTINGS_NONE;
		file->counts[axis] = 1;
	}
	return read_top(reader, file, true);
}

int matrix_file_load(struct matrix_file *file, const char *path, struct arena *arena, struct error *err)
{
	struct reader reader;
	int ret = reader_open(&reader, path, arena, err);

	*file = (struct matrix_file){.path = path, .settings = SETTINGS_NONE};
	if (!ret)
		ret = read_all(&reader, file);
	reader_fini(&reader);
	return ret;
}

int matrix_file_parse(struct matrix_file *file, const char *path, const char *text, size_t len, struct arena *arena,
		      struct error *err)
{
	struct reader reader;
	int ret = reader_parse(&reader, path, text, len, arena, err);

	*file = (struct matrix_file){.path = path, .settings = SETTINGS_NONE};
	if (!ret)
		ret = read_all(&reader, file);
	reader_fini(&reader);
	return ret;
}
