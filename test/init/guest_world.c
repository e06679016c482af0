/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_world.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/capability.h>

#include "base/file.h"

/* Any folder: in the guest's mount namespace, a tmpfs is on it. */
#define ROOT "/tmp"

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool is_written = fd >= 0 && write_all(fd, text, strlen(text)) == 0;

	close_fd(&fd);
	return is_written;
}

bool guest_world_unshare(void)
{
	char map[64];
	unsigned uid = getuid(), gid = getgid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC) != 0)
		return false;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (!write_text("/proc/self/setgroups", "deny") || !write_text("/proc/self/uid_map", map))
		return false;
	snprintf(map, sizeof(map), "0 %u 1", gid);
	return write_text("/proc/self/gid_map", map);
}

bool guest_world_is_possible(void)
{
	int status = 0;
	pid_t child;

	if (!guest_world_unshare())
		return false;
	child = fork();
	if (child == 0)
		_exit(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
				      mount("tmpfs", ROOT, "tmpfs", 0, NULL) == 0 &&
				      mount("proc", "/proc", "proc", 0, NULL) == 0
			      ? 0
			      : 1);
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static bool copy_program(int from, const char *to)
{
	char buffer[65536];
	int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	ssize_t n = fd < 0 ? -1 : 1;
	off_t at = 0;

	for (; n > 0; at += n) {
		n = pread(from, buffer, sizeof(buffer), at);
		if (n > 0 && write_all(fd, buffer, (size_t)n) != 0)
			n = -1;
	}
	close_fd(&fd);
	return n == 0;
}

/* Makes @device visible as @path, which is relative to the root folder. */
static bool bind_device(const char *device, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	bool is_made = fd >= 0;

	close_fd(&fd);
	return is_made && mount(device, path, NULL, MS_BIND, NULL) == 0;
}

/* The console's terminal has the name by which this machine's kernel knows its own. */
static bool bind_console(const struct guest_world *world)
{
	char active[64] = "", path[80];
	FILE *file = fopen("/sys/class/tty/console/active", "re");
	bool is_known = file && fgets(active, sizeof(active), file);
	const char *last = strrchr(active, ' ');

	if (file)
		fclose(file);
	active[strcspn(active, "\n")] = 0;
	snprintf(path, sizeof(path), "dev/%s", last ? last + 1 : active);
	return bind_device(world->console, "dev/console") &&
	       (!is_known || strcmp(path, "dev/") == 0 || bind_device(world->console, path));
}

static bool make_devices(const struct guest_world *world)
{
	return bind_device("/dev/null", "dev/null") && bind_device("/dev/zero", "dev/zero") &&
	       bind_device("/dev/full", "dev/full") && bind_device("/dev/tty", "dev/tty") && bind_console(world) &&
	       (world->request->without_com2 || bind_device(world->com2, "dev/ttyS1"));
}

static bool make_root(const struct guest_world *world)
{
	bool is_made;
	int fd;

	is_made = mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		  mount("tmpfs", ROOT, "tmpfs", 0, "mode=755") == 0 && chdir(ROOT) == 0 && mkdir("dev", 0755) == 0 &&
		  mkdir("bin", 0755) == 0 && mkdir(COMMAND_FOLDER, 0700) == 0 &&
		  copy_program(world->busybox, "bin/busybox") && symlink("busybox", "bin/sh") == 0 &&
		  copy_program(world->init, &COMMAND_INIT[1]) && make_devices(world);
	if (!is_made || !world->file)
		return is_made;
	fd = open(&COMMAND_FILE[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	is_made = fd >= 0 && write_all(fd, world->file, world->file_size) == 0;
	close_fd(&fd);
	return is_made;
}

/* In a user namespace neither counts for ports or memory; this is the second lock on the door. */
static void drop_capabilities(void)
{
	prctl(PR_CAPBSET_DROP, CAP_SYS_RAWIO, 0, 0, 0);
	prctl(PR_CAPBSET_DROP, CAP_MKNOD, 0, 0, 0);
}

void guest_world_enter(const struct guest_world *world)
{
	int console;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The library's getpid, not a cached one: everything here relies on being in the new namespace. */
	if (syscall(SYS_getpid) != 1 || !make_root(world))
		return;
	if (world->request->prepare)
		world->request->prepare();
	setsid();
	console = open(world->console, O_RDWR | O_NOCTTY);
	if (console < 0 || chroot(".") != 0)
		return;
	dup2(console, STDIN_FILENO);
	dup2(console, STDOUT_FILENO);
	dup2(console, STDERR_FILENO);
	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) != 0)
		return;
	drop_capabilities();
	execl(COMMAND_INIT, COMMAND_INIT, (char *)NULL);
}
