/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/decompress.h"

#include <errno.h>
#include <lz4.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>

#include "base/checked.h"
#include "base/endian.h"
#include "base/parse.h"

#define INPUT_SIZE 65536

/* lz4 legacy frames: blocks of at most 8 MiB, each behind its compressed size (lz4_Frame_format.md, "Legacy frame"). */
#define LZ4_LEGACY_MAGIC      0x184c2102U
#define LZ4_LEGACY_BLOCK_SIZE (8U << 20)

/* What the largest dictionaries of kernel builds need (xz: 128 MiB; zstd --ultra -22: 2^27), and no more. */
#define XZ_MEMORY_LIMIT	    (192ULL << 20)
#define ZSTD_WINDOW_LOG_MAX 27

/* Room behind the limit, so that "too large" is seen as such: an lz4 block is produced whole. */
#define OUTPUT_SLACK LZ4_LEGACY_BLOCK_SIZE

struct unpack {
	const struct image_source *src;
	struct error *err;
	uint64_t pos; /* of the next byte to read */
	uint64_t end;
	const char *format;
	uint8_t *in; /* INPUT_SIZE bytes, in_len of them valid, in_pos of those consumed */
	size_t in_len;
	size_t in_pos;
	uint8_t *out;
	size_t capacity; /* limit + OUTPUT_SLACK */
	size_t produced;
	uint64_t limit;
};

/* Consumes from @u's input and appends to its output once; *done at the end of the stream. 0 (also without any
 * progress) or a negative errno with a line set. */
typedef int (*step_fn)(void *state, struct unpack *u, bool *done);

enum decompress_format decompress_recognise(const uint8_t *head, size_t len)
{
	static const struct {
		enum decompress_format format;
		uint8_t length;
		uint8_t bytes[DECOMPRESS_MAGIC_SIZE];
	} magics[] = {
		{DECOMPRESS_NONE, 4, {0x7f, 'E', 'L', 'F'}},	      {DECOMPRESS_GZIP, 3, {0x1f, 0x8b, 0x08}},
		{DECOMPRESS_XZ, 6, {0xfd, '7', 'z', 'X', 'Z', 0x00}}, {DECOMPRESS_ZSTD, 4, {0x28, 0xb5, 0x2f, 0xfd}},
		{DECOMPRESS_LZ4, 4, {0x02, 0x21, 0x4c, 0x18}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (len >= magics[i].length && memcmp(head, magics[i].bytes, magics[i].length) == 0)
			return magics[i].format;
	return DECOMPRESS_UNKNOWN;
}

const char *decompress_format_name(enum decompress_format format)
{
	static const char *const names[] = {
		[DECOMPRESS_UNKNOWN] = "unknown", [DECOMPRESS_NONE] = "none", [DECOMPRESS_GZIP] = "gzip",
		[DECOMPRESS_XZ] = "xz",		  [DECOMPRESS_ZSTD] = "zstd", [DECOMPRESS_LZ4] = "lz4",
	};

	return names[format];
}

static int fail_damaged(const struct unpack *u, const char *reason)
{
	return image_source_fail(u->src, u->err, -EINVAL, "the %s payload is damaged: %s", u->format, reason);
}

static int fail_no_memory(const struct unpack *u)
{
	return image_source_fail(u->src, u->err, -ENOMEM, "no host memory left to decompress the %s payload",
				 u->format);
}

static int check_limit(const struct unpack *u)
{
	char limit[32];

	if (u->produced <= u->limit)
		return 0;
	return image_source_fail(u->src, u->err, -EFBIG, "the %s payload decompresses to more than %s; use a larger -m",
				 u->format, format_size(u->limit, limit, sizeof(limit)));
}

static int refill(struct unpack *u)
{
	uint64_t left = u->end - u->pos;
	size_t len = left < INPUT_SIZE ? (size_t)left : INPUT_SIZE;
	int code = image_source_read(u->src, u->pos, u->in, len, u->err);

	u->pos += len;
	u->in_len = len;
	u->in_pos = 0;
	return code;
}

/* Feeds a stream decoder until its stream ends. At the end of the input the decoder may still hold output, so only a
 * step without progress means that the stream is cut off. */
static int run_stream(struct unpack *u, step_fn step, void *state)
{
	bool done = false;
	int code = 0;

	while (!code && !done) {
		size_t in_pos, produced;

		if (u->in_pos == u->in_len && u->pos < u->end)
			code = refill(u);
		if (code)
			return code;
		in_pos = u->in_pos;
		produced = u->produced;
		code = step(state, u, &done);
		if (!code)
			code = check_limit(u);
		if (!code && !done && in_pos == u->in_pos && produced == u->produced)
			return fail_damaged(u, "it ends too early");
	}
	return code;
}

static uInt clamp_uint(size_t value)
{
	return value < UINT32_MAX ? (uInt)value : UINT32_MAX;
}

static int step_gzip(void *state, struct unpack *u, bool *done)
{
	z_stream *z = state;
	uInt room = clamp_uint(u->capacity - u->produced);
	int rc;

	z->next_in = u->in + u->in_pos;
	z->avail_in = (uInt)(u->in_len - u->in_pos);
	z->next_out = u->out + u->produced;
	z->avail_out = room;
	rc = inflate(z, Z_NO_FLUSH);
	u->in_pos = u->in_len - z->avail_in;
	u->produced += room - z->avail_out;
	*done = rc == Z_STREAM_END;
	if (rc == Z_MEM_ERROR)
		return fail_no_memory(u);
	if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
		return fail_damaged(u, z->msg ? z->msg : "zlib cannot decode it");
	return 0;
}

static int unpack_gzip(struct unpack *u)
{
	z_stream z = {0};
	int code;

	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return fail_no_memory(u);
	code = run_stream(u, step_gzip, &z);
	inflateEnd(&z);
	return code;
}

static int step_xz(void *state, struct unpack *u, bool *done)
{
	lzma_stream *xz = state;
	lzma_ret rc;

	xz->next_in = u->in + u->in_pos;
	xz->avail_in = u->in_len - u->in_pos;
	xz->next_out = u->out + u->produced;
	xz->avail_out = u->capacity - u->produced;
	rc = lzma_code(xz, LZMA_RUN);
	u->in_pos = u->in_len - xz->avail_in;
	u->produced = u->capacity - xz->avail_out;
	*done = rc == LZMA_STREAM_END;
	if (rc == LZMA_MEM_ERROR)
		return fail_no_memory(u);
	if (rc == LZMA_MEMLIMIT_ERROR)
		return fail_damaged(u, "its dictionary is larger than 128M");
	if (rc != LZMA_OK && rc != LZMA_STREAM_END && rc != LZMA_BUF_ERROR)
		return fail_damaged(u, rc == LZMA_OPTIONS_ERROR ? "it uses a filter that liblzma lacks"
								: "liblzma cannot decode it");
	return 0;
}

static int unpack_xz(struct unpack *u)
{
	lzma_stream xz = LZMA_STREAM_INIT;
	int code;

	if (lzma_stream_decoder(&xz, XZ_MEMORY_LIMIT, 0) != LZMA_OK)
		return fail_no_memory(u);
	code = run_stream(u, step_xz, &xz);
	lzma_end(&xz);
	return code;
}

static int step_zstd(void *state, struct unpack *u, bool *done)
{
	ZSTD_inBuffer in = {.src = u->in, .size = u->in_len, .pos = u->in_pos};
	ZSTD_outBuffer out = {.dst = u->out, .size = u->capacity, .pos = u->produced};
	size_t rc = ZSTD_decompressStream(state, &out, &in);

	u->in_pos = in.pos;
	u->produced = out.pos;
	*done = rc == 0;
	return ZSTD_isError(rc) ? fail_damaged(u, ZSTD_getErrorName(rc)) : 0;
}

static int unpack_zstd(struct unpack *u)
{
	ZSTD_DCtx *zstd = ZSTD_createDCtx();
	int code;

	if (!zstd)
		return fail_no_memory(u);
	if (ZSTD_isError(ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX)))
		code = fail_no_memory(u);
	else
		code = run_stream(u, step_zstd, zstd);
	ZSTD_freeDCtx(zstd);
	return code;
}

/* One block of @size compressed bytes at u->pos. */
static int unpack_lz4_block(struct unpack *u, uint32_t size, char *block)
{
	int n, code;

	if (size > (uint32_t)LZ4_COMPRESSBOUND(LZ4_LEGACY_BLOCK_SIZE) || size > u->end - u->pos)
		return fail_damaged(u, "a block is longer than the format or the payload allows");
	code = image_source_read(u->src, u->pos, block, size, u->err);
	if (code)
		return code;
	u->pos += size;
	n = LZ4_decompress_safe(block, (char *)u->out + u->produced, (int)size, (int)LZ4_LEGACY_BLOCK_SIZE);
	if (n < 0)
		return fail_damaged(u, "liblz4 cannot decode a block");
	u->produced += (size_t)n;
	return check_limit(u);
}

/* Blocks follow each other up to the end of the payload or to the size word of four bytes that the kernel's build
 * appends; a repeated magic starts another frame. */
static int unpack_lz4_blocks(struct unpack *u, char *block)
{
	int code = 0;

	while (!code && u->end - u->pos > sizeof(uint32_t)) {
		uint8_t word[sizeof(uint32_t)];

		code = image_source_read(u->src, u->pos, word, sizeof(word), u->err);
		if (code)
			return code;
		u->pos += sizeof(word);
		if (load_le32(word) != LZ4_LEGACY_MAGIC)
			code = unpack_lz4_block(u, load_le32(word), block);
	}
	return code;
}

static int unpack_lz4(struct unpack *u)
{
	char *block = malloc(LZ4_COMPRESSBOUND(LZ4_LEGACY_BLOCK_SIZE));
	int code;

	if (!block)
		return fail_no_memory(u);
	code = unpack_lz4_blocks(u, block);
	free(block);
	return code;
}

static int run_format(enum decompress_format format, struct unpack *u)
{
	switch (format) {
	case DECOMPRESS_GZIP:
		return unpack_gzip(u);
	case DECOMPRESS_XZ:
		return unpack_xz(u);
	case DECOMPRESS_ZSTD:
		return unpack_zstd(u);
	case DECOMPRESS_LZ4:
		return unpack_lz4(u);
	case DECOMPRESS_NONE:
	case DECOMPRESS_UNKNOWN:
		break;
	}
	return fail_damaged(u, "it is in no format that can be decompressed");
}

int decompress_run(enum decompress_format format, const struct image_source *src, uint64_t offset, uint64_t length,
		   uint64_t limit, struct decompress_buffer *out, struct error *err)
{
	struct unpack u = {.src = src, .err = err, .pos = offset, .limit = limit};
	int code;

	*out = (struct decompress_buffer){0};
	u.format = decompress_format_name(format);
	if (!range_within(offset, length, src->size))
		return fail_damaged(&u, "it reaches behind the end of the file");
	u.end = offset + length;
	u.capacity = limit + OUTPUT_SLACK;
	/* NORESERVE: address space for the limit, memory only for what is really produced. */
	u.out = mmap(NULL, u.capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (u.out == MAP_FAILED)
		return fail_no_memory(&u);
	*out = (struct decompress_buffer){.data = u.out, .mapped = u.capacity};
	u.in = malloc(INPUT_SIZE);
	code = u.in ? run_format(format, &u) : fail_no_memory(&u);
	free(u.in);
	out->size = u.produced;
	if (code)
		decompress_free(out);
	return code;
}

void decompress_free(struct decompress_buffer *buffer)
{
	if (buffer->data)
		munmap(buffer->data, buffer->mapped);
	*buffer = (struct decompress_buffer){0};
}
