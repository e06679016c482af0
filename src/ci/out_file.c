/* SPDX-License-Identifier: Apache-2.0 */
#include "ci/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

int out_file_create(struct out_file *file, int folder, const char *name, mode_t mode)
{
	*file = (struct out_file){.folder = folder, .name = name};
	do
		file->fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	while (file->fd < 0 && errno == EINTR);
	return file->fd < 0 ? -errno : 0;
}

static int write_at(int fd, const uint8_t *data, size_t len, uint64_t offset)
{
	while (len) {
		ssize_t n = pwrite(fd, data, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* How much of @data lies in the block of the file that @offset is in. */
static size_t piece_size(uint64_t offset, size_t len)
{
	size_t left = OUT_FILE_BLOCK - (size_t)(offset % OUT_FILE_BLOCK);

	return len < left ? len : left;
}

static bool is_zero(const uint8_t *data, size_t len)
{
	return data[0] == 0 && memcmp(data, data + 1, len - 1) == 0;
}

/* What is not written reads as zero, so a piece of a block may be left out as well as a whole one. */
int out_file_append(struct out_file *file, const uint8_t *data, size_t len)
{
	while (len) {
		size_t zeros = 0, bytes, piece;
		int code;

		while (zeros < len) {
			piece = piece_size(file->size + zeros, len - zeros);
			if (!is_zero(data + zeros, piece))
				break;
			zeros += piece;
		}
		for (bytes = zeros; bytes < len; bytes += piece) {
			piece = piece_size(file->size + bytes, len - bytes);
			if (is_zero(data + bytes, piece))
				break;
		}
		code = write_at(file->fd, data + zeros, bytes - zeros, file->size + zeros);
		if (code)
			return code;
		file->size += bytes;
		data += bytes;
		len -= bytes;
	}
	return 0;
}

static void set_time(int fd, uint32_t mtime)
{
	struct timespec now, times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = mtime}};

	clock_gettime(CLOCK_REALTIME, &now);
	/* A file system without times is no reason to lose the file. */
	if (mtime && mtime <= now.tv_sec)
		(void)futimens(fd, times);
}

int out_file_finish(struct out_file *file, uint32_t mtime)
{
	int code = 0;

	do
		code = ftruncate(file->fd, (off_t)file->size) ? -errno : 0;
	while (code == -EINTR);
	set_time(file->fd, mtime);
	/* A network file system may report a full disk only here. */
	if (close(file->fd) && errno != EINTR && !code)
		code = -errno;
	file->fd = -1;
	if (code)
		out_file_abandon(file);
	return code;
}

void out_file_abandon(struct out_file *file)
{
	close_fd(&file->fd);
	(void)unlinkat(file->folder, file->name, 0);
}
