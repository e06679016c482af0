/* SPDX-License-Identifier: Apache-2.0 */
/* Level by level: the list of entries is also the queue of directories, so depth costs neither stack nor descriptors.
 */
#include "boot/tree_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cpio.h"
#include "base/cpio_write.h"
#include "base/file.h"
#include "base/parse.h"

/* Not in <linux/magic.h>; each from its file system's source in Linux. */
#define CONFIGFS_MAGIC	 0x62656570
#define FUSECTL_MAGIC	 0x65735543
#define MQUEUE_MAGIC	 0x19800202
#define RPC_PIPEFS_MAGIC 0x67596969

static const struct pseudo {
	unsigned long magic;
	const char *note;
} pseudos[] = {
#define PSEUDO(magic, name)                                                                                            \
	{                                                                                                              \
		(magic), "a mounted " name " file system; packed as an empty directory"                                \
	}
	PSEUDO(PROC_SUPER_MAGIC, "proc"),
	PSEUDO(SYSFS_MAGIC, "sysfs"),
	PSEUDO(CGROUP_SUPER_MAGIC, "cgroup"),
	PSEUDO(CGROUP2_SUPER_MAGIC, "cgroup2"),
	PSEUDO(DEVPTS_SUPER_MAGIC, "devpts"),
	PSEUDO(DEBUGFS_MAGIC, "debugfs"),
	PSEUDO(TRACEFS_MAGIC, "tracefs"),
	PSEUDO(SECURITYFS_MAGIC, "securityfs"),
	PSEUDO(SELINUX_MAGIC, "selinuxfs"),
	PSEUDO(SMACK_MAGIC, "smackfs"),
	PSEUDO(BPF_FS_MAGIC, "bpf"),
	PSEUDO(CONFIGFS_MAGIC, "configfs"),
	PSEUDO(FUSECTL_MAGIC, "fusectl"),
	PSEUDO(BINFMTFS_MAGIC, "binfmt_misc"),
	PSEUDO(PSTOREFS_MAGIC, "pstore"),
	PSEUDO(EFIVARFS_MAGIC, "efivarfs"),
	PSEUDO(RDTGROUP_SUPER_MAGIC, "resctrl"),
	PSEUDO(NSFS_MAGIC, "nsfs"),
	PSEUDO(MQUEUE_MAGIC, "mqueue"),
	PSEUDO(RPC_PIPEFS_MAGIC, "rpc_pipefs"),
	PSEUDO(AUTOFS_SUPER_MAGIC, "autofs"),
#undef PSEUDO
};

/* A directory that is being listed. */
struct folder {
	struct tree *tree;
	struct error *err;
	const char *path; /* "" for the root */
	int fd;
	uint64_t dev;
};

/* The notice about the pseudo file system that @fd lies in, or NULL. */
static const char *find_pseudo(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(pseudos); i++)
		if ((unsigned long)fs.f_type == pseudos[i].magic)
			return pseudos[i].note;
	return NULL;
}

static int join_path(const struct folder *folder, const char *name, char path[CPIO_MAX_NAME])
{
	size_t parent = strlen(folder->path), slash = parent ? 1 : 0;

	if (parent + slash + strlen(name) >= CPIO_MAX_NAME)
		return tree_fail(folder->tree, folder->err, -ENAMETOOLONG, parent ? folder->path : name,
				 "a name below it is longer than %d bytes, which Linux does not unpack; shorten it",
				 CPIO_MAX_NAME - 1);
	memcpy(path, folder->path, parent);
	memcpy(path + parent, "/", slash);
	strcpy(path + parent + slash, name);
	return 0;
}

static int read_target(const struct folder *folder, const char *name, const char *path, char target[PATH_MAX])
{
	ssize_t len = readlinkat(folder->fd, name, target, PATH_MAX);

	if (len == -1 && errno == EINVAL) /* no link any more */
		return tree_fail_changed(folder->tree, folder->err, path);
	if (len == -1)
		return tree_fail_errno(folder->tree, folder->err, -errno, path);
	if (len == PATH_MAX)
		return tree_fail(folder->tree, folder->err, -ENAMETOOLONG, path,
				 "its target is longer than %d bytes, which Linux does not unpack; shorten it",
				 PATH_MAX - 1);
	target[len] = '\0';
	return 0;
}

static int check_entry(const struct folder *folder, const char *path, const struct stat *st)
{
	char size[32];

	if (!strcmp(path, CPIO_TRAILER))
		return tree_fail(folder->tree, folder->err, -EINVAL, path,
				 "this name marks the end of an archive; rename it");
	if (S_ISREG(st->st_mode) && (uint64_t)st->st_size > UINT32_MAX)
		return tree_fail(folder->tree, folder->err, -EFBIG, path,
				 "has %s, and a file in an initramfs must be below 4G; leave it out",
				 format_size((uint64_t)st->st_size, size, sizeof(size)));
	return 0;
}

static bool has_place_in_archive(mode_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) || S_ISCHR(mode) || S_ISBLK(mode) || S_ISFIFO(mode);
}

static int add_entry(const struct folder *folder, const char *name)
{
	char path[CPIO_MAX_NAME], target[PATH_MAX];
	struct tree *tree = folder->tree;
	struct stat st;
	int code = join_path(folder, name, path);

	if (code)
		return code;
	if (fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return tree_fail_errno(tree, folder->err, -errno, path);
	if (!has_place_in_archive(st.st_mode)) {
		tree_note(tree, path, S_ISSOCK(st.st_mode) ? "a socket; left out" : "of an unknown kind; left out");
		return 0;
	}
	code = check_entry(folder, path, &st);
	if (!code && S_ISLNK(st.st_mode))
		code = read_target(folder, name, path, target);
	if (code)
		return code;
	code = tree_add(tree, path, S_ISLNK(st.st_mode) ? target : NULL, &st);
	if (code)
		return tree_fail_errno(tree, folder->err, code, path);
	tree->entries[tree->count - 1].is_mount = S_ISDIR(st.st_mode) && st.st_dev != folder->dev;
	return 0;
}

static int list_folder(struct folder *folder)
{
	DIR *dir = fdopendir(folder->fd);
	const char *path = *folder->path ? folder->path : NULL;
	const struct dirent *d;
	int code = 0;

	if (!dir) {
		code = tree_fail_errno(folder->tree, folder->err, -errno, path);
		close_fd(&folder->fd);
		return code;
	}
	errno = 0;
	while (!code && (d = readdir(dir))) {
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			code = add_entry(folder, d->d_name);
		errno = 0;
	}
	if (!code && errno)
		code = tree_fail_errno(folder->tree, folder->err, -errno, path);
	closedir(dir);
	return code;
}

static int scan_root(struct tree *tree, struct error *err)
{
	struct folder root = {.tree = tree, .err = err, .path = ""};
	struct stat st;

	if (find_pseudo(tree->fd))
		return tree_fail(tree, err, -EINVAL, NULL, "lies in a pseudo file system; give a directory of files");
	root.fd = openat(tree->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root.fd < 0 || fstat(root.fd, &st)) {
		int code = tree_fail_errno(tree, err, -errno, NULL);

		close_fd(&root.fd);
		return code;
	}
	root.dev = st.st_dev;
	return list_folder(&root);
}

/* Needs no right to read the directory. An error is left to the listing. */
static const char *find_mounted_pseudo(const struct tree *tree, const struct tree_entry *entry)
{
	int fd = openat(tree->fd, entry->path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const char *note = fd >= 0 ? find_pseudo(fd) : NULL;

	close_fd(&fd);
	return note;
}

/* @entry moves when the list grows: not to be used after list_folder. */
static int scan_entry(struct tree *tree, const struct tree_entry *entry, struct error *err)
{
	struct folder folder = {.tree = tree, .err = err, .path = entry->path, .dev = entry->stamp.dev};
	const char *note = entry->is_mount ? find_mounted_pseudo(tree, entry) : NULL;
	struct stat st;

	if (note) {
		tree_note(tree, entry->path, note);
		return 0;
	}
	folder.fd = openat(tree->fd, entry->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (folder.fd < 0)
		return tree_fail_errno(tree, err, -errno, entry->path);
	/* O_NOFOLLOW is for the last name only; another directory could have come in on the way. */
	if (fstat(folder.fd, &st) || st.st_dev != entry->stamp.dev || st.st_ino != entry->stamp.ino) {
		close_fd(&folder.fd);
		return tree_fail_changed(tree, err, entry->path);
	}
	return list_folder(&folder);
}

int tree_scan(struct tree *tree, struct error *err)
{
	int code = scan_root(tree, err);

	for (uint32_t i = 0; i < tree->count && !code; i++)
		if (S_ISDIR(tree->entries[i].mode))
			code = scan_entry(tree, &tree->entries[i], err);
	if (!code)
		tree_note_rest(tree);
	return code;
}
