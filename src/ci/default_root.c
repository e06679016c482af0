/* SPDX-License-Identifier: Apache-2.0 */
#include "ci/default_root.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

#define USUAL_FOLDERS	 "/bin:/usr/bin:/usr/local/bin:/sbin:/usr/sbin"
#define BUSYBOX_IN_GUEST "/bin/busybox"
#define MAX_BUSYBOX_SIZE (64u << 20)

static const char how_to_get_one[] =
	"install one (Debian: apt-get install busybox-static), or give the root file system with --initrd or "
	"--initrd-dir";

static const char *const folders[] = {"bin", "sbin", "usr", "usr/bin", "usr/sbin", "etc", "root", "tmp", "var"};

struct program {
	char path[PATH_MAX];
	uint8_t *bytes; /* owned */
	uint64_t size;
};

static int read_program(struct program *program, struct error *err)
{
	int ret, fd = file_open_regular("busybox", program->path, &program->size, err);

	if (fd < 0)
		return fd;
	program->bytes = program->size <= MAX_BUSYBOX_SIZE ? malloc(program->size) : NULL;
	ret = program->bytes ? read_exact_at(fd, program->bytes, program->size, 0) : -ENOMEM;
	close_fd(&fd);
	return ret ? error_set(err, ret, "busybox %s: cannot read: %s", program->path, strerror(-ret)) : 0;
}

/* Without an interpreter it needs nothing else. */
static bool is_static(const struct program *program)
{
	const Elf64_Ehdr *head = (const Elf64_Ehdr *)(const void *)program->bytes;

	if (program->size < sizeof(*head) || memcmp(head->e_ident, ELFMAG, SELFMAG) ||
	    head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_machine != EM_X86_64 ||
	    head->e_phentsize != sizeof(Elf64_Phdr) || head->e_phoff > program->size ||
	    head->e_phnum > (program->size - head->e_phoff) / sizeof(Elf64_Phdr))
		return false;
	for (unsigned i = 0; i < head->e_phnum; i++) {
		Elf64_Phdr segment;

		memcpy(&segment, program->bytes + head->e_phoff + i * sizeof(segment), sizeof(segment));
		if (segment.p_type == PT_INTERP)
			return false;
	}
	return true;
}

static int take(struct program *program, struct error *err)
{
	int ret = read_program(program, err);

	if (!ret && !is_static(program))
		ret = error_set(err, -ENOEXEC, "busybox %s: is not a static x86-64 program; %s", program->path,
				how_to_get_one);
	if (ret) {
		free(program->bytes);
		program->bytes = NULL;
	}
	return ret;
}

/* The first that serves of those in the folders of @path. -ENOENT without any; else what is wrong with the last one. */
static int search(struct program *program, const char *path, struct error *err)
{
	int ret = -ENOENT;

	while (*path && ret) {
		size_t len = strcspn(path, ":");

		snprintf(program->path, sizeof(program->path), "%.*s/busybox", (int)len, path);
		if (len && access(program->path, X_OK) == 0)
			ret = take(program, err);
		path += len + (path[len] == ':');
	}
	return ret;
}

static int find(struct program *program, const char *path, struct error *err)
{
	int ret = search(program, path, err);

	if (ret == -ENOENT)
		error_set(err, ret, "no root file system and no busybox here; %s", how_to_get_one);
	return ret;
}

void default_root_path(char *path, size_t size)
{
	const char *of_user = getenv("PATH");

	snprintf(path, size, "%s:" USUAL_FOLDERS, of_user ? of_user : "");
}

int default_root_find(const char *path, char *found, size_t size, struct error *err)
{
	struct program program = {.bytes = NULL};
	int ret = find(&program, path, err);

	free(program.bytes);
	snprintf(found, size, "%s", program.path);
	return ret;
}

/* "bin/sh", "usr/bin/awk": a name of BusyBox's list that is safe to make a link of. */
static bool is_applet(const char *name)
{
	return *name && *name != '/' && !strstr(name, "..") && strcmp(name, &BUSYBOX_IN_GUEST[1]) != 0;
}

static void add_applets(struct archive *archive, FILE *list)
{
	char name[256];

	while (fgets(name, sizeof(name), list)) {
		name[strcspn(name, "\n")] = '\0';
		if (is_applet(name))
			archive_add_link(archive, name, BUSYBOX_IN_GUEST);
	}
}

/* Starts `busybox --list-full` with its output on a pipe. Returns the pipe's reading end, or -errno. */
static int start_list(const char *path, pid_t *child)
{
	char program[] = "busybox", option[] = "--list-full";
	char *const argv[] = {program, option, NULL};
	char *const environment[] = {NULL};
	posix_spawn_file_actions_t actions;
	int pipe_fds[2], ret;

	if (pipe2(pipe_fds, O_CLOEXEC))
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO);
	ret = -posix_spawn(child, path, &actions, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	close_fd(&pipe_fds[1]);
	if (ret)
		close_fd(&pipe_fds[0]);
	return ret ? ret : pipe_fds[0];
}

static int ask_for_names(struct archive *archive, const char *path, struct error *err)
{
	pid_t child;
	int status = 0, fd = start_list(path, &child);
	FILE *list = fd < 0 ? NULL : fdopen(fd, "r");

	if (fd < 0)
		return error_set(err, fd, "busybox %s: cannot run: %s; %s", path, strerror(-fd), how_to_get_one);
	if (list) {
		add_applets(archive, list);
		fclose(list);
	} else {
		close_fd(&fd);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!list || status)
		return error_set(err, -EIO, "busybox %s: `%s --list-full` failed; %s", path, path, how_to_get_one);
	return 0;
}

int default_root_make(struct archive *archive, const char *path, struct error *err)
{
	struct program program = {.bytes = NULL};
	int ret;

	archive_init(archive);
	ret = find(&program, path, err);
	for (unsigned i = 0; !ret && i < ARRAY_SIZE(folders); i++)
		archive_add_folder(archive, folders[i], strcmp(folders[i], "tmp") ? 0755 : 01777);
	if (!ret) {
		archive_add_file(archive, &BUSYBOX_IN_GUEST[1], 0755, program.bytes, (size_t)program.size);
		ret = ask_for_names(archive, program.path, err);
	}
	free(program.bytes);
	if (!ret && archive_finish(archive))
		ret = error_set(err, -ENOMEM, "out of memory");
	return ret;
}
