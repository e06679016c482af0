/* SPDX-License-Identifier: Apache-2.0 */
#include "pack.h"

#include <string.h>

#include "base/cpio_write.h"
#include "stream.h"
#include "sys.h"

#define MAX_DEPTH   64
#define MAX_NOTES   10 /* the rest is only counted */
#define ENTRIES	    2048
#define HEADER_SIZE 112 /* without the name: at most */

struct level {
	int fd;
	size_t path_len; /* of the folder, with a slash behind it */
	uint32_t at, end;
	uint8_t entries[ENTRIES] __attribute__((aligned(8)));
};

struct pack {
	struct stream stream;
	uint64_t device;
	uint32_t nr_members, lost;
	unsigned nr_notes, depth;
	char path[SYS_PATH_MAX]; /* of the entry at hand, below COMMAND_OUT */
	uint8_t header[HEADER_SIZE + SYS_PATH_MAX];
	struct level levels[MAX_DEPTH];
};

static void note(struct pack *pack, const char *what)
{
	struct text text;

	if (pack->nr_notes++ >= MAX_NOTES)
		return;
	text_begin(&text, pack->path[0] ? COMMAND_OUT "/" : COMMAND_OUT);
	text_add_name(&text, pack->path);
	text_add(&text, what);
	stream_flush(&pack->stream);
	sender_note(pack->stream.sender, &text);
}

/* A file or folder that should have been sent, but for @error. What the guest removed meanwhile is not lost. */
static void lose(struct pack *pack, long error, const char *what)
{
	if (error != -ENOENT)
		pack->lost++;
	note(pack, what);
}

static void note_rest(struct pack *pack)
{
	struct text text;

	if (pack->nr_notes <= MAX_NOTES)
		return;
	text_begin(&text, COMMAND_OUT ": ");
	text_add_number(&text, pack->nr_notes - MAX_NOTES);
	text_add(&text, " more entries could not be brought out");
	sender_note(pack->stream.sender, &text);
}

/* Each name is a file of its own: hard links are not told apart. */
static void put_header(struct pack *pack, const struct stat *st, uint32_t size)
{
	const struct cpio_member member = {
		.name = pack->path,
		.ino = ++pack->nr_members,
		.mode = st->st_mode,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.nlink = 1,
		.mtime = (uint32_t)st->st_mtime,
		.size = size,
	};

	cpio_put_header(pack->header, &member);
	stream_put(&pack->stream, pack->header, cpio_header_size(strlen(pack->path)));
}

static void put_padding(struct pack *pack, uint32_t size)
{
	stream_put_zeros(&pack->stream, -size & 3);
}

/* The size stands in the header already: what is missing becomes zeros, what is more is left. */
static void put_content(struct pack *pack, int fd, uint32_t size)
{
	uint32_t left = size;

	while (left) {
		long n = stream_read(&pack->stream, fd, left);

		if (n <= 0)
			break;
		left -= (uint32_t)n;
	}
	stream_put_zeros(&pack->stream, left);
	put_padding(pack, size);
	if (left)
		lose(pack, -EIO, " could not be read to its end: zeros are in its place");
}

static void pack_file(struct pack *pack, int folder, const char *name, const struct stat *st)
{
	uint64_t size = (uint64_t)st->st_size;
	int fd;

	if (size > UINT32_MAX) {
		lose(pack, -EFBIG, " is not brought out: 4 GiB or larger");
		return;
	}
	fd = size ? sys_openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
	if (size && fd < 0) {
		lose(pack, fd, " is not brought out: it cannot be opened");
		return;
	}
	put_header(pack, st, (uint32_t)size);
	if (!size)
		return;
	put_content(pack, fd, (uint32_t)size);
	sys_close(fd);
}

static void pack_link(struct pack *pack, int folder, const char *name, const struct stat *st)
{
	char target[SYS_PATH_MAX];
	long len = sys_call6(__NR_readlinkat, folder, (long)name, (long)target, sizeof(target), 0, 0);

	if (len < 0) {
		lose(pack, len, " is not brought out: it cannot be read");
		return;
	}
	put_header(pack, st, (uint32_t)len);
	stream_put(&pack->stream, target, (size_t)len);
	put_padding(pack, (uint32_t)len);
}

/* Goes down into the folder, whose path is pack->path. */
static void enter(struct pack *pack, int fd, size_t path_len)
{
	struct level *level = &pack->levels[pack->depth++];

	level->fd = fd;
	level->path_len = path_len;
	level->at = 0;
	level->end = 0;
}

static void pack_folder(struct pack *pack, int folder, const char *name, const struct stat *st)
{
	size_t len = strlen(pack->path);
	int fd;

	if (st->st_dev != pack->device) {
		note(pack, " is not brought out: another file system is mounted there");
		return;
	}
	put_header(pack, st, 0);
	if (pack->depth == MAX_DEPTH) {
		lose(pack, -ELOOP, ": what is in it is not brought out: too deep");
		return;
	}
	fd = sys_openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		lose(pack, fd, ": what is in it is not brought out: it cannot be opened");
		return;
	}
	/* The path has room: the name came with a NUL, and whatever is in it needs this byte. */
	pack->path[len] = '/';
	enter(pack, fd, len + 1);
}

/* The entry whose path is pack->path. */
static void pack_found(struct pack *pack, int folder, const char *name, const struct stat *st)
{
	switch (st->st_mode & SYS_KIND) {
	case SYS_FILE:
		pack_file(pack, folder, name, st);
		break;
	case SYS_FOLDER:
		pack_folder(pack, folder, name, st);
		break;
	case SYS_LINK:
		pack_link(pack, folder, name, st);
		break;
	default:
		note(pack, " is not brought out: neither a file nor a folder nor a link");
	}
}

static bool is_trailer(const char *path)
{
	return strlen(path) == strlen(CPIO_TRAILER) && memcmp(path, CPIO_TRAILER, strlen(CPIO_TRAILER)) == 0;
}

static void pack_entry(struct pack *pack, const struct level *level, const char *name)
{
	size_t name_size = strlen(name) + 1;
	struct stat st;
	long result;

	if (level->path_len + name_size >= sizeof(pack->path)) {
		pack->path[level->path_len] = '\0';
		lose(pack, -ENAMETOOLONG, ": a path in it is too long to be brought out");
		return;
	}
	memcpy(pack->path + level->path_len, name, name_size);
	if (is_trailer(pack->path)) {
		note(pack, " is not brought out: its name is the mark of an archive's end");
		return;
	}
	result = sys_call6(__NR_newfstatat, level->fd, (long)name, (long)&st, AT_SYMLINK_NOFOLLOW, 0, 0);
	if (result == 0)
		pack_found(pack, level->fd, name, &st);
	else
		lose(pack, result, " is not brought out: it cannot be looked at");
}

/* The next entry of the folder, or NULL at its end or where it cannot be read. */
static const struct sys_dirent *next_entry(struct pack *pack, struct level *level)
{
	const struct sys_dirent *entry;

	if (level->at == level->end) {
		long len = sys_call3(__NR_getdents64, level->fd, (long)level->entries, sizeof(level->entries));

		if (len < 0) {
			pack->path[level->path_len] = '\0';
			lose(pack, len, ": it cannot be read to its end");
		}
		if (len <= 0)
			return NULL;
		level->at = 0;
		level->end = (uint32_t)len;
	}
	entry = (const void *)(level->entries + level->at);
	level->at += entry->size;
	return entry;
}

static bool is_self_or_parent(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

static void walk(struct pack *pack)
{
	while (pack->depth) {
		struct level *level = &pack->levels[pack->depth - 1];
		const struct sys_dirent *entry = next_entry(pack, level);

		if (!entry) {
			sys_close(level->fd);
			pack->depth--;
		} else if (!is_self_or_parent(entry->name)) {
			pack_entry(pack, level, entry->name);
		}
	}
}

uint32_t pack_send(struct sender *sender)
{
	static struct pack pack;
	const struct stat none = {.st_mode = 0};
	int fd = sys_open(COMMAND_OUT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	struct stat st;

	pack.stream = (struct stream){.sender = sender, .type = COMMAND_FRAME_OUT};
	if (fd >= 0 && sys_fstat(fd, &st) == 0) {
		pack.device = st.st_dev;
		enter(&pack, fd, 0);
	} else {
		lose(&pack, -EIO, " is gone");
	}
	walk(&pack);
	memcpy(pack.path, CPIO_TRAILER, sizeof(CPIO_TRAILER));
	put_header(&pack, &none, 0);
	stream_flush(&pack.stream);
	note_rest(&pack);
	return pack.lost;
}
