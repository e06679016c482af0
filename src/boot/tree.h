/* SPDX-License-Identifier: Apache-2.0 */
/* What the scan of a host directory found, and the user's lines about it. Private to src/boot's tree_*.c. Start-up
 * only. */
#ifndef VMM_BOOT_TREE_H
#define VMM_BOOT_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "base/compiler.h"
#include "base/error.h"

#define TREE_NONE UINT32_MAX /* no entry's index */

/* Equal for two looks at a file when nobody changed it in between. */
struct tree_stamp {
	uint64_t dev;
	uint64_t ino;
	uint64_t size;
	struct timespec mtime;
	struct timespec ctime;
};

struct tree_entry {
	const char *path;   /* from the root on, without a leading slash */
	const char *target; /* of a symbolic link, else NULL */
	struct tree_stamp stamp;
	uint64_t rdev;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t nlink;
	bool is_mount; /* a directory with another file system than its parent's */

	/* Filled by tree_order: */
	bool has_data; /* of a file's hard links one brings the data */
	bool is_waiting;
	uint32_t number; /* inode number in the archive */
	uint32_t first_link, last_waiting, nr_waiting, previous_waiting;
	uint64_t offset; /* of its header in the archive */
};

struct tree {
	const char *path; /* borrowed; as the user gave it */
	int fd;		  /* the directory itself */
	struct tree_entry *entries;
	uint32_t count, capacity;
	struct tree_chunk *chunks; /* hold the strings */
	unsigned nr_notes;

	/* Filled by tree_order: */
	uint32_t *order; /* the entries as they follow one another in the archive */
	uint64_t trailer_offset;
	uint64_t size;
};

/* Opens the directory @path. 0, or -errno with a line in @err; tree_fini is due in either case. */
MUST_CHECK int tree_init(struct tree *tree, const char *path, struct error *err);
void tree_fini(struct tree *tree);

/* Keeps copies of @path and @target (may be NULL). 0 or -ENOMEM. */
MUST_CHECK int tree_add(struct tree *tree, const char *path, const char *target, const struct stat *st);

struct tree_stamp tree_stamp_of(const struct stat *st);
bool tree_stamp_equal(const struct tree_stamp *a, const struct tree_stamp *b);

/* Bytes behind the header in the archive. */
uint32_t tree_data_size(const struct tree_entry *entry);

/* Set "--initrd-dir ROOT: PATH: TEXT" (without PATH when it is NULL) and return @code. */
int tree_fail(const struct tree *tree, struct error *err, int code, const char *path, const char *fmt, ...)
	PRINTF_LIKE(5, 6);
int tree_fail_changed(const struct tree *tree, struct error *err, const char *path);
/* For what a system call said of @path: -@code tells whether it changed, or may not be read, or else. */
int tree_fail_errno(const struct tree *tree, struct error *err, int code, const char *path);

/* Notices of the same form: the first few, and a sum at the end. */
void tree_note(struct tree *tree, const char *path, const char *text);
void tree_note_rest(const struct tree *tree);

#endif
