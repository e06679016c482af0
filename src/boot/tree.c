/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/utf8.h"

#define CHUNK_SIZE    65536 /* above any path with its link's target */
#define FIRST_ENTRIES 256
#define MAX_NOTES     5

/* Both fit an error line, with room for the reason. */
#define ROOT_TEXT_SIZE 120
#define PATH_TEXT_SIZE 180

struct tree_chunk {
	struct tree_chunk *next;
	size_t used;
	char bytes[CHUNK_SIZE];
};

/* Control characters, and the block with the invisible ones and those that turn the direction of the line. */
static bool is_printable(uint32_t c)
{
	return c >= ' ' && (c < 0x7f || c > 0x9f) && (c < 0x2000 || c > 0x206f) && c != '\\' && c != UTF8_REPLACEMENT;
}

/* A name of any bytes as a terminal may show it; of a long one the beginning. */
static const char *escape(const char *text, char *buf, size_t size)
{
	static const char cut[] = "...", digits[] = "0123456789abcdef";
	size_t len = 0, left = strlen(text), step;

	for (; left; text += step, left -= step) {
		uint32_t c;

		step = utf8_decode((const uint8_t *)text, left, &c);
		if (len + 4 * step + sizeof(cut) > size) {
			memcpy(buf + len, cut, sizeof(cut));
			return buf;
		}
		for (size_t i = 0; i < step; i++) {
			uint8_t byte = (uint8_t)text[i];

			if (is_printable(c)) {
				buf[len++] = text[i];
				continue;
			}
			buf[len++] = '\\';
			buf[len++] = 'x';
			buf[len++] = digits[byte >> 4];
			buf[len++] = digits[byte & 0xf];
		}
	}
	buf[len] = '\0';
	return buf;
}

int tree_fail(const struct tree *tree, struct error *err, int code, const char *path, const char *fmt, ...)
{
	char text[ERROR_TEXT_SIZE], root[ROOT_TEXT_SIZE], name[PATH_TEXT_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return error_set(err, code, "--initrd-dir %s: %s%s%s", escape(tree->path, root, sizeof(root)),
			 path ? escape(path, name, sizeof(name)) : "", path ? ": " : "", text);
}

int tree_fail_changed(const struct tree *tree, struct error *err, const char *path)
{
	return tree_fail(tree, err, -ESTALE, path,
			 "changed while it was packed; stop what writes there, or pack a copy of the directory");
}

int tree_fail_errno(const struct tree *tree, struct error *err, int code, const char *path)
{
	switch (code) {
	case -ENOENT:
		return tree_fail(
			tree, err, code, path,
			"vanished while the directory was packed; stop what removes files there, or pack a copy");
	case -ELOOP: /* O_NOFOLLOW met a symbolic link, or O_DIRECTORY something else, where there was none */
	case -ENOTDIR:
	case -EISDIR:
		return tree_fail_changed(tree, err, path);
	case -EACCES:
	case -EPERM:
		return tree_fail(
			tree, err, code, path,
			"cannot read it: %s; make it readable (chmod +r), leave it out, or run vmm as its owner",
			strerror(-code));
	case -ENOMEM:
		return tree_fail(tree, err, code, path, "no memory to list so large a tree; pack a smaller one");
	default:
		return tree_fail(tree, err, code, path, "cannot read it: %s; leave it out, or pack a copy",
				 strerror(-code));
	}
}

void tree_note(struct tree *tree, const char *path, const char *text)
{
	char root[ROOT_TEXT_SIZE], name[PATH_TEXT_SIZE];

	if (tree->nr_notes++ < MAX_NOTES)
		log_note("--initrd-dir %s: %s: %s", escape(tree->path, root, sizeof(root)),
			 escape(path, name, sizeof(name)), text);
}

void tree_note_rest(const struct tree *tree)
{
	char root[ROOT_TEXT_SIZE];

	if (tree->nr_notes > MAX_NOTES)
		log_note("--initrd-dir %s: %u more of this kind", escape(tree->path, root, sizeof(root)),
			 tree->nr_notes - MAX_NOTES);
}

int tree_init(struct tree *tree, const char *path, struct error *err)
{
	*tree = (struct tree){.path = path};
	tree->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree->fd >= 0)
		return 0;
	switch (errno) {
	case ENOENT:
		return tree_fail(tree, err, -ENOENT, NULL, "no such directory; check the path");
	case ENOTDIR:
		return tree_fail(tree, err, -ENOTDIR, NULL, "is not a directory; use --initrd for a cpio archive");
	default:
		return tree_fail_errno(tree, err, -errno, NULL);
	}
}

void tree_fini(struct tree *tree)
{
	while (tree->chunks) {
		struct tree_chunk *next = tree->chunks->next;

		free(tree->chunks);
		tree->chunks = next;
	}
	free(tree->entries);
	free(tree->order);
	close_fd(&tree->fd);
	*tree = (struct tree){.fd = -1};
}

static const char *keep_string(struct tree *tree, const char *text)
{
	size_t size = strlen(text) + 1;
	struct tree_chunk *chunk = tree->chunks;

	ASSERT(size <= CHUNK_SIZE);
	if (!chunk || size > CHUNK_SIZE - chunk->used) {
		chunk = malloc(sizeof(*chunk));
		if (!chunk)
			return NULL;
		chunk->used = 0;
		chunk->next = tree->chunks;
		tree->chunks = chunk;
	}
	chunk->used += size;
	return memcpy(chunk->bytes + chunk->used - size, text, size);
}

static int make_room(struct tree *tree)
{
	uint32_t capacity = tree->capacity ? tree->capacity * 2 : FIRST_ENTRIES;
	struct tree_entry *entries;

	if (tree->count < tree->capacity)
		return 0;
	if (tree->capacity > TREE_NONE / 2)
		return -ENOMEM;
	entries = reallocarray(tree->entries, capacity, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	tree->entries = entries;
	tree->capacity = capacity;
	return 0;
}

int tree_add(struct tree *tree, const char *path, const char *target, const struct stat *st)
{
	const char *kept_path = keep_string(tree, path);
	const char *kept_target = target ? keep_string(tree, target) : NULL;

	if (!kept_path || (target && !kept_target) || make_room(tree))
		return -ENOMEM;
	tree->entries[tree->count++] = (struct tree_entry){
		.path = kept_path,
		.target = kept_target,
		.stamp = tree_stamp_of(st),
		.rdev = st->st_rdev,
		.mode = st->st_mode,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.nlink = (uint32_t)st->st_nlink,
	};
	return 0;
}

struct tree_stamp tree_stamp_of(const struct stat *st)
{
	return (struct tree_stamp){.dev = st->st_dev,
				   .ino = st->st_ino,
				   .size = (uint64_t)st->st_size,
				   .mtime = st->st_mtim,
				   .ctime = st->st_ctim};
}

static bool times_equal(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool tree_stamp_equal(const struct tree_stamp *a, const struct tree_stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size && times_equal(&a->mtime, &b->mtime) &&
	       times_equal(&a->ctime, &b->ctime);
}

uint32_t tree_data_size(const struct tree_entry *entry)
{
	if (S_ISLNK(entry->mode))
		return (uint32_t)strlen(entry->target);
	return S_ISREG(entry->mode) && entry->has_data ? (uint32_t)entry->stamp.size : 0;
}
