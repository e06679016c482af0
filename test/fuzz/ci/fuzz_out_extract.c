/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives made of awkward names, links and sizes, also damaged and cut: nothing beside the directory changes, nothing
 * in it leads out of it, and it holds no more than the limit.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/log.h"
#include "ci/out_extract.h"
#include "support/out_archive.h"
#include "support/out_scratch.h"

#define LIMIT	  65536
#define NAME_SIZE 5000

struct input {
	const uint8_t *data;
	size_t size;
};

static struct out_scratch scratch;

static uint32_t take(struct input *in, size_t len)
{
	uint8_t bytes[4] = {0};
	size_t n = len < in->size ? len : in->size;

	if (n)
		memcpy(bytes, in->data, n);
	in->data += n;
	in->size -= n;
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* A name or a link's target: parts of a small set, so that entries meet each other. Returns its length. */
static size_t build_name(char *name, struct input *in)
{
	static const struct {
		const char *text;
		size_t len;
	} parts[16] = {
		{"a", 1}, {"b", 1},  {"c", 1},	    {"..", 2}, {".", 1},   {"/", 1},	  {"out", 3},  {"beside", 6},
		{"", 1},  {"a/", 2}, {"secret", 6}, {"./", 2}, {"../", 3}, {"a/b/c/", 6}, {"user", 4}, {"\n\xff", 2},
	};
	static char long_part[256];
	size_t len = 0;
	uint32_t how, slash = 1;

	memset(long_part, 'x', sizeof(long_part));
	do {
		how = take(in, 1);
		memcpy(name + len, parts[how & 15].text, parts[how & 15].len);
		len += parts[how & 15].len;
		if (how & 0x10) {
			memcpy(name + len, long_part, 255);
			len += 255;
		}
		if (how & 0x20)
			name[len++] = '/';
		slash = how & 0xc0;
	} while (slash && len < NAME_SIZE - 300);
	return len;
}

static void add_entry(struct out_archive *archive, struct input *in)
{
	static const unsigned kinds[8] = {S_IFREG, S_IFDIR, S_IFLNK, S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, 0};
	static uint8_t data[LIMIT];
	char name[NAME_SIZE], target[NAME_SIZE];
	uint32_t how = take(in, 1);
	unsigned kind = kinds[how & 7], mode = kind | (how & 8 ? 07777 : 0755);
	size_t name_len = build_name(name, in), len;

	if (kind == S_IFLNK) {
		len = build_name(target, in);
		out_archive_add_header(archive, mode, name, name_len, (unsigned)len);
		out_archive_add_bytes(archive, target, len);
	} else {
		len = how & 0x10 ? take(in, 2) : how >> 5;
		memset(data, how & 0x20 ? (int)take(in, 1) : 0, len);
		/* The size may be a lie. */
		out_archive_add_header(archive, mode, name, name_len, how == 0xff ? take(in, 4) : (unsigned)len);
		out_archive_add_bytes(archive, data, len);
	}
	out_archive_pad(archive);
}

static void damage(struct out_archive *archive, struct input *in)
{
	size_t at = take(in, 2);
	uint8_t byte = (uint8_t)take(in, 1);

	if (at < archive->len)
		archive->bytes[at] = byte;
}

static void build(struct out_archive *archive, struct input *in, bool raw)
{
	archive->len = 0;
	if (raw)
		out_archive_add_bytes(archive, in->data, in->size);
	while (!raw && in->size)
		add_entry(archive, in);
	if (!raw)
		out_archive_end(archive);
}

static void remove_scratch(void)
{
	out_scratch_remove(scratch.base);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_set_level(LOG_ERR);
	umask(022);
	if (!out_scratch_make(&scratch, "/dev/shm") && !out_scratch_make(&scratch, "/tmp"))
		abort();
	return atexit(remove_scratch);
}

/* Puts a link there that a user may have; what else it leads to is not the archive's doing. */
static void add_user_link(void)
{
	char path[sizeof(scratch.out) + 8];

	snprintf(path, sizeof(path), "%s/user", scratch.out);
	ASSERT(!symlink("../beside", path));
}

static void extract(const struct out_archive *archive, size_t len)
{
	struct out_request request = {.dir = scratch.out, .limit = LIMIT, .stream_fd = out_archive_open(archive, len)};
	struct error err = {.text = ""};
	struct out_result result;
	int code;

	ASSERT(request.stream_fd >= 0);
	code = out_extract(&request, &result, &err);
	close(request.stream_fd);
	ASSERT(code <= 0 && (code < 0) == (err.text[0] != '\0'));
	ASSERT(code == 0 || code == -ENODATA || code == -EINVAL || code == -EFBIG);
	ASSERT(result.bytes + OUT_ENTRY_COST * (result.files + result.folders + result.links + result.skipped) <=
	       LIMIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct out_archive archive;
	struct input in = {data, size};
	uint32_t how = take(&in, 1);
	const char *wrong;

	if (how & 1)
		add_user_link();
	if (how & 2) {
		struct input damages = {data + 1, 3U * (how >> 5)};

		if (damages.size >= size)
			damages.size = 0;
		in.data += damages.size;
		in.size -= damages.size;
		build(&archive, &in, false);
		while (damages.size)
			damage(&archive, &damages);
	} else {
		build(&archive, &in, how & 4);
	}
	extract(&archive, how & 8 && archive.len ? (size_t)how * 64 % archive.len : archive.len);
	wrong = out_scratch_check_beside(&scratch);
	if (!wrong && !(how & 1))
		wrong = out_scratch_check_inside(&scratch, LIMIT);
	if (wrong)
		fprintf(stderr, "wrong: %s\n", wrong);
	ASSERT(!wrong);
	out_scratch_empty(scratch.out);
	return 0;
}
