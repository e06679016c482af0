/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "events.h"
#include "mm/guest_mem.h"

enum option_id {
	OPT_KERNEL,
	OPT_MEM,
	OPT_CPUS,
	OPT_INITRD,
	OPT_APPEND,
	OPT_CMDLINE,
	OPT_BOOT,
	OPT_TIMEOUT,
	OPT_CONSOLE,
	OPT_EVENTS,
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
	WITH_ARGUMENT("append", OPT_APPEND),
	WITH_ARGUMENT("cmdline", OPT_CMDLINE),
	WITH_ARGUMENT("boot", OPT_BOOT),
	WITH_ARGUMENT("timeout", OPT_TIMEOUT),
	WITH_ARGUMENT("console", OPT_CONSOLE),
	WITH_ARGUMENT("events", OPT_EVENTS),
	WITH_ARGUMENT("assist", OPT_ASSIST),
	WITH_ARGUMENT("dump-fdt", OPT_DUMP_FDT),
	WITHOUT_ARGUMENT("dry-run", OPT_DRY_RUN),
	WITHOUT_ARGUMENT("stats", OPT_STATS),
	WITHOUT_ARGUMENT("quiet", OPT_QUIET),
	WITHOUT_ARGUMENT("help", OPT_HELP),
	{NULL, 0, NULL, 0},
};

const char *config_usage(void)
{
	return "Usage: vmm run [-k] KERNEL [options]\n"
	       "\n"
	       "Boots KERNEL (bzImage, vmlinux, an ELF with a PVH note or a Multiboot ELF) and ends with its status.\n"
	       "\n"
	       "  -k, --kernel FILE     the kernel, when it is not given as the first word\n"
	       "  -m, --mem SIZE        memory, 2M and up: 512M, 4G (default 256M)\n"
	       "  -c, --cpus N          virtual CPUs, 1 to 64 (default 1)\n"
	       "  -i, --initrd FILE     initial ramdisk; may be given several times, they are concatenated\n"
	       "  -a, --append STR      adds to the kernel's command line; may be given several times\n"
	       "      --cmdline STR     replaces its beginning, \"" CONFIG_DEFAULT_CMDLINE
	       "\"\n"
	       "      --boot PROTOCOL   auto, linux, pvh or multiboot (default auto)\n"
	       "      --timeout DUR     ends the guest after 90s, 5m, 1h with exit status 124\n"
	       "      --console WHERE   stdio, file=PATH or null (default stdio; Ctrl-A x quits, Ctrl-A c shows the "
	       "state)\n"
	       "      --events TO       JSON lines to a file or to fd:N\n"
	       "      --assist MODE     complete instructions for KVM: auto, on, off (default auto)\n"
	       "      --dump-fdt FILE   writes the machine's device tree and ends; - is stdout\n"
	       "      --dry-run         prints the machine and ends\n"
	       "      --stats           prints exits and completed instructions at the end\n"
	       "  -q, --quiet           no notes, only errors and the last line\n"
	       "  -h, --help            this text\n"
	       "\n"
	       "Exit status: 0-123 the guest's; 124 timeout; 125 vmm failed; 128+n vmm ended by signal n;\n"
	       "254 reset or triple fault; 255 kernel panic. `man vmm` has the details.\n";
}

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

static int add_initrd(struct config *config, const char *path, struct error *err)
{
	if (config->nr_initrds == CONFIG_MAX_INITRDS)
		return error_set(err, -EINVAL, "--initrd %s: more than %d initrds; concatenate them with cat", path,
				 CONFIG_MAX_INITRDS);
	config->initrds[config->nr_initrds++] = path;
	return 0;
}

/* The command line under construction: the beginning, then what was appended, in order. */
struct cmdline_parts {
	const char *beginning;
	const char *appended[64];
	unsigned count;
};

static int join_cmdline(struct config *config, const struct cmdline_parts *parts, struct error *err)
{
	size_t len = 0;

	for (unsigned i = 0; i <= parts->count; i++) {
		const char *part = i == 0 ? parts->beginning : parts->appended[i - 1];
		int n = snprintf(config->cmdline + len, sizeof(config->cmdline) - len, "%s%s", len && *part ? " " : "",
				 part);

		len += (size_t)n;
		if (len >= sizeof(config->cmdline))
			return error_set(err, -EINVAL,
					 "--append: the command line is longer than %zu bytes; shorten it",
					 sizeof(config->cmdline) - 1);
	}
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
		return add_initrd(config, arg, err);
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
	case OPT_DRY_RUN:
		config->dry_run = true;
		return 0;
	case OPT_STATS:
		config->stats = true;
		return 0;
	case OPT_QUIET:
		config->quiet = true;
		return 0;
	default:
		config->help = true;
		return 0;
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
		return error_set(err, -EINVAL, "%s: unexpected word; the kernel is %s", argv[first], config->kernel);
	if (!config->kernel)
		return error_set(err, -EINVAL, "no kernel given; write `vmm run bzImage`, see `vmm run --help`");
	return 0;
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
	if (end < argc)
		return error_set(err, -EINVAL,
				 "--: running a command is not in this version; put it into the initrd's /init");
	ret = take_words(config, end, argv, err);
	return ret ? ret : join_cmdline(config, &parts, err);
}
