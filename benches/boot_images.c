/* SPDX-License-Identifier: Apache-2.0 */
#include "boot_images.h"

#include <string.h>

#include "bench_child.h"

#define SCRIPT_TIMEOUT 3600000000000ULL
#define SUFFIX_SIZE    32

struct script {
	const struct bench *bench;
	char result[BENCH_PATH_SIZE - SUFFIX_SIZE]; /* the last line on stdout */
};

static bool take_line(void *arg, enum bench_stream stream, const char *line, uint64_t at_ns)
{
	struct script *script = arg;

	(void)at_ns;
	if (stream == BENCH_STDOUT)
		snprintf(script->result, sizeof(script->result), "%s", line);
	else
		bench_progress(script->bench, "%s", line);
	return true;
}

static void run_script(struct script *script, const char *const *argv)
{
	const struct bench_command command = {
		.argv = argv, .timeout_ns = SCRIPT_TIMEOUT, .wants_stdout = true, .on_line = take_line, .arg = script};
	struct bench_child child;
	struct error err;

	script->result[0] = '\0';
	if (bench_child_run(&command, &child, &err))
		bench_fail(script->bench->name, "%s", err.text);
	if (child.status || !script->result[0])
		bench_fail(script->bench->name, "%s ended with status %d: %s", argv[0], child.status, child.last_error);
}

void boot_images_find(const struct bench *bench, struct boot_images *images)
{
	const char *const kernel_argv[] = {BENCH_SCRIPTS "/build-guest-kernel", NULL};
	const char *const initramfs_argv[] = {BENCH_SCRIPTS "/build-guest-initramfs", "--variant", "minimal", NULL};
	struct script script = {.bench = bench};

	if (!images->vmlinux[0] || !images->bzimage[0])
		run_script(&script, kernel_argv);
	if (!images->vmlinux[0])
		snprintf(images->vmlinux, sizeof(images->vmlinux), "%s/vmlinux", script.result);
	if (!images->bzimage[0])
		snprintf(images->bzimage, sizeof(images->bzimage), "%s/bzImage.gzip", script.result);
	if (images->initrd[0])
		return;
	run_script(&script, initramfs_argv);
	snprintf(images->initrd, sizeof(images->initrd), "%s", script.result);
}
