/* SPDX-License-Identifier: Apache-2.0 */
/* A guest's archive and the directory that it is extracted to, with what must hold after any archive. */
#ifndef VMM_TEST_OUT_FIXTURE_H
#define VMM_TEST_OUT_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/compiler.h"
#include "ci/out_extract.h"
#include "support/out_archive.h"
#include "support/out_scratch.h"

#define FILE_MODE   (S_IFREG | 0644)
#define FOLDER_MODE (S_IFDIR | 0755)
#define LINK_MODE   (S_IFLNK | 0777)

struct fixture {
	struct out_scratch scratch;
	struct out_archive archive;
	struct out_result result;
	struct error err;
	uint64_t limit;
	uint64_t before;  /* bytes that the directory holds already */
	char notes[8192]; /* what the extraction printed */
};

static inline int set_up(void **state)
{
	static struct fixture fixture;

	*state = &fixture;
	fixture.archive.len = 0;
	fixture.limit = OUT_DEFAULT_LIMIT;
	fixture.before = 0;
	return out_scratch_make(&fixture.scratch, "/tmp") ? 0 : -1;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	out_scratch_remove(f->scratch.base);
	return 0;
}

/* Extracts the first @len bytes, with stderr in f->notes, and checks what must hold after any stream. */
static inline int extract_part(struct fixture *f, size_t len)
{
	struct out_request request = {.dir = f->scratch.out, .limit = f->limit};
	int notes = memfd_create("notes", MFD_CLOEXEC), saved = dup(STDERR_FILENO), code;
	const char *wrong;
	ssize_t n;

	request.stream_fd = out_archive_open(&f->archive, len);
	assert_true(request.stream_fd >= 0 && notes >= 0 && saved >= 0);
	memset(&f->err, 0, sizeof(f->err));
	dup2(notes, STDERR_FILENO);
	code = out_extract(&request, &f->result, &f->err);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(request.stream_fd);
	n = pread(notes, f->notes, sizeof(f->notes) - 1, 0);
	close(notes);
	assert_true(n >= 0);
	f->notes[n] = '\0';
	assert_int_equal(code != 0, f->err.text[0] != '\0');
	wrong = out_scratch_check_beside(&f->scratch);
	if (!wrong)
		wrong = out_scratch_check_inside(&f->scratch, f->limit + f->before);
	if (wrong)
		fail_msg("after %zu bytes: %s", len, wrong);
	return code;
}

static inline int extract(struct fixture *f)
{
	out_archive_end(&f->archive);
	return extract_part(f, f->archive.len);
}

static inline void add_file(struct fixture *f, const char *name, const char *text)
{
	out_archive_add(&f->archive, FILE_MODE, name, text, strlen(text));
}

static inline void add_folder(struct fixture *f, const char *name)
{
	out_archive_add(&f->archive, FOLDER_MODE, name, NULL, 0);
}

static inline void add_link(struct fixture *f, const char *name, const char *target)
{
	out_archive_add(&f->archive, LINK_MODE, name, target, strlen(target));
}

static inline char *path_of(struct fixture *f, const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", f->scratch.out, name);
	return path;
}

static inline bool is_there(struct fixture *f, const char *name)
{
	struct stat st;

	return !lstat(path_of(f, name), &st);
}

static inline struct stat stat_of(struct fixture *f, const char *name)
{
	struct stat st;

	assert_int_equal(lstat(path_of(f, name), &st), 0);
	return st;
}

/* A regular file of this content, not a link to one. */
static inline void assert_file(struct fixture *f, const char *name, const char *text)
{
	char read_back[256];
	int fd = open(path_of(f, name), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		fail_msg("%s is not there", name);
	n = read(fd, read_back, sizeof(read_back));
	close(fd);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(read_back, text, strlen(text));
}

static inline void assert_link(struct fixture *f, const char *name, const char *target)
{
	char read_back[256];
	ssize_t n = readlink(path_of(f, name), read_back, sizeof(read_back));

	assert_int_equal(n, strlen(target));
	assert_memory_equal(read_back, target, strlen(target));
}

static inline void assert_text(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" does not say \"%s\"", text, part);
}

#define out_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
