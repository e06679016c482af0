/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int open_failed(const char *what, const char *path, int code, struct error *err)
{
	const char *remedy = "";

	if (code == ENOENT)
		remedy = "; check the path";
	else if (code == EACCES)
		remedy = "; check its permissions";
	return error_set(err, -code, "%s %s: cannot open: %s%s", what, path, strerror(code), remedy);
}

int file_open_regular(const char *what, const char *path, uint64_t *size, struct error *err)
{
	struct stat st;
	/* O_NONBLOCK: opening a FIFO must fail below, not wait for a writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return open_failed(what, path, errno, err);
	if (fstat(fd, &st) < 0) {
		int code = errno;
		close_fd(&fd);
		return open_failed(what, path, code, err);
	}
	if (!S_ISREG(st.st_mode)) {
		close_fd(&fd);
		return error_set(err, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL,
				 "%s %s: is %s, not a file; give a regular file", what, path,
				 S_ISDIR(st.st_mode) ? "a directory" : "a special file");
	}
	*size = (uint64_t)st.st_size;
	return fd;
}

int read_exact_at(int fd, void *buf, size_t len, uint64_t offset)
{
	uint8_t *to = buf;

	while (len) {
		ssize_t n = pread(fd, to, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		to += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int write_all(int fd, const void *buf, size_t len)
{
	const uint8_t *from = buf;

	while (len) {
		ssize_t n = write(fd, from, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		from += n;
		len -= (size_t)n;
	}
	return 0;
}

void close_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

void wake_eventfd(int fd)
{
	const uint64_t one = 1;

	(void)!write(fd, &one, sizeof(one));
}

uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}
