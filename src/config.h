/* SPDX-License-Identifier: Apache-2.0 */
/* What `vmm run` was asked to do, parsed and checked; no file is opened here. Main thread. */
#ifndef VMM_CONFIG_H
#define VMM_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "boot/image.h"
#include "x86/assist.h"

#define CONFIG_DEFAULT_MEM     (256ULL << 20)
#define CONFIG_MIN_MEM	       (2ULL << 20)
#define CONFIG_MAX_MEM	       (16ULL << 40)
#define CONFIG_DEFAULT_CMDLINE "console=ttyS0 reboot=t panic=-1"
#define CONFIG_MAX_INITRDS     16
#define CONFIG_MAX_VARIABLES   256
#define CONFIG_CMDLINE_SIZE    4096

enum config_console { CONFIG_CONSOLE_STDIO, CONFIG_CONSOLE_FILE, CONFIG_CONSOLE_NULL };

enum config_tty { CONFIG_TTY_AUTO, CONFIG_TTY_ON, CONFIG_TTY_OFF };

/* What a kernel's complaint does to the exit status. */
enum config_fail_on { CONFIG_FAIL_ON_NOTHING, CONFIG_FAIL_ON_OOPS, CONFIG_FAIL_ON_WARN };

struct config_initrd {
	const char *path;
	bool is_folder;
};

/* A command to run in the guest, in place of its own init. */
struct config_command {
	char *const *arguments; /* the words behind "--" */
	unsigned nr_arguments;	/* 0: no command */
	const char *variables[CONFIG_MAX_VARIABLES];
	unsigned nr_variables;
	const char *folder; /* working directory; NULL: / */
	const char *out;    /* where its /out goes; NULL: nowhere */
	uint64_t out_limit; /* bytes */
	enum config_tty tty;
};

struct config {
	const char *kernel; /* strings are borrowed from argv */
	struct config_initrd initrds[CONFIG_MAX_INITRDS];
	unsigned nr_initrds;
	struct config_command command;
	enum config_fail_on fail_on;
	uint64_t mem_size; /* bytes, page multiple */
	unsigned nr_cpus;
	char cmdline[CONFIG_CMDLINE_SIZE];
	enum image_protocol protocol;
	uint64_t timeout_ns; /* 0: none */
	enum config_console console;
	const char *console_path;
	bool console_time;    /* each line begins with its time */
	const char *events;   /* a path or "fd:N"; NULL: none */
	const char *dump_fdt; /* a path or "-" */
	enum assist_mode assist;
	bool dry_run;
	bool stats;
	bool quiet;
	bool help;
};

/* Parses the words after `vmm run`. 0, or -EINVAL with a line in @err. When config->help is set, nothing else counts.
 */
MUST_CHECK int config_parse(struct config *config, int argc, char *const argv[], struct error *err);

/* The text of `vmm run --help`. */
const char *config_usage(void);

#endif
