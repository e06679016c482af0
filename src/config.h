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
#define CONFIG_CMDLINE_SIZE    4096

enum config_console { CONFIG_CONSOLE_STDIO, CONFIG_CONSOLE_FILE, CONFIG_CONSOLE_NULL };

struct config {
	const char *kernel; /* strings are borrowed from argv */
	const char *initrds[CONFIG_MAX_INITRDS];
	unsigned nr_initrds;
	uint64_t mem_size; /* bytes, page multiple */
	unsigned nr_cpus;
	char cmdline[CONFIG_CMDLINE_SIZE];
	enum image_protocol protocol;
	uint64_t timeout_ns; /* 0: none */
	enum config_console console;
	const char *console_path;
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
