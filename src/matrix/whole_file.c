/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static int fail(const struct whole_file *file, int code, struct error *err)
{
	return error_set(err, -code, "%s: cannot write: %s; give a place with room and permission", file->path,
			 strerror(code));
}

/* What umask leaves of it: mkostemp makes the file for its owner alone. */
static void open_to_others(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	(void)!fchmod(fd, 0666 & ~mask);
}

int whole_file_begin(struct whole_file *file, const char *path, struct error *err)
{
	int n, fd;

	*file = (struct whole_file){.path = path};
	n = snprintf(file->temporary, sizeof(file->temporary), "%s.XXXXXX", path);
	if (n < 0 || (size_t)n >= sizeof(file->temporary))
		return fail(file, ENAMETOOLONG, err);
	fd = mkostemp(file->temporary, O_CLOEXEC);
	if (fd < 0)
		return fail(file, errno, err);
	open_to_others(fd);
	file->to = fdopen(fd, "w");
	if (!file->to) {
		close_fd(&fd);
		unlink(file->temporary);
		return fail(file, ENOMEM, err);
	}
	return 0;
}

int whole_file_finish(struct whole_file *file, struct error *err)
{
	int code = 0;

	/* What could not be written is still buffered: the flush meets the same obstacle. */
	if (fflush(file->to) != 0 || fsync(fileno(file->to)) < 0)
		code = errno;
	else if (ferror(file->to))
		code = EIO;
	if (fclose(file->to) != 0 && !code)
		code = errno;
	if (!code && rename(file->temporary, file->path) < 0)
		code = errno;
	file->to = NULL;
	if (!code)
		return 0;
	unlink(file->temporary);
	return fail(file, code, err);
}
