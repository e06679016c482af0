/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/log_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "matrix/plain_line.h"

#define TAIL_SIZE 2048 /* longer than any line that is shown */

static const char *const files[] = {PLAN_CONSOLE_FILE, PLAN_EVENTS_FILE, PLAN_VMM_FILE};

static int make_folders(const char *path)
{
	char part[PATH_MAX];
	int n = snprintf(part, sizeof(part), "%s", path);

	if (n < 0 || (size_t)n >= sizeof(part))
		return -ENAMETOOLONG;
	for (char *slash = part; (slash = strchr(slash + 1, '/'));) {
		*slash = 0;
		if (mkdir(part, 0777) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(part, 0777) < 0 && errno != EEXIST ? -errno : 0;
}

int log_folder_open(const char *path, struct error *err)
{
	int ret = make_folders(path);
	int fd = ret ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (!ret && fd < 0)
		ret = -errno;
	if (ret)
		return error_set(err, ret, "log folder %s: cannot make: %s; give a writable place with --logs", path,
				 strerror(-ret));
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		return fd; /* a file system without locks must do */
	close_fd(&fd);
	return error_set(err, -EBUSY, "log folder %s: another `vmm matrix` writes to it; give this one its own --logs",
			 path);
}

static bool is_empty_or_missing(const char *path)
{
	DIR *dir = opendir(path);
	bool empty = dir || errno == ENOENT;

	for (const struct dirent *e; dir && (e = readdir(dir));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			empty = false;
	if (dir)
		closedir(dir);
	return empty;
}

int log_folder_check(const struct plan *plan, struct error *err)
{
	for (unsigned i = 0; i < plan->count; i++)
		if (plan->runs[i].out && !is_empty_or_missing(plan->runs[i].out))
			return error_set(err, -EEXIST,
					 "%s: holds what an earlier run brought out; remove it, or give another --logs",
					 plan->runs[i].out);
	return 0;
}

static int begin(int folder)
{
	for (unsigned i = 0; i < ARRAY_SIZE(files); i++)
		if (unlinkat(folder, files[i], 0) < 0 && errno != ENOENT)
			return -errno;
	return openat(folder, PLAN_VMM_FILE, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
}

int log_folder_begin(const struct plan_run *run, struct error *err)
{
	int folder = -1, fd = -1;

	if (mkdir(run->folder, 0777) == 0 || errno == EEXIST)
		folder = open(run->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder >= 0)
		fd = begin(folder);
	if (folder < 0 || fd < 0) {
		int code = errno;

		close_fd(&folder);
		return error_set(err, -code, "log folder %s: cannot write: %s; give it room and permission",
				 run->folder, strerror(code));
	}
	close_fd(&folder);
	return fd;
}

static int open_file(const struct plan_run *run, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", run->folder, name);
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

size_t log_folder_tail(const struct plan_run *run, const char *name, char *buf, size_t size)
{
	int fd = open_file(run, name);
	size_t len = 0;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close_fd(&fd);
		return 0;
	}
	if (st.st_size > (off_t)size)
		lseek(fd, st.st_size - (off_t)size, SEEK_SET);
	while (len < size && (n = read(fd, buf + len, size - len)) > 0)
		len += (size_t)n;
	close_fd(&fd);
	return len;
}

void log_folder_last_line(const struct plan_run *run, const char *name, char *line, size_t size)
{
	char tail[TAIL_SIZE];
	size_t len = log_folder_tail(run, name, tail, sizeof(tail));

	plain_line_last(tail, len, line, size);
}

/* When the file changed; 0 when there is none or nothing is in it. */
static uint64_t changed_ns(const struct plan_run *run, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", run->folder, name);
	if (stat(path, &st) < 0 || st.st_size == 0)
		return 0;
	return (uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec;
}

void log_folder_said(const struct plan_run *run, char *line, size_t size)
{
	bool by_vmm = changed_ns(run, PLAN_VMM_FILE) > changed_ns(run, PLAN_CONSOLE_FILE);

	log_folder_last_line(run, by_vmm ? PLAN_VMM_FILE : PLAN_CONSOLE_FILE, line, size);
}
