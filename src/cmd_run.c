/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/parse.h"
#include "boot/image_kernel.h"
#include "commands.h"
#include "config.h"
#include "describe.h"
#include "vm.h"
#include "x86/cpuid.h"

#define KERNEL_ROOM  (32ULL << 20) /* what a small kernel and its programs take */
#define SMALL_INITRD (4ULL << 20)  /* never what a guest's memory is short of */

static int fail(const struct error *err)
{
	log_err("%s", err->text);
	return EXIT_VMM_ERROR;
}

/* What was printed must have arrived. */
static int finish_stdout(void)
{
	if (fflush(stdout) == 0)
		return 0;
	log_err("stdout: cannot write: %s; give it room", strerror(errno));
	return EXIT_VMM_ERROR;
}

static int dump_fdt(const struct vm *vm, const char *path)
{
	const uint8_t *fdt = guest_mem_ptr(&vm->mem, gpa(vm->image.fdt_start), vm->image.fdt_size);
	bool to_stdout = strcmp(path, "-") == 0;
	int fd = to_stdout ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	int ret = fd < 0 ? -errno : write_all(fd, fdt, vm->image.fdt_size);

	if (!to_stdout)
		close_fd(&fd);
	if (ret) {
		log_err("--dump-fdt %s: cannot write: %s; give a writable path or -", path, strerror(-ret));
		return EXIT_VMM_ERROR;
	}
	return 0;
}

/* Linux needs the initramfs packed and unpacked for a while, and room to live; what is unpacked may fill half of the
 * memory (tmpfs). What is compressed here grows even more. */
static void note_tight_memory(const struct vm *vm)
{
	uint64_t size = vm->image.initrd_size;
	char has[32], have[32], want[32];

	if (size < SMALL_INITRD || vm->mem.ram_size >= 3 * size + KERNEL_ROOM)
		return;
	log_note("note: an initramfs of %s in %s of memory is tight; if Linux cannot unpack it, use -m %s",
		 format_size(size, has, sizeof(has)), format_size(vm->mem.ram_size, have, sizeof(have)),
		 format_size(image_suggest_memory(4 * size + KERNEL_ROOM), want, sizeof(want)));
}

static void note_fallbacks(const struct vm *vm)
{
	/* For whoever sits there and waits; in a pipe the output stays what it is elsewhere. */
	if (isatty(STDERR_FILENO) && vm->assist.active && !cpuid_host_has_hardware_virtualization())
		log_note(
			"note: no VT-x or SVM here: the guest's kernel is emulated, about 1000 times slower; see man "
			"vmm");
	if (vm->console.in_fd >= 0 && isatty(vm->console.in_fd) && !vm->console.quotes_input && isatty(STDERR_FILENO))
		log_note("note: Ctrl-A x quits, Ctrl-A c shows the state");
	if (vm->image.entered_in_image)
		log_note("note: %s: the payload's compression is unknown here, the image decompresses itself (slower)",
			 vm->config->kernel);
}

static int run_machine(struct vm *vm)
{
	char line[OUTCOME_DETAIL_SIZE + 128];
	struct outcome outcome;
	struct error err;

	if (vm_build(vm, &err))
		return fail(&err);
	note_fallbacks(vm);
	note_tight_memory(vm);
	vm_run(vm, &outcome);
	console_fini(&vm->console);
	/* On a terminal our lines begin at its left, whatever the guest wrote last. */
	if (vm->console.is_midline && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO))
		(void)!write(STDERR_FILENO, "\n", 1);
	if (vm->config->stats)
		vm_print_stats(vm);
	vm_print_hints(vm, &outcome);
	log_err("%s", outcome_describe(&outcome, line, sizeof(line)));
	return outcome_exit_code(&outcome);
}

static int run(const struct config *config, struct vm *vm, uint64_t start_ns)
{
	struct error err;

	if (vm_load(vm, config, start_ns, &err))
		return fail(&err);
	if (config->dump_fdt)
		return dump_fdt(vm, config->dump_fdt);
	if (config->dry_run) {
		describe_machine(vm, stdout);
		return finish_stdout();
	}
	return run_machine(vm);
}

int cmd_run(int argc, char *argv[], uint64_t start_ns)
{
	struct config config;
	struct error err;
	struct vm *vm;
	int code;

	if (config_parse(&config, argc, argv, &err))
		return fail(&err);
	if (config.help) {
		fputs(config_usage(), stdout);
		return finish_stdout();
	}
	if (config.quiet)
		log_set_level(LOG_ERR);
	vm = malloc(sizeof(*vm));
	if (!vm) {
		log_err("out of memory");
		return EXIT_VMM_ERROR;
	}
	code = run(&config, vm, start_ns);
	vm_destroy(vm);
	free(vm);
	return code;
}
