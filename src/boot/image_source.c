/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/image_source.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/file.h"

#define NAME_MAX_LENGTH 160

/* A path longer than the message would push the reason out of it; its end says more than its beginning. */
static const char *short_name(const char *path)
{
	size_t len = strlen(path);

	return len > NAME_MAX_LENGTH ? path + (len - NAME_MAX_LENGTH) : path;
}

int image_source_fail(const struct image_source *src, struct error *err, int code, const char *fmt, ...)
{
	char text[ERROR_TEXT_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return error_set(err, code, "%s %s: %s", src->what, src->name, text);
}

int image_source_open(struct image_source *src, const char *what, const char *path, struct error *err)
{
	*src = (struct image_source){.what = what, .name = short_name(path), .fd = -1};
	src->fd = file_open_regular(what, path, &src->size, err);
	if (src->fd < 0)
		return src->fd;
	if (src->size == 0) {
		image_source_close(src);
		return image_source_fail(src, err, -EINVAL, "is an empty file; build or fetch it again");
	}
	return 0;
}

void image_source_close(struct image_source *src)
{
	close_fd(&src->fd);
}

struct image_source image_source_memory(const char *what, const char *name, const void *data, uint64_t size)
{
	return (struct image_source){.what = what, .name = short_name(name), .fd = -1, .data = data, .size = size};
}

static int read_piece(const struct image_source *src, uint64_t offset, void *buf, size_t len, struct error *err)
{
	int code;

	if (src->data) {
		memcpy(buf, src->data + src->base + offset, len);
		return 0;
	}
	code = read_exact_at(src->fd, buf, len, src->base + offset);
	if (code)
		return image_source_fail(src, err, code, "cannot read %zu bytes at offset %llu: %s", len,
					 (unsigned long long)offset, strerror(-code));
	return 0;
}

static int check_within(const struct image_source *src, uint64_t offset, uint64_t len, struct error *err)
{
	if (range_within(offset, len, src->size))
		return 0;
	return image_source_fail(src, err, -EINVAL,
				 "is truncated or damaged: needs %llu bytes at offset %llu, but has %llu in all; build "
				 "or fetch it again",
				 (unsigned long long)len, (unsigned long long)offset, (unsigned long long)src->size);
}

int image_source_read(const struct image_source *src, uint64_t offset, void *buf, size_t len, struct error *err)
{
	int code = check_within(src, offset, len, err);

	return code || len == 0 ? code : read_piece(src, offset, buf, len, err);
}

int image_source_load(const struct image_source *src, uint64_t offset, uint64_t len, const struct guest_mem *mem,
		      gpa_t at, struct error *err)
{
	struct iovec iov[GUEST_MEM_MAX_IOV];
	int code = check_within(src, offset, len, err);
	int n;

	if (code)
		return code;
	n = guest_mem_slice(mem, at, len, iov);
	if (n < 0)
		return image_source_fail(src, err, n, "guest-physical 0x%llx is not RAM", (unsigned long long)at.addr);
	for (int i = 0; i < n && !code; i++) {
		code = read_piece(src, offset, iov[i].iov_base, iov[i].iov_len, err);
		offset += iov[i].iov_len;
	}
	return code;
}
