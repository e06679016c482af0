/* SPDX-License-Identifier: Apache-2.0 */
/* The four decompressors: the input is a stream behind its magic, or patches to a good one. */
#include "fuzz_image.h"

#define LIMIT	   (1ULL << 20)
#define PLAIN_SIZE 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void build_stream(struct built_image *image, enum decompress_format format, struct fuzz_input *in)
{
	uint8_t plain[PLAIN_SIZE];

	built_fill(plain, sizeof(plain));
	image->size = built_pack(format, plain, sizeof(plain), image->bytes, sizeof(image->bytes));
	fuzz_patch(image, in, BUILT_MAX);
}

static void take_stream(struct built_image *image, enum decompress_format format, const struct fuzz_input *in)
{
	static const struct {
		uint8_t length;
		uint8_t bytes[6];
	} magics[] = {
		[DECOMPRESS_GZIP] = {3, {0x1f, 0x8b, 0x08}},
		[DECOMPRESS_XZ] = {6, {0xfd, '7', 'z', 'X', 'Z', 0x00}},
		[DECOMPRESS_ZSTD] = {4, {0x28, 0xb5, 0x2f, 0xfd}},
		[DECOMPRESS_LZ4] = {4, {0x02, 0x21, 0x4c, 0x18}},
	};

	built_append(image, magics[format].bytes, magics[format].length);
	built_append(image, in->data, in->size < BUILT_MAX - 8 ? in->size : BUILT_MAX - 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {.data = data, .size = size};
	enum decompress_format format = (enum decompress_format)(DECOMPRESS_GZIP + fuzz_take(&in, 1) % 4);
	struct built_image image = {.size = 0};
	struct decompress_buffer out;
	struct image_source src;
	struct error err = {.text = ""};
	uint8_t *copy;
	int code;

	if (fuzz_take(&in, 1) & 1)
		build_stream(&image, format, &in);
	else
		take_stream(&image, format, &in);
	copy = malloc(image.size);
	if (!copy)
		abort();
	memcpy(copy, image.bytes, image.size);
	src = image_source_memory("kernel", "k", copy, image.size);
	code = decompress_run(format, &src, 0, image.size, LIMIT, &out, &err);
	if (code > 0 || (code < 0 && (!err.text[0] || out.data)) || (!code && out.size > LIMIT))
		abort();
	if (!code)
		decompress_free(&out);
	free(copy);
	return 0;
}
