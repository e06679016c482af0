/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scratch folder with a directory to extract into and, beside it, things that must stay as they are. Used by unit
 * tests and the fuzzer, so checks answer NULL or what is wrong.
 */
#ifndef VMM_TEST_OUT_SCRATCH_H
#define VMM_TEST_OUT_SCRATCH_H

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct out_scratch {
	char base[64];
	char out[72]; /* made empty */
};

/* Whatever writes to the things beside makes them younger. */
#define OUT_SCRATCH_TIME 1000000000

static const struct out_scratch_thing {
	const char *path;
	mode_t mode;
	nlink_t nlink;
	off_t size; /* of folders: not compared */
} out_scratch_things[] = {
	{"beside/secret", S_IFREG | 0640, 1, 6},
	{"beside/folder", S_IFDIR | 0750, 2, 0},
	{"beside/link", S_IFLNK | 0777, 1, 6},
	{"beside", S_IFDIR | 0755, 3, 0},
	{".", S_IFDIR | 0700, 4, 0},
};

#define OUT_SCRATCH_NR_THINGS (sizeof(out_scratch_things) / sizeof(out_scratch_things[0]))

static inline bool out_scratch_make_thing(int base, const struct out_scratch_thing *thing)
{
	static const struct timespec times[2] = {{.tv_sec = OUT_SCRATCH_TIME}, {.tv_sec = OUT_SCRATCH_TIME}};
	int fd;

	if (S_ISREG(thing->mode)) {
		fd = openat(base, thing->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 || write(fd, "secret", 6) != 6)
			return false;
		close(fd);
	} else if (S_ISLNK(thing->mode) && symlinkat("secret", base, thing->path)) {
		return false;
	} else if (S_ISDIR(thing->mode) && mkdirat(base, thing->path, 0700) && errno != EEXIST) {
		return false;
	}
	if (!S_ISLNK(thing->mode) && fchmodat(base, thing->path, thing->mode & 07777, 0))
		return false;
	return !utimensat(base, thing->path, times, AT_SYMLINK_NOFOLLOW);
}

/* Below @folder; false when the host does not allow it. */
static inline bool out_scratch_make(struct out_scratch *scratch, const char *folder)
{
	bool made = true;
	int base;

	snprintf(scratch->base, sizeof(scratch->base), "%s/vmm-out.XXXXXX", folder);
	if (!mkdtemp(scratch->base))
		return false;
	snprintf(scratch->out, sizeof(scratch->out), "%s/out", scratch->base);
	base = open(scratch->base, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (base < 0 || mkdirat(base, "out", 0755) || mkdirat(base, "beside", 0755))
		return false;
	for (size_t i = 0; i < OUT_SCRATCH_NR_THINGS; i++)
		made = made && out_scratch_make_thing(base, &out_scratch_things[i]);
	close(base);
	return made;
}

static inline const char *out_scratch_check_beside(const struct out_scratch *scratch)
{
	int base = open(scratch->base, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *wrong = base < 0 ? "the base is gone" : NULL;

	for (size_t i = 0; i < OUT_SCRATCH_NR_THINGS && !wrong; i++) {
		const struct out_scratch_thing *thing = &out_scratch_things[i];
		struct stat st;

		if (fstatat(base, thing->path, &st, AT_SYMLINK_NOFOLLOW) || st.st_mode != thing->mode ||
		    st.st_nlink != thing->nlink || st.st_mtim.tv_sec != OUT_SCRATCH_TIME ||
		    (!S_ISDIR(st.st_mode) && st.st_size != thing->size))
			wrong = thing->path;
	}
	if (base >= 0)
		close(base);
	return wrong;
}

/* Does the link at @path below @root lead out of it? */
static inline bool out_scratch_leads_out(int root, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH};
	long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

	if (fd >= 0)
		close((int)fd);
	return fd < 0 && errno == EXDEV;
}

static inline const char *out_scratch_check_entry(int root, const FTSENT *entry, size_t root_len, uint64_t *total)
{
	const struct stat *st = entry->fts_statp;

	switch (entry->fts_info) {
	case FTS_D:
	case FTS_DP:
		return st->st_mode & 07000 ? "a folder has more than permissions" : NULL;
	case FTS_F:
		*total += (uint64_t)st->st_size;
		if (st->st_nlink != 1)
			return "a file has two names";
		return st->st_mode & 07000 ? "a file has more than permissions" : NULL;
	case FTS_SL:
		return out_scratch_leads_out(root, entry->fts_path + root_len + 1) ? "a link leads out" : NULL;
	default:
		return "a special file, or something unreadable";
	}
}

/* What lies in the directory: folders, files and links of which none leads out, and no more than @limit bytes. */
static inline const char *out_scratch_check_inside(struct out_scratch *scratch, uint64_t limit)
{
	char *const paths[] = {scratch->out, NULL};
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	int root = open(scratch->out, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *wrong = fts && root >= 0 ? NULL : "the directory is gone";
	uint64_t total = 0;
	FTSENT *entry;

	while (!wrong && (entry = fts_read(fts)))
		wrong = out_scratch_check_entry(root, entry, strlen(scratch->out), &total);
	if (!wrong && total > limit)
		wrong = "more than the limit";
	if (fts)
		fts_close(fts);
	if (root >= 0)
		close(root);
	return wrong;
}

static inline void out_scratch_remove_from(char *path, int min_level)
{
	char *const paths[] = {path, NULL};
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
	FTSENT *entry;

	while (fts && (entry = fts_read(fts)))
		if (entry->fts_info != FTS_D && entry->fts_level >= min_level)
			(void)remove(entry->fts_path);
	if (fts)
		fts_close(fts);
}

/* Removes @path and all below it. */
static inline void out_scratch_remove(char *path)
{
	out_scratch_remove_from(path, FTS_ROOTLEVEL);
}

/* Removes all below @path. */
static inline void out_scratch_empty(char *path)
{
	out_scratch_remove_from(path, FTS_ROOTLEVEL + 1);
}

#endif
