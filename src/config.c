/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "ci/command_proto.h"
#include "ci/out_extract.h"
#include "events.h"
#include "mm/guest_mem.h"

enum option_id {
	OPT_KERNEL,
	OPT_MEM,
	OPT_CPUS,
	OPT_INITRD,
	OPT_INITRD_DIR,
	OPT_APPEND,
	OPT_CMDLINE,
	OPT_BOOT,
	OPT_TIMEOUT,
	OPT_CONSOLE,
	OPT_CONSOLE_TIME,
	OPT_EVENTS,
	OPT_ENV,
	OPT_CHDIR,
	OPT_TTY,
	OPT_OUT,
	OPT_OUT_LIMIT,
	OPT_FAIL_ON,
	OPT_ASSIST,
	OPT_DUMP_FDT,
	OPT_DRY_RUN,
	OPT_STATS,
	OPT_QUIET,
	OPT_HELP,
	OPT_COUNT,
};

/* getopt_long's value for a long option; above every character. */
#define LONG_VALUE(id) (256 + (int)(id))

static const struct {
	char letter; /* 0: long form only */
	bool repeatable;
} traits[OPT_COUNT] = {
	[OPT_KERNEL] = {.letter = 'k'},
	[OPT_MEM] = {.letter = 'm'},
	[OPT_CPUS] = {.letter = 'c'},
	[OPT_INITRD] = {.letter = 'i', .repeatable = true},
	[OPT_INITRD_DIR] = {.repeatable = true},
	[OPT_ENV] = {.repeatable = true},
	[OPT_APPEND] = {.letter = 'a', .repeatable = true},
	[OPT_QUIET] = {.letter = 'q'},
	[OPT_HELP] = {.letter = 'h'},
};

#define WITH_ARGUMENT(name, id)                                                                                        \
	{                                                                                                              \
		name, required_argument, NULL, LONG_VALUE(id)                                                          \
	}
#define WITHOUT_ARGUMENT(name, id)                                                                                     \
	{                                                                                                              \
		name, no_argument, NULL, LONG_VALUE(id)                                                                \
	}

static const struct option long_options[] = {
	WITH_ARGUMENT("kernel", OPT_KERNEL),
	WITH_ARGUMENT("mem", OPT_MEM),
	WITH_ARGUMENT("cpus", OPT_CPUS),
	WITH_ARGUMENT("initrd", OPT_INITRD),
	WITH_ARGUMENT("initrd-dir", OPT_INITRD_DIR),
	WITH_ARGUMENT("append", OPT_APPEND),
	WITH_ARGUMENT("cmdline", OPT_CMDLINE),
	WITH_ARGUMENT("boot", OPT_BOOT),
	WITH_ARGUMENT("timeout", OPT_TIMEOUT),
	WITH_ARGUMENT("console", OPT_CONSOLE),
	WITHOUT_ARGUMENT("console-time", OPT_CONSOLE_TIME),
	WITH_ARGUMENT("events", OPT_EVENTS),
	WITH_ARGUMENT("env", OPT_ENV),
	WITH_ARGUMENT("chdir", OPT_CHDIR),
	WITH_ARGUMENT("tty", OPT_TTY),
	WITH_ARGUMENT("out", OPT_OUT),
	WITH_ARGUMENT("out-limit", OPT_OUT_LIMIT),
	WITH_ARGUMENT("fail-on", OPT_FAIL_ON),
	WITH_ARGUMENT("assist", OPT_ASSIST),
	WITH_ARGUMENT("dump-fdt", OPT_DUMP_FDT),
	WITHOUT_ARGUMENT("dry-run", OPT_DRY_RUN),
	WITHOUT_ARGUMENT("stats", OPT_STATS),
	WITHOUT_ARGUMENT("quiet", OPT_QUIET),
	WITHOUT_ARGUMENT("help", OPT_HELP),
	{NULL, 0, NULL, 0},
};

static const char *option_name(enum option_id id)
{
	for (const struct option *o = long_options; o->name; o++)
		if (o->val == LONG_VALUE(id))
			return o->name;
	return "?";
}

static int parse_mem(struct config *config, const char *text, struct error *err)
{
	char min[32], max[32];
	int ret = parse_size(text, &config->mem_size);

	if (ret == -EINVAL)
		return error_set(err, -EINVAL, "--mem %s: is not a size; write 256M or 4G", text);
	format_size(CONFIG_MIN_MEM, min, sizeof(min));
	format_size(CONFIG_MAX_MEM, max, sizeof(max));
	if (!ret && config->mem_size < CONFIG_MIN_MEM)
		return error_set(err, -EINVAL, "--mem %s: too small; give at least %s", text, min);
	if (ret || config->mem_size > CONFIG_MAX_MEM)
		return error_set(err, -EINVAL, "--mem %s: too large; give at most %s", text, max);
	if (config->mem_size % GUEST_PAGE_SIZE)
		return error_set(err, -EINVAL, "--mem %s: is not a multiple of 4K; round it", text);
	return 0;
}

static int parse_cpus(struct config *config, const char *text, struct error *err)
{
	uint64_t n;

	if (parse_u64(text, LAYOUT_MAX_CPUS, &n) || n == 0)
		return error_set(err, -EINVAL, "--cpus %s: give a number from 1 to %d", text, LAYOUT_MAX_CPUS);
	config->nr_cpus = (unsigned)n;
	return 0;
}

/* Index of @text in @words, or an error that lists them. */
static int parse_choice(const char *option, const char *text, const char *const words[], unsigned count,
			struct error *err)
{
	char list[96] = "";

	for (unsigned i = 0; i < count; i++) {
		size_t len = strlen(list);

		if (strcmp(text, words[i]) == 0)
			return (int)i;
		snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "", words[i]);
	}
	return error_set(err, -EINVAL, "--%s %s: choose one of %s", option, text, list);
}

static int parse_boot(struct config *config, const char *text, struct error *err)
{
	static const char *const words[] = {"auto", "linux", "pvh", "multiboot"}; /* as enum image_protocol */
	int choice = parse_choice("boot", text, words, ARRAY_SIZE(words), err);

	if (choice >= 0)
		config->protocol = (enum image_protocol)choice;
	return choice < 0 ? choice : 0;
}

static int parse_assist(struct config *config, const char *text, struct error *err)
{
	static const char *const words[] = {"auto", "on", "off"}; /* as enum assist_mode */
	int choice = parse_choice("assist", text, words, ARRAY_SIZE(words), err);

	if (choice >= 0)
		config->assist = (enum assist_mode)choice;
	return choice < 0 ? choice : 0;
}

static int parse_console(struct config *config, const char *text, struct error *err)
{
	static const char file[] = "file=";

	if (strcmp(text, "stdio") == 0) {
		config->console = CONFIG_CONSOLE_STDIO;
	} else if (strcmp(text, "null") == 0) {
		config->console = CONFIG_CONSOLE_NULL;
	} else if (strncmp(text, file, strlen(file)) == 0 && text[strlen(file)]) {
		config->console = CONFIG_CONSOLE_FILE;
		config->console_path = text + strlen(file);
	} else {
		return error_set(err, -EINVAL, "--console %s: choose one of stdio, null, file=PATH", text);
	}
	return 0;
}

static int parse_timeout(struct config *config, const char *text, struct error *err)
{
	int ret = parse_duration(text, &config->timeout_ns);

	if (ret || config->timeout_ns == 0)
		return error_set(err, -EINVAL, "--timeout %s: is not a duration above zero; write 90s, 5m or 500ms",
				 text);
	return 0;
}

static int add_initrd(struct config *config, enum option_id id, const char *path, struct error *err)
{
	if (config->nr_initrds == CONFIG_MAX_INITRDS)
		return error_set(err, -EINVAL, "--%s %s: more than %d initrds; concatenate them with cat",
				 option_name(id), path, CONFIG_MAX_INITRDS);
	config->initrds[config->nr_initrds++] = (struct config_initrd){.path = path, .is_folder = id == OPT_INITRD_DIR};
	return 0;
}

static int add_variable(struct config_command *command, const char *text, struct error *err)
{
	if (!strchr(text, '=') || *text == '=')
		return error_set(err, -EINVAL, "--env %s: is not NAME=VALUE; write --env NAME=VALUE", text);
	for (unsigned i = 0; i < command->nr_variables; i++) {
		if (strncmp(command->variables[i], text, strcspn(text, "=") + 1) == 0) {
			command->variables[i] = text; /* the last one counts */
			return 0;
		}
	}
	if (command->nr_variables == CONFIG_MAX_VARIABLES)
		return error_set(err, -EINVAL, "--env %s: more than %d variables; set them in the command", text,
				 CONFIG_MAX_VARIABLES);
	command->variables[command->nr_variables++] = text;
	return 0;
}

static int parse_tty(struct config *config, const char *text, struct error *err)
{
	static const char *const words[] = {"auto", "on", "off"}; /* as enum config_tty */
	int choice = parse_choice("tty", text, words, ARRAY_SIZE(words), err);

	if (choice >= 0)
		config->command.tty = (enum config_tty)choice;
	return choice < 0 ? choice : 0;
}

static int parse_fail_on(struct config *config, const char *text, struct error *err)
{
	static const char *const words[] = {"nothing", "oops", "warn"}; /* as enum config_fail_on */
	int choice = parse_choice("fail-on", text, words, ARRAY_SIZE(words), err);

	if (choice >= 0)
		config->fail_on = (enum config_fail_on)choice;
	return choice < 0 ? choice : 0;
}

static int parse_out_limit(struct config *config, const char *text, struct error *err)
{
	if (parse_size(text, &config->command.out_limit) || config->command.out_limit == 0)
		return error_set(err, -EINVAL, "--out-limit %s: is not a size above zero; write 500M or 2G", text);
	return 0;
}

/* The command line under construction: the beginning, then what was appended, in order. */
struct cmdline_parts {
	const char *beginning;
	const char *appended[64];
	unsigned count;
};

/* Appends @part. False when it does not fit. */
static bool add_part(struct config *config, const char *part)
{
	size_t len = strlen(config->cmdline), room = sizeof(config->cmdline) - len;
	int n = snprintf(config->cmdline + len, room, "%s%s", len && *part ? " " : "", part);

	return (size_t)n < room;
}

static bool sets_rdinit(const char *cmdline)
{
	for (const char *at = cmdline; (at = strstr(at, "rdinit=")); at++)
		if (at == cmdline || strchr(" \t\"", at[-1]))
			return true;
	return false;
}

static int join_cmdline(struct config *config, const struct cmdline_parts *parts, struct error *err)
{
	const bool runs_command = config->command.nr_arguments > 0;
	/* First: behind a "--" of the user's the kernel would hand it to init. */
	bool fits = !runs_command || add_part(config, "rdinit=" COMMAND_INIT);

	for (unsigned i = 0; i <= parts->count; i++) {
		const char *part = i == 0 ? parts->beginning : parts->appended[i - 1];

		if (runs_command && sets_rdinit(part))
			return error_set(err, -EINVAL,
					 "--%s %s: rdinit= and a command exclude each other; leave one out",
					 i == 0 ? "cmdline" : "append", part);
		fits = fits && add_part(config, part);
	}
	if (!fits)
		return error_set(err, -EINVAL, "--append: the command line is longer than %zu bytes; shorten it",
				 sizeof(config->cmdline) - 1);
	return 0;
}

static int add_append(struct cmdline_parts *parts, const char *text, struct error *err)
{
	if (parts->count == ARRAY_SIZE(parts->appended))
		return error_set(err, -EINVAL, "--append %s: given more than %zu times; join them", text,
				 ARRAY_SIZE(parts->appended));
	parts->appended[parts->count++] = text;
	return 0;
}

/* The options that say more about the command. */
static int apply_to_command(struct config *config, enum option_id id, const char *arg, struct error *err)
{
	switch (id) {
	case OPT_ENV:
		return add_variable(&config->command, arg, err);
	case OPT_CHDIR:
		config->command.folder = arg;
		return 0;
	case OPT_TTY:
		return parse_tty(config, arg, err);
	case OPT_OUT:
		config->command.out = arg;
		return 0;
	default:
		return parse_out_limit(config, arg, err);
	}
}

static int apply_flag(struct config *config, enum option_id id)
{
	bool *const flags[OPT_COUNT] = {
		[OPT_CONSOLE_TIME] = &config->console_time,
		[OPT_DRY_RUN] = &config->dry_run,
		[OPT_STATS] = &config->stats,
		[OPT_QUIET] = &config->quiet,
		[OPT_HELP] = &config->help,
	};

	*flags[id] = true;
	return 0;
}

static int apply(struct config *config, struct cmdline_parts *parts, enum option_id id, const char *arg,
		 struct error *err)
{
	switch (id) {
	case OPT_KERNEL:
		config->kernel = arg;
		return 0;
	case OPT_MEM:
		return parse_mem(config, arg, err);
	case OPT_CPUS:
		return parse_cpus(config, arg, err);
	case OPT_INITRD:
	case OPT_INITRD_DIR:
		return add_initrd(config, id, arg, err);
	case OPT_APPEND:
		return add_append(parts, arg, err);
	case OPT_CMDLINE:
		parts->beginning = arg;
		return 0;
	case OPT_BOOT:
		return parse_boot(config, arg, err);
	case OPT_TIMEOUT:
		return parse_timeout(config, arg, err);
	case OPT_CONSOLE:
		return parse_console(config, arg, err);
	case OPT_EVENTS:
		config->events = arg;
		return events_check_target(arg, err);
	case OPT_ASSIST:
		return parse_assist(config, arg, err);
	case OPT_DUMP_FDT:
		config->dump_fdt = arg;
		return 0;
	case OPT_FAIL_ON:
		return parse_fail_on(config, arg, err);
	default:
		return arg ? apply_to_command(config, id, arg, err) : apply_flag(config, id);
	}
}

static enum option_id find_option(int value)
{
	for (int id = 0; id < OPT_COUNT; id++)
		if (value == LONG_VALUE(id) || (traits[id].letter && value == traits[id].letter))
			return (enum option_id)id;
	return OPT_COUNT;
}

/* getopt has refused argv[optind - 1] (or one letter of it). */
static int refuse_option(int value, const char *word, struct error *err)
{
	if (value == ':')
		return error_set(err, -EINVAL, "%s: needs a value; see `vmm run --help`", word);
	if (optopt > 0 && optopt < 256 && word[1] != '-')
		return error_set(err, -EINVAL, "-%c: unknown option; see `vmm run --help`", optopt);
	return error_set(err, -EINVAL, "%s: unknown option or unexpected value; see `vmm run --help`", word);
}

static int take_option(struct config *config, struct cmdline_parts *parts, int value, uint32_t *seen, struct error *err)
{
	enum option_id id = find_option(value);

	if (!traits[id].repeatable && (*seen & 1u << id))
		return error_set(err, -EINVAL, "--%s: given twice; give it once", option_name(id));
	*seen |= 1u << id;
	return apply(config, parts, id, optarg, err);
}

/* The word that is not an option: the kernel. getopt has moved such words behind the options. */
static int take_words(struct config *config, int argc, char *const argv[], struct error *err)
{
	int first = optind;

	if (first < argc && !config->kernel)
		config->kernel = argv[first++];
	if (first < argc)
		return error_set(err, -EINVAL, "%s: unexpected word; the kernel is %s, and a command goes behind --",
				 argv[first], config->kernel);
	if (!config->kernel)
		return error_set(err, -EINVAL, "no kernel given; write `vmm run bzImage`, see `vmm run --help`");
	return 0;
}

static int check_command_options(const struct config *config, uint32_t seen, struct error *err)
{
	static const enum option_id ids[] = {OPT_ENV, OPT_CHDIR, OPT_TTY, OPT_OUT, OPT_OUT_LIMIT};

	if (config->command.out_limit && !config->command.out)
		return error_set(err, -EINVAL, "--out-limit: there is no --out to limit; give --out DIR");
	for (unsigned i = 0; i < ARRAY_SIZE(ids) && !config->command.nr_arguments; i++)
		if (seen & 1u << ids[i])
			return error_set(err, -EINVAL, "--%s: there is no command; write -- and the command at the end",
					 option_name(ids[i]));
	return 0;
}

/* Everything behind "--" is the command, which must not be empty. */
static int take_command(struct config *config, int count, char *const words[], uint32_t seen, struct error *err)
{
	int ret = 0;

	if (count > 1) {
		config->command.arguments = words + 1;
		config->command.nr_arguments = (unsigned)count - 1;
	}
	if (count == 1 || (count > 1 && !words[1][0]))
		ret = error_set(err, -EINVAL, "--: no command behind it; write -- /bin/sh, or leave it out");
	if (!ret)
		ret = check_command_options(config, seen, err);
	if (!config->command.out_limit)
		config->command.out_limit = OUT_DEFAULT_LIMIT;
	return ret;
}

/* Where the options end: at "--" or with the last word. */
static int find_dashes(int argc, char *const argv[])
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return i;
	return argc;
}

int config_parse(struct config *config, int argc, char *const argv[], struct error *err)
{
	struct cmdline_parts parts = {.beginning = CONFIG_DEFAULT_CMDLINE};
	uint32_t seen = 0;
	int value, ret, end = find_dashes(argc, argv);

	*config = (struct config){.mem_size = CONFIG_DEFAULT_MEM, .nr_cpus = 1};
	opterr = 0;
	optind = 0; /* glibc: also forget the state of an earlier parse */
	while ((value = getopt_long(end, argv, ":k:m:c:i:a:qh", long_options, NULL)) != -1) {
		if (value == '?' || value == ':')
			return refuse_option(value, argv[optind - 1], err);
		ret = take_option(config, &parts, value, &seen, err);
		if (ret)
			return ret;
	}
	if (config->help)
		return 0;
	ret = take_words(config, end, argv, err);
	if (!ret)
		ret = take_command(config, argc - end, argv + end, seen, err);
	return ret ? ret : join_cmdline(config, &parts, err);
}
