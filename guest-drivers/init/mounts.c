/* SPDX-License-Identifier: Apache-2.0 */
#include "mounts.h"

#include <linux/mount.h>

#include "sys.h"

#define MODE_FOLDER 0755
#define MODE_TMP    01777
#define MODE_PUBLIC (SYS_CHARACTER_DEVICE | 0666)
#define MODE_ROOTS  (SYS_CHARACTER_DEVICE | 0600)
#define NR_PUBLIC   7 /* nodes that every user may open */
#define TMP	    "/tmp"

/* Mounts, on a folder that is made when it is missing. */
static int mount_at(const char *type, const char *path, unsigned long flags, const char *options)
{
	int result = sys_mount(type, path, flags, options);

	if (result == -ENOENT && sys_mkdir(path, MODE_FOLDER) == 0)
		result = sys_mount(type, path, flags, options);
	return result == -EBUSY ? 0 : result; /* there already */
}

/* The numbers: Linux Documentation/admin-guide/devices.txt. */
static void make_nodes(void)
{
	static const struct {
		char path[14];
		uint8_t major, minor;
	} nodes[] = {
		{"/dev/null", 1, 3},	{"/dev/zero", 1, 5}, {"/dev/full", 1, 7}, {"/dev/random", 1, 8},
		{"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0},  {"/dev/ptmx", 5, 2}, {"/dev/console", 5, 1},
		{"/dev/ttyS0", 4, 64},	{"/dev/mem", 1, 1},  {"/dev/port", 1, 4}, {"/dev/kmsg", 1, 11},
		{"/dev/ttyS1", 4, 65},
	};
	long mask = sys_call3(__NR_umask, 0, 0, 0);

	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		sys_call3(__NR_mknod, (long)nodes[i].path, i < NR_PUBLIC ? MODE_PUBLIC : MODE_ROOTS,
			  nodes[i].major << 8 | nodes[i].minor);
	sys_call3(__NR_umask, mask, 0, 0);
}

void mounts_dev(void)
{
	static const char *const links[][2] = {{"/proc/self/fd", "/dev/fd"},
					       {"/proc/self/fd/0", "/dev/stdin"},
					       {"/proc/self/fd/1", "/dev/stdout"},
					       {"/proc/self/fd/2", "/dev/stderr"}};

	/* What the initramfs has in /dev stays, if the kernel has no devtmpfs. */
	if (mount_at("devtmpfs", "/dev", MS_NOSUID, "mode=755") != 0)
		make_nodes();
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		sys_call3(__NR_symlink, (long)links[i][0], (long)links[i][1], 0);
}

static void tell_refusal(struct sender *sender, const char *path, int result, const char *option)
{
	struct text text;

	text_begin(&text, "nothing is mounted on ");
	text_add(&text, path);
	if (result == -ENODEV) {
		text_add(&text, ": the guest's kernel is built without ");
		text_add(&text, option);
	} else {
		text_add(&text, ": error ");
		text_add_number(&text, (unsigned long)-result);
	}
	sender_note(sender, &text);
}

static void mount_or_tell(struct sender *sender, const char *type, const char *path, const char *option)
{
	int result = mount_at(type, path, MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);

	if (result != 0)
		tell_refusal(sender, path, result, option);
}

/* Also true when it is missing. */
static bool is_folder_empty(const char *path)
{
	char entries[512]; /* ".", ".." and one more, with the longest name there is */
	int fd = sys_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	long len, at = 0;
	unsigned count = 0;

	if (fd < 0)
		return fd == -ENOENT;
	len = sys_call3(__NR_getdents64, fd, (long)entries, sizeof(entries));
	sys_close(fd);
	while (at < len) {
		at += ((const struct sys_dirent *)(const void *)(entries + at))->size;
		count++;
	}
	return len >= 0 && count <= 2;
}

/* What was packed into /tmp stays visible. */
static void mount_tmp(struct sender *sender)
{
	int result;

	if (!is_folder_empty(TMP))
		return;
	result = mount_at("tmpfs", TMP, 0, "mode=1777");
	if (result == 0)
		return;
	tell_refusal(sender, TMP, result, "CONFIG_TMPFS");
	sys_call3(__NR_chmod, (long)TMP, MODE_TMP, 0);
}

void mounts_others(struct sender *sender)
{
	mount_or_tell(sender, "proc", "/proc", "CONFIG_PROC_FS");
	mount_or_tell(sender, "sysfs", "/sys", "CONFIG_SYSFS");
	mount_tmp(sender);
	sys_mkdir("/dev/pts", MODE_FOLDER);
	sys_mount("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620,ptmxmode=666");
	sys_mkdir("/dev/shm", MODE_FOLDER);
	sys_mount("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
}

void mounts_out(void)
{
	if (mount_at("tmpfs", COMMAND_OUT, MS_NOSUID | MS_NODEV, "mode=1777") != 0)
		sys_call3(__NR_chmod, (long)COMMAND_OUT, MODE_TMP, 0);
}
