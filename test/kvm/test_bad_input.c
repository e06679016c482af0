/* SPDX-License-Identifier: Apache-2.0 */
/* What users do wrong: exit status 125, one line on stderr that names the thing and says what to do, nothing left
 * behind. Needs no KVM: all of this is found before /dev/kvm is opened. */
#include "kvm_test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_WORDS 8

struct mistake {
	const char *words[MAX_WORDS];
	const char *names;  /* a shell pattern: what the line names */
	const char *remedy; /* and what it advises */
};

static void expect_line(const char *pattern, const struct run_result *r)
{
	run_expect(r, 125, pattern);
	if (r->err_lines != 1 || r->out.len || strncmp(r->last_line, "vmm: ", 5) != 0)
		print_error("not one line: %s\nstdout: %s\n", r->err.bytes, r->out.bytes);
	assert_int_equal(r->err_lines, 1);
	assert_int_equal(r->out.len, 0);
	assert_int_equal(strncmp(r->last_line, "vmm: ", 5), 0);
}

static void check_mistakes(const struct mistake *mistakes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct run_request request = {.limit_s = 10};
		struct run_result r;
		char pattern[256];

		for (size_t w = 0; w < MAX_WORDS && mistakes[i].words[w]; w++)
			request.words[w] = strcmp(mistakes[i].words[w], "GUEST") == 0 ? run_guest("minimal")
										      : mistakes[i].words[w];
		run_one(&request, &r);
		snprintf(pattern, sizeof(pattern), "vmm: *%s*", mistakes[i].names);
		expect_line(pattern, &r);
		snprintf(pattern, sizeof(pattern), "vmm: *%s*", mistakes[i].remedy);
		expect_line(pattern, &r);
		run_free(&r);
	}
}

#define CHECK_MISTAKES(...)                                                                                            \
	do {                                                                                                           \
		static const struct mistake mistakes[] = {__VA_ARGS__};                                                \
		check_mistakes(mistakes, sizeof(mistakes) / sizeof(mistakes[0]));                                      \
	} while (0)

static void command_is_checked(void **state)
{
	(void)state;
	CHECK_MISTAKES({{NULL}, "no command", "vmm run"}, {{"boot"}, "boot: unknown command", "vmm --help"},
		       {{"--mem", "1G"}, "--mem", "vmm --help"}, {{""}, "command", "vmm"});
}

static void kernel_must_be_given_once(void **state)
{
	(void)state;
	CHECK_MISTAKES({{"run"}, "no kernel", "vmm run bzImage"},
		       {{"run", "-m", "64M"}, "no kernel", "vmm run bzImage"},
		       {{"run", "GUEST", "other"}, "other: unexpected word", "the kernel is"},
		       {{"run", "-k", "GUEST", "other"}, "other: unexpected word", "the kernel is"},
		       {{"run", "-k", "GUEST", "-k", "GUEST"}, "--kernel", "once"});
}

static void options_are_checked(void **state)
{
	(void)state;
	CHECK_MISTAKES({{"run", "GUEST", "--memory", "64M"}, "--memory", "vmm run --help"},
		       {{"run", "GUEST", "-z"}, "-z", "vmm run --help"},
		       {{"run", "GUEST", "-qz"}, "-z", "vmm run --help"},
		       {{"run", "GUEST", "--mem", "16M", "--mem", "16M"}, "--mem", "once"},
		       {{"run", "GUEST", "--mem", "16M", "-m", "16M"}, "--mem", "once"},
		       {{"run", "GUEST", "--dry-run", "--dry-run"}, "--dry-run", "once"},
		       {{"run", "GUEST", "--dry-run=yes"}, "--dry-run", "vmm run --help"},
		       {{"run", "GUEST", "--mem"}, "--mem: needs a value", "vmm run --help"},
		       {{"run", "GUEST", "-m"}, "-m: needs a value", "vmm run --help"},
		       {{"run", "GUEST", "--timeout"}, "--timeout: needs a value", "vmm run --help"});
}

static void sizes_are_checked(void **state)
{
	(void)state;
	CHECK_MISTAKES({{"run", "GUEST", "--mem", "1M"}, "--mem 1M: too small", "at least 2M"},
		       {{"run", "GUEST", "--mem", "0"}, "--mem 0: too small", "at least 2M"},
		       {{"run", "GUEST", "--mem", "5"}, "--mem 5: too small", "at least 2M"},
		       {{"run", "GUEST", "--mem", "2097153"}, "--mem 2097153: is not a multiple of 4K", "round it"},
		       {{"run", "GUEST", "--mem", "abc"}, "--mem abc: is not a size", "256M"},
		       {{"run", "GUEST", "--mem", ""}, "--mem : is not a size", "256M"},
		       {{"run", "GUEST", "--mem", "-5M"}, "--mem -5M: is not a size", "256M"},
		       {{"run", "GUEST", "--mem", "1.5x"}, "--mem 1.5x: is not a size", "256M"},
		       {{"run", "GUEST", "--mem", "999999T"}, "--mem 999999T: too large", "at most"},
		       {{"run", "GUEST", "--mem", "99999999999999999999G"}, "--mem 9999*: too large", "at most"});
}

static void choices_are_checked(void **state)
{
	(void)state;
	CHECK_MISTAKES({{"run", "GUEST", "--cpus", "0"}, "--cpus 0", "1 to 64"},
		       {{"run", "GUEST", "--cpus", "65"}, "--cpus 65", "1 to 64"},
		       {{"run", "GUEST", "--cpus", "x"}, "--cpus x", "1 to 64"},
		       {{"run", "GUEST", "--cpus", "-1"}, "--cpus -1", "1 to 64"},
		       {{"run", "GUEST", "--cpus", "2 "}, "--cpus 2", "1 to 64"},
		       {{"run", "GUEST", "--timeout", "0"}, "--timeout 0", "90s"},
		       {{"run", "GUEST", "--timeout", "x"}, "--timeout x", "90s"},
		       {{"run", "GUEST", "--timeout", "-3s"}, "--timeout -3s", "90s"},
		       {{"run", "GUEST", "--timeout", "1d"}, "--timeout 1d", "90s"},
		       {{"run", "GUEST", "--boot", "uefi"}, "--boot uefi", "auto, linux, pvh, multiboot"},
		       {{"run", "GUEST", "--assist", "maybe"}, "--assist maybe", "auto, on, off"},
		       {{"run", "GUEST", "--console", "x"}, "--console x", "stdio, null, file="},
		       {{"run", "GUEST", "--console", "file="}, "--console file=", "file=PATH"});
}

static void output_targets_are_checked(void **state)
{
	(void)state;
	CHECK_MISTAKES(
		{{"run", "GUEST", "--events", "no/such/folder/e"},
		 "--events no/such/folder/e: cannot open",
		 "writable path"},
		{{"run", "GUEST", "--events", "fd:99"}, "--events fd:99", "open it"},
		{{"run", "GUEST", "--events", "fd:x"}, "--events fd:x", "open it"},
		{{"run", "GUEST", "--events", "fd:-1"}, "--events fd:-1", "open it"},
		{{"run", "GUEST", "--console", "file=no/such/c"}, "file=no/such/c: cannot open", "writable path"},
		{{"run", "GUEST", "--dump-fdt", "no/such/f"}, "--dump-fdt no/such/f", "writable path"});
}

/* Descriptors that vmm itself has opened are not the caller's. */
static void events_descriptor_must_be_the_callers(void **state)
{
	(void)state;
	CHECK_MISTAKES({{"run", "GUEST", "--events", "fd:3"}, "--events fd:3", "open it"},
		       {{"run", "GUEST", "--events", "fd:4"}, "--events fd:4", "open it"},
		       {{"run", "GUEST", "--events", "fd:5"}, "--events fd:5", "open it"},
		       {{"run", "GUEST", "--events", "fd:6"}, "--events fd:6", "open it"});
}

static void kernel_file_is_checked(void **state)
{
	(void)state;
	run_write_file("empty", "", 0);
	run_write_file("text", "This is not a kernel.\n", 22);
	run_write_file("script", "#!/bin/sh\n", 10);
	run_write_file("one", "\x7f", 1);
	run_write_file("elf-magic",
		       "\x7f"
		       "ELF",
		       4);
	assert_int_equal(mkdir(run_path("folder"), 0755), 0);
	assert_int_equal(mkfifo(run_path("fifo"), 0644), 0);
	CHECK_MISTAKES({{"run", "missing"}, "kernel missing: cannot open: No such file", "check the path"},
		       {{"run", "folder"}, "kernel folder: is a directory", "regular file"},
		       {{"run", "fifo"}, "kernel fifo: is a special file", "regular file"},
		       {{"run", "/dev/null"}, "kernel /dev/null: is a special file", "regular file"},
		       {{"run", "empty"}, "kernel empty: is an empty file", ";"},
		       {{"run", "text"}, "kernel text: is not a kernel image", "bzImage"},
		       {{"run", "one"}, "kernel one: is not a kernel image", "bzImage"},
		       {{"run", "script"}, "kernel script: is a script", "not a kernel"},
		       {{"run", "elf-magic"}, "kernel elf-magic: is truncated", ";"},
		       {{"run", "/bin/true"}, "kernel /bin/true: is a *program", "not a kernel"});
}

/* The test guest, cut short or changed in one place. */
static void spoil_guest(const char *name, size_t len, size_t at, unsigned char value)
{
	FILE *from = fopen(run_guest("guest-pvh"), "rb");
	unsigned char *bytes = malloc(1 << 20);
	size_t size;

	assert_non_null(from);
	assert_non_null(bytes);
	size = fread(bytes, 1, 1 << 20, from);
	fclose(from);
	assert_true(len <= size && at < size);
	bytes[at] = value;
	run_write_file(name, bytes, len ? len : size);
	free(bytes);
}

#define ELF_CLASS   4
#define ELF_DATA    5
#define ELF_MACHINE 18
#define ELF_PHNUM   56
#define ELF_MEMSZ3  (64 + 43) /* the highest byte of a 32-bit p_memsz */

static void damaged_kernel_is_refused(void **state)
{
	(void)state;
	spoil_guest("headerless", 40, 0, 0x7f);
	spoil_guest("tableless", 80, 0, 0x7f);
	spoil_guest("half", 20000, 0, 0x7f);
	spoil_guest("arm", 0, ELF_MACHINE, 183);
	spoil_guest("big-endian", 0, ELF_DATA, 2);
	spoil_guest("class", 0, ELF_CLASS, 9);
	spoil_guest("no-segments", 0, ELF_PHNUM, 0);
	spoil_guest("in-the-hole", 0, ELF_MEMSZ3, 0xd0);
	CHECK_MISTAKES({{"run", "headerless"}, "kernel headerless: is truncated", ";"},
		       {{"run", "tableless"}, "kernel tableless: is truncated", ";"},
		       {{"run", "half"}, "kernel half: is truncated", ";"},
		       {{"run", "arm"}, "kernel arm: is for aarch64", "x86-64"},
		       {{"run", "big-endian"}, "kernel big-endian: is a big-endian ELF", "x86-64"},
		       {{"run", "class"}, "kernel class: has ELF class 9", "32- nor 64-bit"},
		       {{"run", "no-segments"}, "kernel no-segments: has no program headers", "nothing to load"},
		       {{"run", "in-the-hole"}, "kernel in-the-hole: wants*at guest-physical 0x100000", "first 3 GiB"});
}

static void kernel_that_does_not_fit_names_the_memory_it_needs(void **state)
{
	(void)state;
	spoil_guest("large", 0, ELF_MEMSZ3, 0x04); /* 64 MiB more than it has */
	CHECK_MISTAKES({{"run", "large", "-m", "16M"},
			"kernel large: needs memory up to*but the guest has 16M",
			"use -m 128M"});
}

static void protocol_must_suit_the_kernel(void **state)
{
	(void)state;
	CHECK_MISTAKES({{"run", "GUEST", "--boot", "multiboot"}, "has no Multiboot header", "--boot auto"});
	check_mistakes(
		(const struct mistake[]){
			{{"run", run_guest("guest-linux"), "--boot", "pvh"}, "without a PVH note", "--boot linux"},
			{{"run", run_guest("guest-pvh32"), "--boot", "linux"}, "32-bit ELF", "64-bit vmlinux"}},
		2);
}

static void initrd_is_checked(void **state)
{
	int fd;

	(void)state;
	run_write_file("empty", "", 0);
	run_write_file("good", "good", 4);
	assert_int_equal(mkdir(run_path("folder"), 0755), 0);
	fd = open(run_path("big"), O_WRONLY | O_CREAT, 0644);
	assert_int_equal(ftruncate(fd, 310 << 20), 0);
	close(fd);
	fd = open(run_path("huge"), O_WRONLY | O_CREAT, 0644);
	assert_int_equal(ftruncate(fd, 1LL << 40), 0);
	close(fd);
	CHECK_MISTAKES(
		{{"run", "GUEST", "-i", "missing"}, "initrd missing: cannot open: No such file", "check the path"},
		{{"run", "GUEST", "-i", "good", "-i", "missing"},
		 "initrd missing: cannot open: No such file",
		 "check the path"},
		{{"run", "GUEST", "-i", "folder"}, "initrd folder: is a directory", "regular file"},
		{{"run", "GUEST", "-i", "empty"}, "initrd empty: is an empty file", ";"},
		{{"run", "GUEST", "-i", "big", "-m", "256M"},
		 "initrd 310M does not fit in 256M guest memory",
		 "use -m 512M"},
		{{"run", "GUEST", "-i", "huge"}, "initrd huge: is larger than 3 GiB", ";"});
}

static void long_lines_are_refused(void **state)
{
	char path[5000];
	struct mistake m = {{"run", "GUEST", "-a", path}, "command line is longer than 4095 bytes", "shorten it"};

	(void)state;
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = 0;
	check_mistakes(&m, 1);
	m = (struct mistake){{"run", path}, "kernel aaa", "a"};
	check_mistakes(&m, 1);
}

static void a_strange_name_stays_on_one_line(void **state)
{
	(void)state;
	CHECK_MISTAKES({{"run", "no\nsuch\033[31mkernel"}, "no?such?\\[31mkernel: cannot open", "check the path"});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(command_is_checked),
		IN_SCRATCH(kernel_must_be_given_once),
		IN_SCRATCH(options_are_checked),
		IN_SCRATCH(sizes_are_checked),
		IN_SCRATCH(choices_are_checked),
		IN_SCRATCH(output_targets_are_checked),
		IN_SCRATCH(events_descriptor_must_be_the_callers),
		IN_SCRATCH(kernel_file_is_checked),
		IN_SCRATCH(damaged_kernel_is_refused),
		IN_SCRATCH(kernel_that_does_not_fit_names_the_memory_it_needs),
		IN_SCRATCH(protocol_must_suit_the_kernel),
		IN_SCRATCH(initrd_is_checked),
		IN_SCRATCH(long_lines_are_refused),
		IN_SCRATCH(a_strange_name_stays_on_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
