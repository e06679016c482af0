/* SPDX-License-Identifier: Apache-2.0 */
#include "ci/out_extract.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/cpio.h"
#include "base/cpio_write.h"
#include "base/file.h"
#include "base/log.h"
#include "base/parse.h"
#include "ci/out_file.h"
#include "ci/out_folder.h"
#include "ci/out_names.h"
#include "ci/out_reader.h"

#define MAX_NOTES  5
#define SHOWN_SIZE 160

struct extract {
	const struct out_request *request;
	struct out_result *result;
	struct error *err;
	int root;
	uint64_t spent; /* of the limit */
	/* the entry at hand */
	struct cpio_header header;
	uint64_t left;	  /* its data with the padding, as far as they are not read yet */
	const char *path; /* part of name */
	char name[CPIO_MAX_NAME];
	char target[PATH_MAX];
	struct out_reader reader;
};

static int fail_stream(const struct extract *x, int code)
{
	const struct out_result *result = x->result;
	char reason[64] = "the stream broke off";

	if (code == -EINVAL)
		snprintf(reason, sizeof(reason), "the stream is damaged at byte %" PRIu64, x->reader.offset);
	else if (code != -ENODATA)
		snprintf(reason, sizeof(reason), "cannot read the stream: %s", strerror(-code));
	return error_set(x->err, code, "--out %s: %s after %" PRIu64 " file%s; what is complete was kept",
			 x->request->dir, reason, result->files, result->files == 1 ? "" : "s");
}

static int fail_host(const struct extract *x, int code)
{
	char shown[SHOWN_SIZE];

	return error_set(x->err, code, "--out %s: cannot store %s: %s; what is complete was kept", x->request->dir,
			 out_names_show(x->path, strlen(x->path), shown, sizeof(shown)), strerror(-code));
}

static int fail_limit(const struct extract *x)
{
	char limit[32];

	return error_set(x->err, -EFBIG, "--out %s: /out holds more than the limit of %s; raise --out-limit",
			 x->request->dir, format_size(x->request->limit, limit, sizeof(limit)));
}

static int skip_data(struct extract *x)
{
	int code = out_reader_skip(&x->reader, x->left);

	return code ? fail_stream(x, code) : 0;
}

static int skip_entry(struct extract *x, const char *reason)
{
	char shown[SHOWN_SIZE];

	if (++x->result->skipped <= MAX_NOTES)
		log_note("--out: %s is left out: %s",
			 out_names_show(x->name, x->header.name_size - 1, shown, sizeof(shown)), reason);
	return skip_data(x);
}

static int lose_entry(struct extract *x, const char *reason)
{
	x->result->lost++;
	return skip_entry(x, reason);
}

/* The host did not make the entry: when that is because of its name, others may still be made. */
static int refuse_entry(struct extract *x, int code)
{
	switch (code) {
	case -ENOENT:
		if (!strchr(x->path, '/')) /* the directory itself is gone */
			return fail_host(x, code);
		return lose_entry(x, "its folder did not come before it");
	case -ENOTDIR:
		return lose_entry(x, "a link or a file is where its folder should be");
	case -EISDIR:
		return lose_entry(x, "there is a folder of that name");
	case -EEXIST:
		return lose_entry(x, "there is something else of that name");
	case -ENAMETOOLONG:
	case -EINVAL:
	case -EILSEQ:
	case -EPERM:
		return lose_entry(x, strerror(-code));
	default:
		return fail_host(x, code);
	}
}

static int store_folder(struct extract *x)
{
	const char *leaf;
	int parent, code;

	if (!*x->path)
		return skip_data(x);
	parent = out_folder_open_parent(x->root, x->path, &leaf);
	if (parent < 0)
		return refuse_entry(x, parent);
	code = out_folder_make(parent, leaf, (x->header.mode & 0755) | 0700);
	close_fd(&parent);
	if (code)
		return refuse_entry(x, code);
	x->result->folders++;
	return skip_data(x);
}

static int copy_data(struct extract *x, struct out_file *file)
{
	while (file->size < x->header.data_size) {
		const uint8_t *data;
		ssize_t n = out_reader_take(&x->reader, x->header.data_size - file->size, &data);
		int code;

		if (n < 0)
			return fail_stream(x, (int)n);
		x->left -= (uint64_t)n;
		code = out_file_append(file, data, (size_t)n);
		if (code)
			return fail_host(x, code);
	}
	return 0;
}

/* With the file's folder open. */
static int store_file_in(struct extract *x, int parent, const char *leaf)
{
	struct out_file file;
	int code = out_folder_clear(parent, leaf);

	if (!code)
		code = out_file_create(&file, parent, leaf, x->header.mode & 0777);
	if (code)
		return refuse_entry(x, code);
	code = copy_data(x, &file);
	if (code) {
		out_file_abandon(&file);
		return code;
	}
	code = out_file_finish(&file, x->header.mtime);
	if (code)
		return fail_host(x, code);
	x->result->files++;
	x->result->bytes += x->header.data_size;
	return skip_data(x);
}

static int store_file(struct extract *x)
{
	const char *leaf;
	int parent = out_folder_open_parent(x->root, x->path, &leaf), code;

	if (parent < 0)
		return refuse_entry(x, parent);
	code = store_file_in(x, parent, leaf);
	close_fd(&parent);
	return code;
}

static int store_link(struct extract *x)
{
	uint32_t len = x->header.data_size;
	const char *leaf, *reason;
	int parent, code;

	if (len >= sizeof(x->target))
		return skip_entry(x, "its target is no path");
	code = out_reader_read(&x->reader, x->target, len);
	if (code)
		return fail_stream(x, code);
	x->left -= len;
	x->target[len] = '\0';
	reason = out_names_refuse_target(x->target, len, out_names_depth(x->path));
	if (reason)
		return skip_entry(x, reason);
	parent = out_folder_open_parent(x->root, x->path, &leaf);
	if (parent < 0)
		return refuse_entry(x, parent);
	code = out_folder_link(parent, leaf, x->target);
	close_fd(&parent);
	if (code)
		return refuse_entry(x, code);
	x->result->links++;
	return skip_data(x);
}

static int store_entry(struct extract *x)
{
	uint32_t kind = x->header.mode & S_IFMT;
	const char *reason;

	x->path = out_names_path(x->name, x->header.name_size - 1, &reason);
	if (!x->path)
		return skip_entry(x, reason);
	if (kind == S_IFDIR)
		return store_folder(x);
	if (!*x->path)
		return skip_entry(x, "it is no folder, but bears the name of one");
	if (kind == S_IFREG)
		return store_file(x);
	if (kind == S_IFLNK)
		return store_link(x);
	return skip_entry(x, "it is neither a file, a folder nor a link");
}

static uint64_t padding_of(uint64_t size)
{
	return align_up(size, CPIO_ALIGNMENT) - size;
}

/* Reads header and name; names are of any bytes but end in a NUL. */
static int read_entry(struct extract *x)
{
	uint8_t bytes[CPIO_HEADER_SIZE];
	int code = out_reader_read(&x->reader, bytes, sizeof(bytes));

	if (code)
		return fail_stream(x, code);
	if (!cpio_parse_header(bytes, &x->header))
		return fail_stream(x, -EINVAL);
	code = out_reader_read(&x->reader, x->name, x->header.name_size);
	if (!code)
		code = out_reader_skip(&x->reader, padding_of(sizeof(bytes) + x->header.name_size));
	if (!code && x->name[x->header.name_size - 1] != '\0')
		code = -EINVAL;
	x->left = align_up(x->header.data_size, CPIO_ALIGNMENT);
	return code ? fail_stream(x, code) : 0;
}

/* A trailer has no file type: a file may bear its name. */
static bool is_trailer(const struct extract *x)
{
	return (x->header.mode & S_IFMT) == 0 && strcmp(x->name, CPIO_TRAILER) == 0;
}

/* Before anything is stored; what will be skipped counts as well, so that the stream ends. */
static int spend(struct extract *x)
{
	uint64_t cost = OUT_ENTRY_COST + (uint64_t)x->header.data_size;

	if (cost > x->request->limit - x->spent)
		return fail_limit(x);
	x->spent += cost;
	return 0;
}

static int extract_entries(struct extract *x)
{
	for (;;) {
		int code = read_entry(x);

		if (code)
			return code;
		if (is_trailer(x))
			return 0;
		code = spend(x);
		if (code)
			return code;
		code = store_entry(x);
		if (code)
			return code;
	}
}

int out_extract(const struct out_request *request, struct out_result *result, struct error *err)
{
	struct extract *x;
	int code;

	*result = (struct out_result){0};
	x = calloc(1, sizeof(*x));
	if (!x)
		return error_set(err, -ENOMEM, "--out %s: no host memory left", request->dir);
	x->request = request;
	x->result = result;
	x->err = err;
	out_reader_init(&x->reader, request->stream_fd);
	x->root = out_folder_open(request->dir, err);
	code = x->root < 0 ? x->root : extract_entries(x);
	if (result->skipped > MAX_NOTES)
		log_note("--out: %" PRIu64 " more were left out", result->skipped - MAX_NOTES);
	close_fd(&x->root);
	free(x);
	return code;
}
