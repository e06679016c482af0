/* SPDX-License-Identifier: Apache-2.0 */
#include "ci/out_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

int out_folder_open(const char *dir, struct error *err)
{
	int fd;

	if (mkdir(dir, 0777) && errno != EEXIST)
		return error_set(err, -errno, "--out %s: cannot make the folder: %s; make it, or give another one", dir,
				 strerror(errno));
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set(err, -errno, "--out %s: cannot open the folder: %s; give another one", dir,
				 strerror(errno));
	return fd;
}

/* With O_DIRECTORY a link is -ENOTDIR, not opened. */
static int open_folder(int parent, const char *name)
{
	int fd;

	do
		fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

int out_folder_open_parent(int root, const char *path, const char **leaf)
{
	int fd = open_folder(root, "."), next;
	const char *slash;

	while (fd >= 0 && (slash = strchr(path, '/'))) {
		char name[NAME_MAX + 1];
		size_t len = (size_t)(slash - path);

		ASSERT(len < sizeof(name));
		memcpy(name, path, len);
		name[len] = '\0';
		next = open_folder(fd, name);
		close_fd(&fd);
		fd = next;
		path = slash + 1;
	}
	*leaf = path;
	return fd;
}

int out_folder_make(int parent, const char *leaf, mode_t mode)
{
	struct stat st;
	int code;

	if (!mkdirat(parent, leaf, mode))
		return 0;
	code = -errno;
	if (code == -EEXIST && !fstatat(parent, leaf, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode))
		return 0;
	return code;
}

int out_folder_clear(int parent, const char *leaf)
{
	return unlinkat(parent, leaf, 0) && errno != ENOENT ? -errno : 0;
}

int out_folder_link(int parent, const char *leaf, const char *target)
{
	int code = out_folder_clear(parent, leaf);

	if (!code && symlinkat(target, parent, leaf))
		code = -errno;
	return code;
}
