/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "boot/image_identify.h"

#define HEAD_SIZE 1024

struct sample {
	size_t offset;
	const char *bytes;
	size_t length;
	const char *expected;
};

static const struct sample samples[] = {
	{0, "\x1f\x8b\x08", 3, "gzip-compressed; decompress it first"},
	{0, "\x28\xb5\x2f\xfd", 4, "zstd-compressed"},
	{0, "#!/bin/sh\n", 10, "is a script"},
	{0, "070701", 6, "--initrd"},
	{0, "MZ", 2, "EFI program without a Linux boot header"},
	{0x38, "ARM\x64", 4, "arm64 Linux Image; vmm runs x86-64"},
	{0x38, "RSC\x05", 4, "RISC-V"},
	{0, "QFI\xfb", 4, "qcow2"},
	{0x1fe, "\x55\xaa", 2, "boot sector but no Linux header"},
	{0, "hello", 5, "is not a kernel image: neither bzImage nor ELF"},
};

static void common_mistakes_are_named(void **state)
{
	struct image_source src = image_source_memory("kernel", "k", "", 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		uint8_t head[HEAD_SIZE] = {0};
		struct error err;

		memcpy(head + samples[i].offset, samples[i].bytes, samples[i].length);
		assert_int_equal(image_identify_failure(&src, head, sizeof(head), &err), -ENOEXEC);
		assert_non_null(strstr(err.text, samples[i].expected));
	}
}

static void arm64_image_with_efi_stub_is_not_called_an_efi_program(void **state)
{
	struct image_source src = image_source_memory("kernel", "k", "", 0);
	uint8_t head[HEAD_SIZE] = "MZ";
	struct error err;

	(void)state;
	memcpy(head + 0x38, "ARM\x64", 4);
	assert_int_equal(image_identify_failure(&src, head, sizeof(head), &err), -ENOEXEC);
	assert_non_null(strstr(err.text, "arm64"));
}

static void file_shorter_than_a_signature_is_only_no_kernel(void **state)
{
	struct image_source src = image_source_memory("kernel", "k", "", 0);
	struct error err;

	(void)state;
	for (size_t i = 0; i + 1 < ARRAY_SIZE(samples); i++) {
		uint8_t head[HEAD_SIZE] = {0};

		memcpy(head + samples[i].offset, samples[i].bytes, samples[i].length);
		image_identify_failure(&src, head, samples[i].offset + 1, &err);
		assert_non_null(strstr(err.text, "neither bzImage nor ELF"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(common_mistakes_are_named),
		cmocka_unit_test(arm64_image_with_efi_stub_is_not_called_an_efi_program),
		cmocka_unit_test(file_shorter_than_a_signature_is_only_no_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
