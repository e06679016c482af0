/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/run_words.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* Adds words until one could not be had; then it stays failed. */
struct builder {
	struct arena *arena;
	struct arena_list list;
	int err;
};

static void add(struct builder *b, const char *word)
{
	if (!b->err)
		b->err = arena_list_add(b->arena, &b->list, word);
}

static void add_option(struct builder *b, const char *option, const char *value)
{
	if (!value)
		return;
	add(b, option);
	add(b, value);
}

static void add_options(struct builder *b, const char *option, const struct arena_list *values)
{
	for (unsigned i = 0; i < values->count; i++)
		add_option(b, option, values->items[i]);
}

static void add_file(struct builder *b, const char *option, const char *prefix, const char *folder, const char *name)
{
	char *path = arena_format(b->arena, "%s%s/%s", prefix, folder, name);

	add(b, option);
	add(b, path);
}

int run_words_make(struct plan_run *run, const char *kernel, const struct settings *settings,
		   const struct arena_list *command, struct arena *arena)
{
	struct builder b = {.arena = arena};

	add(&b, "vmm");
	add(&b, "run");
	add_option(&b, "--kernel", kernel);
	add_option(&b, "--mem", settings->mem);
	add(&b, "--cpus");
	add(&b, arena_format(arena, "%u", settings->cpus));
	add_options(&b, "--initrd", &settings->initrds);
	add_options(&b, "--initrd-dir", &settings->initrd_dirs);
	add_options(&b, "--append", &settings->appends);
	add_options(&b, "--env", &settings->env);
	add_option(&b, "--chdir", settings->chdir);
	add_option(&b, "--fail-on", settings->fail_on);
	add_option(&b, "--out", run->out);
	add_option(&b, "--out-limit", run->out ? settings->out_limit : NULL);
	add_option(&b, "--timeout", settings->timeout);
	add_file(&b, "--console", "file=", run->folder, PLAN_CONSOLE_FILE);
	add_file(&b, "--events", "", run->folder, PLAN_EVENTS_FILE);
	for (unsigned i = 0; i < settings->vmm_args.count; i++)
		add(&b, settings->vmm_args.items[i]);
	if (command->count)
		add(&b, "--");
	for (unsigned i = 0; i < command->count; i++)
		add(&b, command->items[i]);
	run->words = b.list.items;
	run->nr_words = b.list.count;
	return b.err;
}

static bool is_plain(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";

	return *word && word[strspn(word, plain)] == 0;
}

/* 'it'\''s': inside single quotes nothing is special but the quote. Returns the end. */
static char *put_quoted(char *to, const char *word)
{
	*to++ = '\'';
	for (; *word; word++) {
		if (*word == '\'') {
			memcpy(to, "'\\''", 4);
			to += 4;
		} else {
			*to++ = *word;
		}
	}
	*to++ = '\'';
	return to;
}

const char *run_words_quote(const struct plan_run *run, struct arena *arena)
{
	size_t room = 1;
	char *line, *to;

	for (unsigned i = 0; i < run->nr_words; i++)
		room += 4 * strlen(run->words[i]) + 3;
	line = to = arena_alloc(arena, room);
	for (unsigned i = 0; line && i < run->nr_words; i++) {
		if (i)
			*to++ = ' ';
		if (is_plain(run->words[i]))
			to = stpcpy(to, run->words[i]);
		else
			to = put_quoted(to, run->words[i]);
	}
	return line;
}
