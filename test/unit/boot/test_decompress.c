/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "boot/decompress.h"
#include "support/image_builder.h"

#define LIMIT (32ULL << 20)

static const enum decompress_format formats[] = {DECOMPRESS_GZIP, DECOMPRESS_XZ, DECOMPRESS_ZSTD, DECOMPRESS_LZ4};

struct packed {
	enum decompress_format format;
	uint8_t *plain;
	size_t plain_size;
	uint8_t *bytes;
	size_t size;
};

static struct packed pack(enum decompress_format format, size_t plain_size)
{
	size_t capacity = plain_size + plain_size / 4 + 65536;
	struct packed p = {.format = format, .plain_size = plain_size};

	p.plain = malloc(plain_size);
	p.bytes = malloc(capacity);
	assert_true(p.plain && p.bytes);
	built_fill(p.plain, plain_size);
	p.size = built_pack(format, p.plain, plain_size, p.bytes, capacity);
	return p;
}

static void unpack_free(struct packed *p)
{
	free(p->plain);
	free(p->bytes);
}

static int run(const struct packed *p, size_t offset, size_t size, uint64_t limit, struct decompress_buffer *out,
	       struct error *err)
{
	struct image_source src = image_source_memory("kernel", "k", p->bytes, p->size);

	return decompress_run(p->format, &src, offset, size, limit, out, err);
}

static void each_format_comes_back_as_it_was(void **state)
{
	static const size_t sizes[] = {1, 4096, 65536, 1000003};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(sizes); j++) {
			struct packed p = pack(formats[i], sizes[j]);
			struct decompress_buffer out;
			struct error err;

			assert_int_equal(decompress_recognise(p.bytes, DECOMPRESS_MAGIC_SIZE), formats[i]);
			assert_int_equal(run(&p, 0, p.size, LIMIT, &out, &err), 0);
			assert_int_equal(out.size, p.plain_size);
			assert_memory_equal(out.data, p.plain, p.plain_size);
			decompress_free(&out);
			assert_null(out.data);
			unpack_free(&p);
		}
	}
}

static void lz4_frame_of_several_blocks_comes_back(void **state)
{
	struct packed p = pack(DECOMPRESS_LZ4, (17U << 20) + 5);
	struct decompress_buffer out;
	struct error err;

	(void)state;
	assert_int_equal(run(&p, 0, p.size, LIMIT, &out, &err), 0);
	assert_int_equal(out.size, p.plain_size);
	assert_memory_equal(out.data, p.plain, p.plain_size);
	decompress_free(&out);
	unpack_free(&p);
}

static void stream_at_an_offset_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct packed p = pack(formats[i], 5000);
		struct decompress_buffer out;
		struct error err;

		memmove(p.bytes + 100, p.bytes, p.size);
		p.size += 100;
		assert_int_equal(run(&p, 100, p.size - 100, LIMIT, &out, &err), 0);
		assert_int_equal(out.size, 5000);
		decompress_free(&out);
		unpack_free(&p);
	}
}

static void output_may_reach_the_limit_but_not_pass_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct packed p = pack(formats[i], 100000);
		struct decompress_buffer out;
		struct error err;

		assert_int_equal(run(&p, 0, p.size, 100000, &out, &err), 0);
		decompress_free(&out);
		assert_int_equal(run(&p, 0, p.size, 99999, &out, &err), -EFBIG);
		assert_non_null(strstr(err.text, "use a larger -m"));
		assert_null(out.data);
		unpack_free(&p);
	}
}

/* lz4's legacy frame has no end mark: cut off between two blocks it is whole, and the ELF inside tells. */
static void stream_cut_off_anywhere_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct packed p = pack(formats[i], 3000);

		for (size_t size = formats[i] == DECOMPRESS_LZ4 ? 9 : 0; size < p.size - 4 - 8; size++) {
			struct decompress_buffer out;
			struct error err;

			assert_int_equal(run(&p, 0, size, LIMIT, &out, &err), -EINVAL);
			assert_non_null(strstr(err.text, "payload is damaged"));
			assert_null(out.data);
		}
		unpack_free(&p);
	}
}

static void flipped_bits_never_crash(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct packed p = pack(formats[i], 400);

		for (size_t bit = 0; bit < p.size * 8; bit++) {
			struct decompress_buffer out;
			struct error err;

			p.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
			if (run(&p, 0, p.size, LIMIT, &out, &err) == 0)
				decompress_free(&out);
			assert_null(out.data);
			p.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
		unpack_free(&p);
	}
}

static void lz4_block_longer_than_the_payload_is_refused(void **state)
{
	static const uint32_t sizes[] = {100, 0x7fffffff, 0xffffffff, 9U << 20};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint8_t bytes[64] = {0x02, 0x21, 0x4c, 0x18};
		struct packed p = {.format = DECOMPRESS_LZ4, .bytes = bytes, .size = sizeof(bytes)};
		struct decompress_buffer out;
		struct error err;

		store_le32(bytes + 4, sizes[i]);
		assert_int_equal(run(&p, 0, p.size, LIMIT, &out, &err), -EINVAL);
	}
}

static void range_behind_the_end_of_the_file_is_refused(void **state)
{
	struct packed p = pack(DECOMPRESS_GZIP, 100);
	struct decompress_buffer out;
	struct error err;

	(void)state;
	assert_int_equal(run(&p, 1, p.size, LIMIT, &out, &err), -EINVAL);
	assert_int_equal(run(&p, SIZE_MAX, 2, LIMIT, &out, &err), -EINVAL);
	unpack_free(&p);
}

static void formats_are_told_by_their_magic(void **state)
{
	(void)state;
	assert_int_equal(decompress_recognise((const uint8_t *)"\x7f"
							       "ELF",
					      4),
			 DECOMPRESS_NONE);
	assert_int_equal(decompress_recognise((const uint8_t *)"BZh91A", 6), DECOMPRESS_UNKNOWN);
	assert_int_equal(decompress_recognise((const uint8_t *)"\x1f\x8b", 2), DECOMPRESS_UNKNOWN);
	assert_int_equal(decompress_recognise(NULL, 0), DECOMPRESS_UNKNOWN);
	assert_string_equal(decompress_format_name(DECOMPRESS_ZSTD), "zstd");
	assert_string_equal(decompress_format_name(DECOMPRESS_NONE), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_format_comes_back_as_it_was),
		cmocka_unit_test(lz4_frame_of_several_blocks_comes_back),
		cmocka_unit_test(stream_at_an_offset_is_found),
		cmocka_unit_test(output_may_reach_the_limit_but_not_pass_it),
		cmocka_unit_test(stream_cut_off_anywhere_is_refused),
		cmocka_unit_test(flipped_bits_never_crash),
		cmocka_unit_test(lz4_block_longer_than_the_payload_is_refused),
		cmocka_unit_test(range_behind_the_end_of_the_file_is_refused),
		cmocka_unit_test(formats_are_told_by_their_magic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
