/* SPDX-License-Identifier: Apache-2.0 */
/* How commands start, fail to start, and end. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "guest_run.h"

#define NO_INPUT COMMAND_FLAG_NO_INPUT

/* HELLO, STARTED, EXIT, DONE, without or with OUTPUT. Notes about the mounts are dropped: which of them a user
 * namespace may do is the machine's affair. */
static void assert_order(const struct guest_result *result, const char *expected)
{
	char order[sizeof(result->frames.order)];
	size_t len = 0;

	for (const char *c = result->frames.order; *c; c++) {
		if (*c != 'A' + COMMAND_FRAME_NOTE - 1)
			order[len++] = *c;
	}
	order[len] = 0;
	assert_string_equal(order, expected);
}

static void status_is_the_commands(void **state)
{
	static const struct {
		const char *script;
		unsigned status;
	} cases[] = {{"exit 0", 0}, {"exit 1", 1}, {"exit 77", 77}, {"exit 123", 123}, {"exit 255", 255}};
	struct guest_result result;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		guest_run_script(cases[i].script, NO_INPUT, &result);
		guest_assert_exited(&result, cases[i].status);
		assert_order(&result, "ABEG");
		guest_fini(&result);
	}
}

static void signal_that_killed_is_told(void **state)
{
	static const struct {
		const char *script;
		unsigned signal;
	} cases[] = {
		{"kill -9 $$", 9}, {"kill -15 $$", 15}, {"kill -11 $$", 11}, {"kill -1 $$", 1}, {"kill -17 $$", 0}};
	struct guest_result result;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		guest_run_script(cases[i].script, NO_INPUT, &result);
		assert_int_equal(result.frames.exit.end, cases[i].signal ? COMMAND_KILLED : COMMAND_EXITED);
		assert_int_equal(result.frames.exit.value, cases[i].signal);
		assert_order(&result, "ABEG");
		guest_fini(&result);
	}
}

/* @note: what one of the notes says; NULL: whatever. */
static void assert_refused(const struct guest_request *request, int error, enum command_step step, const char *note)
{
	struct guest_result result;

	guest_run(request, &result);
	guest_assert_not_started(&result, error, step);
	assert_order(&result, "AEG");
	if (note && !strstr(result.frames.notes, note))
		fail_msg("no \"%s\" in: %s", note, result.frames.notes);
	guest_fini(&result);
}

static void missing_command_is_not_found(void **state)
{
	(void)state;
	assert_refused(&(struct guest_request){.arguments = {"no-such-program"}}, ENOENT, COMMAND_STEP_EXEC, NULL);
	assert_refused(&(struct guest_request){.arguments = {"/no/such/program"}}, ENOENT, COMMAND_STEP_EXEC, NULL);
	assert_refused(&(struct guest_request){.arguments = {"/bin/sh/program"}}, ENOTDIR, COMMAND_STEP_EXEC, NULL);
	assert_refused(&(struct guest_request){.arguments = {""}}, ENOENT, COMMAND_STEP_EXEC, NULL);
	assert_refused(&(struct guest_request){.arguments = {"sh"}, .variables = {"PATH=/nowhere:"}}, ENOENT,
		       COMMAND_STEP_EXEC, NULL);
}

static void name_that_is_too_long_is_refused(void **state)
{
	static char name[100000];
	static uint8_t file[sizeof(name) + 1000];
	struct guest_request request = {.arguments = {name}, .file = file};

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	request.file_size = guest_make_file(&request, file, sizeof(file));
	assert_refused(&request, ENOENT, COMMAND_STEP_EXEC, NULL);
	name[0] = '/';
	guest_make_file(&request, file, sizeof(file));
	assert_refused(&request, ENAMETOOLONG, COMMAND_STEP_EXEC, NULL);
}

/* As much of a program as the kernel looks at before it opens the interpreter, @interpreter. */
static void put_elf(const char *path, unsigned char class, Elf64_Half machine, const char *interpreter)
{
	struct {
		Elf64_Ehdr elf;
		Elf64_Phdr segment;
		char interpreter[32];
	} file = {
		.elf = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, class, ELFDATA2LSB, EV_CURRENT},
			.e_type = ET_EXEC,
			.e_machine = machine,
			.e_version = EV_CURRENT,
			.e_phoff = sizeof(Elf64_Ehdr),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 1},
		.segment = {.p_type = PT_INTERP,
			    .p_offset = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr),
			    .p_filesz = strlen(interpreter) + 1},
	};

	strcpy(file.interpreter, interpreter);
	guest_put_bytes(path, &file, sizeof(file), 0755);
}

static void put_refused_files(void)
{
	guest_put("bin/plain", "#!/bin/sh\nexit 3\n", 0644);
	guest_put("bin/dos", "#!/bin/sh\r\nexit 3\r\n", 0755);
	guest_put("bin/no-interpreter", "#! /usr/bin/python3 -u\n", 0755);
	guest_put("bin/text", "echo hello\n", 0755);
	put_elf("bin/dynamic", ELFCLASS64, EM_X86_64, "/lib64/ld-none.so.2");
	guest_put("bin/half-there", "#!/bin/dynamic\n", 0755);
	put_elf("bin/elf32", ELFCLASS32, EM_386, "");
	put_elf("bin/arm", ELFCLASS64, EM_AARCH64, "");
	put_elf("bin/damaged", ELFCLASS64, EM_X86_64, "");
}

static void refusal_is_explained(void **state)
{
	static const struct {
		const char *path;
		int error;
		const char *note;
	} cases[] = {
		{"plain", EACCES, "/bin/plain: has no permission to be executed"},
		{"/bin/plain", EACCES, "/bin/plain: has no permission to be executed"},
		{"/bin", EACCES, "/bin: a directory"},
		{"dos", ENOENT, "/bin/dos: its interpreter /bin/sh? is missing in the guest (the first line ends"},
		{"/bin/no-interpreter", ENOENT, "its interpreter /usr/bin/python3 is missing"},
		{"no-interpreter", ENOENT, "its interpreter /usr/bin/python3 is missing"},
		{"text", ENOEXEC, "/bin/text: neither a program nor a script"},
		{"dynamic", ENOENT, "/bin/dynamic: its interpreter /lib64/ld-none.so.2 is missing in the guest; add"},
		{"half-there", ENOENT, "/bin/half-there: what its interpreter /bin/dynamic needs to run is missing"},
		{"elf32", ENOEXEC, "CONFIG_IA32_EMULATION"},
		{"arm", ENOEXEC, "/bin/arm: a program for another kind of processor"},
		{"damaged", ENOEXEC, "/bin/damaged: a damaged program"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refused(&(struct guest_request){.arguments = {cases[i].path}, .prepare = put_refused_files},
			       cases[i].error, COMMAND_STEP_EXEC, cases[i].note);
}

static void missing_folder_is_told(void **state)
{
	(void)state;
	assert_refused(&(struct guest_request){.arguments = {"sh"}, .folder = "/no/such"}, ENOENT, COMMAND_STEP_CHDIR,
		       NULL);
	assert_refused(&(struct guest_request){.arguments = {"sh"}, .folder = "/bin/sh"}, ENOTDIR, COMMAND_STEP_CHDIR,
		       NULL);
}

static void put_two_tools(void)
{
	mkdir("first", 0755);
	mkdir("second", 0755);
	mkdir("first/folder", 0755);
	guest_put("first/tool", "#!/bin/sh\necho first\n", 0644);
	guest_put("second/tool", "#!/bin/sh\necho second $0\n", 0755);
	guest_put("second/folder", "#!/bin/sh\necho not a folder\n", 0755);
}

static void search_goes_on_after_a_file_that_is_not_executable(void **state)
{
	struct guest_request request = {
		.arguments = {"tool"},
		.variables = {"PATH=/none:/first:/second"},
		.prepare = put_two_tools,
		.flags = NO_INPUT,
	};
	struct guest_result result;

	(void)state;
	guest_run(&request, &result);
	guest_assert_exited(&result, 0);
	assert_string_equal(result.frames.output, "second /second/tool\n");
	guest_fini(&result);
	request.arguments[0] = "folder";
	guest_run(&request, &result);
	guest_assert_exited(&result, 0);
	assert_string_equal(result.frames.output, "not a folder\n");
	guest_fini(&result);
}

static void empty_part_of_the_path_is_the_working_folder(void **state)
{
	const struct guest_request request = {
		.arguments = {"tool"},
		.variables = {"PATH=/none::/bin"},
		.folder = "/second",
		.prepare = put_two_tools,
		.flags = NO_INPUT,
	};
	struct guest_result result;

	(void)state;
	guest_run(&request, &result);
	guest_assert_exited(&result, 0);
	assert_string_equal(result.frames.output, "second tool\n");
	guest_fini(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_is_the_commands),
		cmocka_unit_test(signal_that_killed_is_told),
		cmocka_unit_test(missing_command_is_not_found),
		cmocka_unit_test(name_that_is_too_long_is_refused),
		cmocka_unit_test(refusal_is_explained),
		cmocka_unit_test(missing_folder_is_told),
		cmocka_unit_test(search_goes_on_after_a_file_that_is_not_executable),
		cmocka_unit_test(empty_part_of_the_path_is_the_working_folder),
	};
	int missing = guest_missing();

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
