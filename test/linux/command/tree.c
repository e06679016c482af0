/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree list FOLDER    one line for each file below FOLDER, with all that an archive should keep
 * tree content FOLDER the same without owner, time and links between files
 * tree make FOLDER    fills FOLDER with what is hard to bring out of a guest
 * tree socket PATH    makes a socket
 * The same program runs in the guest and on the host, so that their outputs can be compared.
 */
#include "../guest/tiny.h"

#include <asm/fcntl.h>
#include <asm/stat.h>
#include <linux/stat.h>
#include <linux/un.h>

#define STATUS_FAILED 99
#define PENDING_SIZE  (1 << 20)
#define MAX_PATH      8192
#define LARGE_SIZE    (3u << 20)

/* getdents64(2) */
struct entry {
	uint64_t ino;
	int64_t offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

/* Folders still to be listed, one NUL-terminated path after the other. */
struct pending {
	char paths[PENDING_SIZE];
	size_t used;
};

static int fail(const char *what, long result)
{
	struct tiny_line line = {.used = 0};

	tiny_add(&line, "tree: ");
	tiny_add(&line, what);
	tiny_add(&line, ": error ");
	tiny_add_number(&line, (uint64_t)-result, 10);
	tiny_flush(&line);
	return STATUS_FAILED;
}

/* --- list */

struct line {
	char text[4 * MAX_PATH];
	size_t used;
};

static void add_escaped(struct line *line, const char *text)
{
	for (; *text && line->used < sizeof(line->text) - 512; text++) {
		if (*text > ' ' && *text < 0x7f && *text != '\\') {
			line->text[line->used++] = *text;
			continue;
		}
		line->text[line->used++] = '\\';
		line->text[line->used++] = "0123456789abcdef"[(uint8_t)*text >> 4];
		line->text[line->used++] = "0123456789abcdef"[*text & 15];
	}
}

static void add_number(struct line *line, const char *name, uint64_t value, unsigned base)
{
	struct tiny_line number = {.used = 0};

	tiny_add(&number, " ");
	tiny_add(&number, name);
	tiny_add(&number, "=");
	tiny_add_number(&number, value, base);
	memcpy(line->text + line->used, number.text, number.used);
	line->used += number.used;
}

/* FNV-1a. */
static uint64_t sum_file(const char *path)
{
	static uint8_t piece[1 << 16];
	long fd = tiny_syscall(__NR_open, (long)path, O_RDONLY, 0), n;
	uint64_t sum = 0xcbf29ce484222325ULL;

	while (fd >= 0 && (n = tiny_syscall(__NR_read, fd, (long)piece, sizeof(piece))) > 0) {
		for (long i = 0; i < n; i++)
			sum = (sum ^ piece[i]) * 0x100000001b3ULL;
	}
	tiny_syscall(__NR_close, fd, 0, 0);
	return fd < 0 ? 0 : sum;
}

static void add_content(struct line *line, const char *path, const struct stat *st)
{
	char target[4096 + 1];
	long len;

	if (S_ISREG(st->st_mode)) {
		add_number(line, "size", (uint64_t)st->st_size, 10);
		add_number(line, "sum", sum_file(path), 16);
	} else if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		add_number(line, "device", st->st_rdev, 16);
	} else if (S_ISLNK(st->st_mode)) {
		len = tiny_syscall(__NR_readlink, (long)path, (long)target, sizeof(target) - 1);
		target[len < 0 ? 0 : len] = '\0';
		line->text[line->used++] = ' ';
		add_escaped(line, target);
	}
}

/* Behind the path; @kept: what only an archive keeps. The inode comes last: it is compared by who shares it. */
static void print_entry(const char *path, const struct stat *st, int kept)
{
	static struct line line;

	line.used = 0;
	add_escaped(&line, path);
	add_number(&line, "mode", st->st_mode, 8);
	add_content(&line, path, st);
	if (kept) {
		add_number(&line, "uid", st->st_uid, 10);
		add_number(&line, "gid", st->st_gid, 10);
		add_number(&line, "time", st->st_mtime, 10);
		if (!S_ISDIR(st->st_mode))
			add_number(&line, "links", st->st_nlink, 10);
		add_number(&line, "inode", st->st_ino, 10);
	}
	line.text[line.used++] = '\n';
	tiny_syscall(__NR_write, 1, (long)line.text, (long)line.used);
}

static long join(char path[MAX_PATH], const char *folder, const char *name)
{
	size_t len = tiny_length(folder), more = tiny_length(name) + 1;

	if (len + 1 + more > MAX_PATH)
		return -1;
	memcpy(path, folder, len);
	path[len] = '/';
	memcpy(path + len + 1, name, more);
	return (long)(len + 1 + more);
}

static long list_entry(struct pending *pending, const char *path, long size, int kept)
{
	struct stat st;
	long result = tiny_syscall(__NR_lstat, (long)path, (long)&st, 0);

	if (result < 0)
		return result;
	print_entry(path, &st, kept);
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (pending->used + (size_t)size > sizeof(pending->paths))
		return -1;
	memcpy(pending->paths + pending->used, path, (size_t)size);
	pending->used += (size_t)size;
	return 0;
}

static long list_folder(struct pending *pending, const char *folder, int kept)
{
	static uint64_t entries[8192];
	static char path[MAX_PATH];
	long fd = tiny_syscall(__NR_open, (long)folder, O_RDONLY | O_DIRECTORY, 0), n, result = 0;

	if (fd < 0)
		return fd;
	while (result >= 0 && (n = tiny_syscall(__NR_getdents64, fd, (long)entries, sizeof(entries))) > 0) {
		for (long at = 0; at < n && result >= 0;) {
			const struct entry *entry = (const void *)((const char *)entries + at);
			long size = join(path, folder, entry->name);

			at += entry->size;
			if (tiny_is_equal(entry->name, ".") || tiny_is_equal(entry->name, ".."))
				continue;
			result = size < 0 ? size : list_entry(pending, path, size, kept);
		}
	}
	tiny_syscall(__NR_close, fd, 0, 0);
	return result;
}

static int list(const char *folder, int kept)
{
	static struct pending pending;
	long result = list_folder(&pending, folder, kept);

	for (size_t at = 0; at < pending.used && result >= 0; at += tiny_length(pending.paths + at) + 1)
		result = list_folder(&pending, pending.paths + at, kept);
	return result < 0 ? fail(folder, result) : 0;
}

/* --- make */

static const struct {
	const char *name;
	unsigned mode; /* of a folder or a file, with its type; or a link, whose target is content */
	const char *content;
} things[] = {
	{"empty folder", S_IFDIR | 0700, NULL},
	{"nested", S_IFDIR | 0755, NULL},
	{"nested/a", S_IFDIR | 0755, NULL},
	{"nested/a/b", S_IFDIR | 0755, NULL},
	{"nested/a/b/deep", S_IFREG | 0600, "deep\n"},
	{"empty", S_IFREG | 0644, ""},
	{"name with spaces ", S_IFREG | 0644, "spaces\n"},
	{"new\nline", S_IFREG | 0644, "new line\n"},
	{"\xc3\xbcml\xc3\xa4ut", S_IFREG | 0644, "UTF-8\n"},
	{"\xff\x01\x7f", S_IFREG | 0644, "not UTF-8\n"},
	{"-rf", S_IFREG | 0644, "like an option\n"},
	{"...", S_IFREG | 0644, "three dots\n"},
	{"..two", S_IFREG | 0644, "two dots\n"},
	{"back\\slash", S_IFREG | 0644, "backslash\n"},
	{"TRAILER!!!", S_IFREG | 0644, "not the end\n"},
	{"nested/TRAILER!!!", S_IFREG | 0644, "nor this\n"},
	{"read-only", S_IFREG | 0444, "read-only\n"},
	{"program", S_IFREG | 0755, "#!/bin/sh\n"},
	{"setuid", S_IFREG | 04755, "setuid\n"},
	{"link-inside", S_IFLNK, "nested/a"},
	{"nested/a/link-up", S_IFLNK, "../../empty"},
	{"link-dangling", S_IFLNK, "nowhere/at all"},
	{"link-absolute", S_IFLNK, "/etc/passwd"},
	{"link-outside", S_IFLNK, "../../etc/passwd"},
	{"nested/link-outside", S_IFLNK, "../../up"},
	{"link-winding", S_IFLNK, "nested/../../up"},
	{"pipe", S_IFIFO | 0644, NULL},
};

static long write_file(const char *name, unsigned mode, const void *content, size_t len)
{
	long fd = tiny_syscall(__NR_open, (long)name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	long result = fd < 0 ? fd : tiny_syscall(__NR_write, fd, (long)content, (long)len);

	if (fd < 0 || result < 0)
		return result;
	tiny_syscall(__NR_close, fd, 0, 0);
	return tiny_syscall(__NR_chmod, (long)name, (long)(mode & 07777), 0);
}

static long make_thing(size_t i)
{
	const char *name = things[i].name, *content = things[i].content;
	unsigned mode = things[i].mode;

	if (S_ISDIR(mode))
		return tiny_syscall(__NR_mkdir, (long)name, (long)(mode & 07777), 0);
	if (S_ISLNK(mode))
		return tiny_syscall(__NR_symlink, (long)content, (long)name, 0);
	if (S_ISFIFO(mode))
		return tiny_syscall(__NR_mknod, (long)name, (long)mode, 0);
	return write_file(name, mode, content, tiny_length(content));
}

/* Not a multiple of four, which is what an archive pads to. */
static long make_large(void)
{
	static uint32_t piece[16384];
	long fd = tiny_syscall(__NR_open, (long)"large", O_WRONLY | O_CREAT | O_EXCL, 0644), result = fd;

	for (uint32_t at = 0; at < LARGE_SIZE && result >= 0; at += sizeof(piece)) {
		for (uint32_t i = 0; i < sizeof(piece) / sizeof(piece[0]); i++)
			piece[i] = (at + i) * 2654435761u;
		result = tiny_syscall(__NR_write, fd, (long)piece, sizeof(piece));
	}
	if (result >= 0)
		result = tiny_syscall(__NR_write, fd, (long)"!", 1);
	tiny_syscall(__NR_close, fd, 0, 0);
	return result;
}

static int make(const char *folder)
{
	long result = tiny_syscall(__NR_chdir, (long)folder, 0, 0);

	tiny_syscall(__NR_umask, 022, 0, 0);
	for (size_t i = 0; i < sizeof(things) / sizeof(things[0]) && result >= 0; i++)
		result = make_thing(i);
	if (result >= 0)
		result = make_large();
	if (result >= 0)
		result = tiny_syscall(__NR_link, (long)"large", (long)"nested/second name", 0);
	return result < 0 ? fail(folder, result) : 0;
}

static int make_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = 1 /* AF_UNIX */};
	size_t len = tiny_length(path);
	long fd = tiny_syscall(__NR_socket, 1, 1, 0), result;

	if (len >= sizeof(address.sun_path))
		return fail(path, -1);
	memcpy(address.sun_path, path, len);
	result = fd < 0 ? fd : tiny_syscall(__NR_bind, fd, (long)&address, sizeof(address));
	return result < 0 ? fail(path, result) : 0;
}

int tiny_main(int argc, char **argv, char **envp)
{
	const char *verb = argc >= 3 ? argv[1] : "";
	int status;

	(void)envp;
	if (tiny_is_equal(verb, "list"))
		status = list(argv[2], 1);
	else if (tiny_is_equal(verb, "content"))
		status = list(argv[2], 0);
	else if (tiny_is_equal(verb, "make"))
		status = make(argv[2]);
	else if (tiny_is_equal(verb, "socket"))
		status = make_socket(argv[2]);
	else
		status = fail(verb, -1);
	return status ? status : (int)tiny_parse(argc > 3 ? argv[3] : NULL, 0);
}
