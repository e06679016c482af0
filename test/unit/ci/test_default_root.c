/* SPDX-License-Identifier: Apache-2.0 */
/* With programs of our own in the place of BusyBox: small static ELF files whose output is known, and broken ones. */
#include "support/archive_members.h"
#include "support/fake_root.h"

#include <elf.h>
#include <errno.h>

#include "base/compiler.h"
#include "ci/default_root.h"

#define CODE_AT 0x200
#define ADDRESS 0x400000

/* Writes the list to stdout and exits with the status: write(1, list, len); exit(status). */
struct built_program {
	Elf64_Ehdr head;
	Elf64_Phdr segments[2];
	uint8_t unused[CODE_AT - sizeof(Elf64_Ehdr) - 2 * sizeof(Elf64_Phdr)];
	uint8_t code[64];
	char list[2048];
};

struct fixture {
	struct archive archive;
	struct error err;
	char folder[64]; /* where the program is: all of the path */
	struct built_program program;
};

static void put_u32(uint8_t *to, uint32_t value)
{
	memcpy(to, &value, sizeof(value));
}

static void build(struct built_program *program, const char *list, uint8_t status)
{
	static const uint8_t code[] = {
		0xb8, 1,    0, 0, 0, /* mov $1, %eax: write */
		0xbf, 1,    0, 0, 0, /* mov $1, %edi */
		0xbe, 0,    0, 0, 0, /* mov $list, %esi */
		0xba, 0,    0, 0, 0, /* mov $len, %edx */
		0x0f, 0x05,	     /* syscall */
		0xb8, 60,   0, 0, 0, /* mov $60, %eax: exit */
		0xbf, 0,    0, 0, 0, /* mov $status, %edi */
		0x0f, 0x05,
	};

	memset(program, 0, sizeof(*program));
	program->head = (Elf64_Ehdr){
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = ADDRESS + CODE_AT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2,
	};
	program->segments[0] = (Elf64_Phdr){.p_type = PT_LOAD,
					    .p_flags = PF_R | PF_X,
					    .p_vaddr = ADDRESS,
					    .p_filesz = sizeof(*program),
					    .p_memsz = sizeof(*program),
					    .p_align = 0x1000};
	program->segments[1].p_type = PT_NOTE;
	memcpy(program->code, code, sizeof(code));
	put_u32(program->code + 11, ADDRESS + offsetof(struct built_program, list));
	put_u32(program->code + 16, (uint32_t)strlen(list));
	program->code[28] = status;
	assert_true(strlen(list) < sizeof(program->list));
	strcpy(program->list, list);
}

static int set_up(void **state)
{
	static struct fixture fixture;
	void *root;

	if (fake_root_setup(&root))
		return -1;
	memset(&fixture, 0, sizeof(fixture));
	archive_init(&fixture.archive);
	strcpy(fixture.folder, ((struct fake_root *)root)->path);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	archive_fini(&f->archive);
	return nftw(f->folder, fake_root_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static void install_bytes(const struct fixture *f, const char *below, const void *bytes, size_t size, mode_t mode)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", f->folder, below);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, bytes, size), 0);
	close(fd);
}

static void install(struct fixture *f, const char *list, uint8_t status)
{
	build(&f->program, list, status);
	install_bytes(f, "busybox", &f->program, sizeof(f->program), 0700);
}

static void accept(struct fixture *f)
{
	int ret = default_root_make(&f->archive, f->folder, &f->err);

	if (ret)
		fail_msg("%s", f->err.text);
}

/* Refused with one line that holds @part and a way out. */
static void refuse(struct fixture *f, int code, const char *part)
{
	assert_int_equal(default_root_make(&f->archive, f->folder, &f->err), code);
	if (!strstr(f->err.text, part))
		fail_msg("\"%s\" is not in: %s", part, f->err.text);
	assert_null(strchr(f->err.text, '\n'));
	archive_fini(&f->archive);
}

static void assert_link(const struct fixture *f, const char *name)
{
	struct cpio_entry entry;

	if (!member_find(&f->archive, name, &entry))
		fail_msg("%s is missing", name);
	assert_int_equal(entry.mode, S_IFLNK | 0777);
	assert_int_equal(entry.data_size, strlen("/bin/busybox"));
	assert_memory_equal(member_data(&f->archive, &entry), "/bin/busybox", entry.data_size);
}

static void assert_missing(const struct fixture *f, const char *name)
{
	struct cpio_entry entry;

	if (member_find(&f->archive, name, &entry))
		fail_msg("%s is there", name);
}

static void the_program_is_there_under_all_its_names(void **state)
{
	struct fixture *f = *state;
	struct cpio_entry entry;

	install(f, "bin/sh\nsbin/init\nusr/bin/awk\nlinuxrc\nusr/bin/[[", 0);
	accept(f);
	assert_true(member_find(&f->archive, "bin/busybox", &entry));
	assert_int_equal(entry.mode, S_IFREG | 0755);
	assert_int_equal(entry.data_size, sizeof(f->program));
	assert_memory_equal(member_data(&f->archive, &entry), &f->program, sizeof(f->program));
	assert_link(f, "bin/sh");
	assert_link(f, "sbin/init");
	assert_link(f, "usr/bin/awk");
	assert_link(f, "linuxrc");
	assert_link(f, "usr/bin/[["); /* the last line has no newline */
}

static void the_folders_are_there_before_their_files(void **state)
{
	static const char *const folders[] = {"bin", "sbin", "usr", "usr/bin", "usr/sbin", "etc", "root", "tmp"};
	struct fixture *f = *state;
	struct cpio_entry entry, program;

	install(f, "", 0);
	accept(f);
	assert_true(member_find(&f->archive, "bin/busybox", &program));
	for (unsigned i = 0; i < ARRAY_SIZE(folders); i++) {
		assert_true(member_find(&f->archive, folders[i], &entry));
		assert_int_equal(entry.mode, S_IFDIR | (strcmp(folders[i], "tmp") ? 0755 : 01777));
		assert_true(entry.data_offset < program.data_offset);
	}
}

/* The list comes from a program: what it says must not replace the program, or leave the root. */
static void names_that_are_no_names_are_left_out(void **state)
{
	struct fixture *f = *state;

	install(f, "bin/busybox\n/etc/passwd\n../outside\nusr/../../up\n\nbin/good\n", 0);
	accept(f);
	assert_link(f, "bin/good");
	assert_missing(f, "/etc/passwd");
	assert_missing(f, "../outside");
	assert_missing(f, "usr/../../up");
	assert_missing(f, "");
	assert_int_equal(member_count(&f->archive), 9 + 1 + 1);
}

static void a_name_that_no_kernel_takes_does_no_harm(void **state)
{
	struct fixture *f = *state;
	char list[2000];

	memset(list, 'x', sizeof(list));
	memcpy(list + sizeof(list) - 9, "\nbin/end", 9);
	install(f, list, 0);
	accept(f);
	assert_link(f, "bin/end");
}

static void the_first_folder_of_the_path_that_has_one_counts(void **state)
{
	struct fixture *f = *state;
	char path[400], sub[80];
	struct cpio_entry entry;

	snprintf(sub, sizeof(sub), "%s/sub", f->folder);
	assert_int_equal(mkdir(sub, 0700), 0);
	install(f, "bin/first\n", 0);
	build(&f->program, "bin/second\n", 0);
	install_bytes(f, "sub/busybox", &f->program, sizeof(f->program), 0700);
	snprintf(path, sizeof(path), "::/nonexistent:%s::%s:", sub, f->folder);
	assert_int_equal(default_root_make(&f->archive, path, &f->err), 0);
	assert_true(member_find(&f->archive, "bin/second", &entry));
	assert_false(member_find(&f->archive, "bin/first", &entry));
}

static void a_program_that_may_not_be_run_is_passed_over(void **state)
{
	struct fixture *f = *state;
	char path[200], sub[80];

	snprintf(sub, sizeof(sub), "%s/sub", f->folder);
	assert_int_equal(mkdir(sub, 0700), 0);
	install_bytes(f, "busybox", "text", 4, 0600);
	build(&f->program, "bin/second\n", 0);
	install_bytes(f, "sub/busybox", &f->program, sizeof(f->program), 0700);
	snprintf(path, sizeof(path), "%s:%s", f->folder, sub);
	assert_int_equal(default_root_make(&f->archive, path, &f->err), 0);
	assert_link(f, "bin/second");
}

/* Its interpreter and libraries would be missing in the guest. */
static void a_program_that_needs_an_interpreter_is_refused(void **state)
{
	struct fixture *f = *state;

	build(&f->program, "bin/sh\n", 0);
	f->program.segments[1].p_type = PT_INTERP;
	install_bytes(f, "busybox", &f->program, sizeof(f->program), 0700);
	refuse(f, -ENOEXEC, "is not a static x86-64 program; install one (Debian: apt-get install busybox-static)");
}

/* One row per way to be no program of ours: a change of the good one, or its first bytes only. */
static void what_is_no_static_program_for_this_machine_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/busybox", f->folder);
	for (unsigned kind = 0; kind < 9; kind++) {
		size_t size = sizeof(f->program);

		build(&f->program, "bin/sh\n", 0);
		switch (kind) {
		case 0:
			memcpy(&f->program, "#!/bin/sh\n", 10);
			break;
		case 1:
			f->program.head.e_ident[EI_CLASS] = ELFCLASS32;
			break;
		case 2:
			f->program.head.e_machine = EM_AARCH64;
			break;
		case 3:
			f->program.head.e_phentsize = 1;
			break;
		case 4:
			f->program.head.e_phoff = UINT64_MAX - 8;
			break;
		case 5:
			f->program.head.e_phoff = size + 1;
			break;
		case 6:
			f->program.head.e_phnum = UINT16_MAX;
			break;
		case 7:
			size = sizeof(Elf64_Ehdr) - 1;
			break;
		default:
			size = 0;
			break;
		}
		install_bytes(f, "busybox", &f->program, size, 0700);
		refuse(f, -ENOEXEC, "is not a static x86-64 program");
		assert_int_equal(unlink(path), 0);
	}
}

static void a_program_that_fails_is_refused(void **state)
{
	struct fixture *f = *state;

	install(f, "bin/sh\n", 3);
	refuse(f, -EIO, "--list-full` failed; install one");
}

static void a_program_that_cannot_be_run_is_refused(void **state)
{
	struct fixture *f = *state;

	build(&f->program, "bin/sh\n", 0);
	f->program.segments[0].p_vaddr = 1; /* not at its place in the page */
	install_bytes(f, "busybox", &f->program, sizeof(f->program), 0700);
	refuse(f, -EIO, "busybox ");
}

static void a_folder_of_that_name_is_no_program(void **state)
{
	struct fixture *f = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/busybox", f->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(default_root_make(&f->archive, f->folder, &f->err) < 0);
	assert_non_null(strstr(f->err.text, path));
}

/* The host's own, where there is one. */
static void the_hosts_busybox_makes_a_root(void **state)
{
	struct fixture *f = *state;
	char path[4096], found[4096];
	int ret;

	default_root_path(path, sizeof(path));
	ret = default_root_make(&f->archive, path, &f->err);
	assert_int_equal(default_root_find(path, found, sizeof(found), &f->err), ret);
	if (ret == -ENOENT) {
		assert_non_null(strstr(f->err.text, "apt-get install busybox-static"));
		assert_non_null(strstr(f->err.text, "--initrd-dir"));
		skip();
	}
	if (ret == -ENOEXEC)
		skip(); /* linked dynamically */
	assert_int_equal(ret, 0);
	assert_link(f, "bin/sh");
	assert_in_range(member_count(&f->archive), 100, 1000);
}

static void a_program_that_is_not_static_is_passed_over_for_one_that_is(void **state)
{
	struct fixture *f = *state;
	char path[200], sub[80], wanted[100], found[200];

	snprintf(sub, sizeof(sub), "%s/sub", f->folder);
	assert_int_equal(mkdir(sub, 0700), 0);
	install_bytes(f, "busybox", "#!/bin/sh\n", 10, 0700);
	build(&f->program, "bin/second\n", 0);
	install_bytes(f, "sub/busybox", &f->program, sizeof(f->program), 0700);
	snprintf(path, sizeof(path), "%s:%s", f->folder, sub);
	snprintf(wanted, sizeof(wanted), "%s/busybox", sub);
	assert_int_equal(default_root_find(path, found, sizeof(found), &f->err), 0);
	assert_string_equal(found, wanted);
	assert_int_equal(default_root_make(&f->archive, path, &f->err), 0);
	assert_link(f, "bin/second");
}

static void the_users_path_comes_before_the_usual_folders(void **state)
{
	char *kept = getenv("PATH") ? strdup(getenv("PATH")) : NULL;
	char path[200];

	(void)state;
	setenv("PATH", "/of/the/user", 1);
	default_root_path(path, sizeof(path));
	assert_ptr_equal(strstr(path, "/of/the/user:/bin:"), path);
	unsetenv("PATH");
	default_root_path(path, sizeof(path));
	assert_ptr_equal(strstr(path, ":/bin:"), path);
	if (kept)
		setenv("PATH", kept, 1);
	free(kept);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(the_program_is_there_under_all_its_names),
		WITH_FOLDER(the_folders_are_there_before_their_files),
		WITH_FOLDER(names_that_are_no_names_are_left_out),
		WITH_FOLDER(a_name_that_no_kernel_takes_does_no_harm),
		WITH_FOLDER(the_first_folder_of_the_path_that_has_one_counts),
		WITH_FOLDER(a_program_that_may_not_be_run_is_passed_over),
		WITH_FOLDER(a_program_that_needs_an_interpreter_is_refused),
		WITH_FOLDER(what_is_no_static_program_for_this_machine_is_refused),
		WITH_FOLDER(a_program_that_fails_is_refused),
		WITH_FOLDER(a_program_that_cannot_be_run_is_refused),
		WITH_FOLDER(a_folder_of_that_name_is_no_program),
		WITH_FOLDER(the_hosts_busybox_makes_a_root),
		WITH_FOLDER(a_program_that_is_not_static_is_passed_over_for_one_that_is),
		cmocka_unit_test(the_users_path_comes_before_the_usual_folders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
