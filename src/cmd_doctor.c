/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "commands.h"
#include "doctor.h"
#include "outcome.h"

#define EXIT_UNHEALTHY 1

static const char usage[] =
	"Usage: vmm doctor [--json]\n"
	"\n"
	"Checks what this host offers to vmm, and says how to mend what is missing.\n"
	"\n"
	"      --json  one JSON document instead of lines\n"
	"  -h, --help  this text\n"
	"\n"
	"Exit status: 0 when nothing failed, 1 otherwise; 125 for wrong options.\n";

static int write_failed(const char *why)
{
	log_err("doctor: cannot write the report: %s", why);
	return EXIT_VMM_ERROR;
}

static int print_json(const struct doctor *doctor)
{
	char text[DOCTOR_JSON_SIZE];
	size_t len;
	int err = doctor_write_json(doctor, text, sizeof(text), &len);

	if (!err)
		err = write_all(STDOUT_FILENO, text, len);
	return err ? write_failed(strerror(-err)) : 0;
}

static int print_lines(const struct doctor *doctor)
{
	doctor_print(doctor, stdout, isatty(STDOUT_FILENO));
	return fflush(stdout) ? write_failed("stdout is closed or full") : 0;
}

int cmd_doctor(int argc, char *argv[], uint64_t start_ns)
{
	struct doctor doctor;
	bool as_json = false;
	int code;

	(void)start_ns;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(usage, stdout);
			return 0;
		}
		if (strcmp(argv[i], "--json") != 0) {
			log_err("doctor %s: unknown option or word; see `vmm doctor --help`", argv[i]);
			return EXIT_VMM_ERROR;
		}
		if (as_json) {
			log_err("doctor --json: given twice; give it once");
			return EXIT_VMM_ERROR;
		}
		as_json = true;
	}
	doctor_run(&doctor, "");
	code = as_json ? print_json(&doctor) : print_lines(&doctor);
	if (code)
		return code;
	return doctor_is_healthy(&doctor) ? 0 : EXIT_UNHEALTHY;
}
