/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/settings.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

#define MAX_CPUS      64
#define MAX_VARIABLES 256
#define VMM_FAILED    125

static int read_size(struct reader *reader, const json_t *value, const char **text)
{
	uint64_t bytes;
	int ret = reader_string(reader, value, "\"256M\" or \"4G\"", text);

	if (!ret && (parse_size(*text, &bytes) || bytes == 0))
		return reader_fail(reader, "\"%s\" is not a size; write \"256M\" or \"4G\"", *text);
	return ret;
}

static int read_mem(struct reader *reader, struct settings *settings, const json_t *value)
{
	return read_size(reader, value, &settings->mem);
}

static int read_out_limit(struct reader *reader, struct settings *settings, const json_t *value)
{
	return read_size(reader, value, &settings->out_limit);
}

static int read_cpus(struct reader *reader, struct settings *settings, const json_t *value)
{
	return reader_integer(reader, value, 1, MAX_CPUS, &settings->cpus);
}

static int read_timeout(struct reader *reader, struct settings *settings, const json_t *value)
{
	int ret = reader_string(reader, value, "\"90s\" or \"5m\"", &settings->timeout);

	if (!ret && (parse_duration(settings->timeout, &settings->timeout_ns) || settings->timeout_ns == 0))
		return reader_fail(reader, "\"%s\" is not a duration above zero; write \"90s\" or \"5m\"",
				   settings->timeout);
	return ret;
}

static int read_expect(struct reader *reader, struct settings *settings, const json_t *value)
{
	unsigned status;
	int ret = reader_integer(reader, value, 0, 255, &status);

	if (!ret && status == VMM_FAILED)
		return reader_fail(reader, "%u says that vmm itself failed; expect another status", VMM_FAILED);
	if (!ret)
		settings->expect = (int)status;
	return ret;
}

static int read_out(struct reader *reader, struct settings *settings, const json_t *value)
{
	bool flag;
	int ret = reader_bool(reader, value, &flag);

	if (!ret)
		settings->out = flag;
	return ret;
}

static int read_fail_on(struct reader *reader, struct settings *settings, const json_t *value)
{
	static const char example[] = "\"warn\" or \"oops\"";
	int ret = reader_string(reader, value, example, &settings->fail_on);

	if (!ret && strcmp(settings->fail_on, "warn") != 0 && strcmp(settings->fail_on, "oops") != 0)
		return reader_fail(reader, "\"%s\" is unknown; write %s", settings->fail_on, example);
	return ret;
}

static int read_chdir(struct reader *reader, struct settings *settings, const json_t *value)
{
	return reader_string(reader, value, "\"/root\"", &settings->chdir);
}

static int read_append(struct reader *reader, struct settings *settings, const json_t *value)
{
	return reader_strings(reader, value, "\"loglevel=7\"", &settings->appends);
}

static int read_initrd(struct reader *reader, struct settings *settings, const json_t *value)
{
	return reader_paths(reader, value, "\"initrd.img\"", &settings->initrds);
}

static int read_initrd_dir(struct reader *reader, struct settings *settings, const json_t *value)
{
	return reader_paths(reader, value, "\"rootfs\"", &settings->initrd_dirs);
}

static int read_vmm_args(struct reader *reader, struct settings *settings, const json_t *value)
{
	struct arena_list *list = &settings->vmm_args;
	unsigned first = list->count;
	int ret = reader_strings(reader, value, "[\"--stats\"]", list);

	for (unsigned i = first; !ret && i < list->count; i++)
		if (strcmp(list->items[i], "--") == 0)
			return reader_fail(reader, "\"--\" would end the options; name the command under \"commands\"");
	return ret;
}

static int read_variable(struct reader *reader, struct settings *settings, const char *name, const json_t *value)
{
	const char *text;
	int ret;

	if (!*name || strchr(name, '='))
		return reader_fail(reader, "is no name for a variable; write \"NAME\": \"value\"");
	ret = reader_string(reader, value, "\"value\", in quotes", &text);
	if (ret)
		return ret;
	return arena_list_add(reader->arena, &settings->env, arena_format(reader->arena, "%s=%s", name, text))
		       ? reader_fail_memory(reader)
		       : 0;
}

static int read_env(struct reader *reader, struct settings *settings, const json_t *value)
{
	int ret = reader_object(reader, value, "{\"NAME\": \"value\"}");
	unsigned index = 0;
	const char *name;
	json_t *member;

	if (ret)
		return ret;
	if (json_object_size(value) > MAX_VARIABLES)
		return reader_fail(reader, "has more than %d variables; set them in a script", MAX_VARIABLES);
	/* The cast is for libjansson's macros, which iterate over what they do not change. */
	json_object_foreach((json_t *)(uintptr_t)value, name, member)
	{
		reader_enter(reader, index++, name);
		ret = read_variable(reader, settings, name, member);
		reader_leave(reader);
		if (ret)
			return ret;
	}
	return 0;
}

static const struct {
	const char *key;
	int (*read)(struct reader *reader, struct settings *settings, const json_t *value);
} known[] = {
	{"mem", read_mem},	     {"cpus", read_cpus},     {"timeout", read_timeout},
	{"expect", read_expect},     {"initrd", read_initrd}, {"initrd-dir", read_initrd_dir},
	{"append", read_append},     {"env", read_env},	      {"chdir", read_chdir},
	{"fail-on", read_fail_on},   {"out", read_out},	      {"out-limit", read_out_limit},
	{"vmm-args", read_vmm_args},
};

int settings_read(struct reader *reader, struct settings *settings, const char *key, const json_t *value)
{
	for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(key, known[i].key) == 0) {
			int ret = known[i].read(reader, settings, value);

			return ret ? ret : 1;
		}
	}
	return 0;
}

int settings_add_keys(struct arena *arena, struct arena_list *list)
{
	for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
		if (arena_list_add(arena, list, known[i].key))
			return -ENOMEM;
	return 0;
}

/* Does NAME=value @a name the same variable as @b? */
static bool is_same_variable(const char *a, const char *b)
{
	size_t len = strcspn(a, "=") + 1;

	return strncmp(a, b, len) == 0;
}

static int merge_env(struct arena_list *env, const struct arena_list *over, struct arena *arena)
{
	for (unsigned i = 0; i < over->count; i++) {
		unsigned at = 0;

		while (at < env->count && !is_same_variable(env->items[at], over->items[i]))
			at++;
		if (at < env->count)
			env->items[at] = over->items[i];
		else if (arena_list_add(arena, env, over->items[i]))
			return -ENOMEM;
	}
	return 0;
}

int settings_merge(struct settings *settings, const struct settings *over, struct arena *arena)
{
	if (over->mem)
		settings->mem = over->mem;
	if (over->cpus)
		settings->cpus = over->cpus;
	if (over->timeout) {
		settings->timeout = over->timeout;
		settings->timeout_ns = over->timeout_ns;
	}
	if (over->expect >= 0)
		settings->expect = over->expect;
	if (over->out >= 0)
		settings->out = over->out;
	if (over->out_limit)
		settings->out_limit = over->out_limit;
	if (over->fail_on)
		settings->fail_on = over->fail_on;
	if (over->chdir)
		settings->chdir = over->chdir;
	if (arena_list_add_all(arena, &settings->initrds, &over->initrds) ||
	    arena_list_add_all(arena, &settings->initrd_dirs, &over->initrd_dirs) ||
	    arena_list_add_all(arena, &settings->appends, &over->appends) ||
	    arena_list_add_all(arena, &settings->vmm_args, &over->vmm_args))
		return -ENOMEM;
	return merge_env(&settings->env, &over->env, arena);
}

void settings_complete(struct settings *settings)
{
	if (!settings->mem)
		settings->mem = SETTINGS_DEFAULT_MEM;
	if (!settings->cpus)
		settings->cpus = 1;
	if (!settings->timeout) {
		settings->timeout = SETTINGS_DEFAULT_TIMEOUT;
		if (parse_duration(settings->timeout, &settings->timeout_ns))
			settings->timeout_ns = 0;
	}
	if (settings->expect < 0)
		settings->expect = 0;
	if (settings->out < 0)
		settings->out = 0;
}
