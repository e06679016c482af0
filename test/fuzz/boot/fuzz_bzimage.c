/* SPDX-License-Identifier: Apache-2.0 */
/* bzImages: the input patches the vmlinux before it is packed, then the setup header or the packed payload. */
#include "fuzz_image.h"

#define TEXT	      (2ULL << 20)
#define HEADER_OFFSET 0x1f1
#define HEADER_SPAN   0x80

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void build_vmlinux(struct built_image *vmlinux)
{
	uint8_t text[512];
	struct built_elf spec = {.entry = TEXT + 128,
				 .segments = {{.paddr = TEXT, .data = text, .filesz = sizeof(text), .memsz = 8192}},
				 .nr_segments = 1};

	built_fill(text, sizeof(text));
	built_elf(vmlinux, &spec);
}

static void build_image(struct built_image *image, const struct built_image *vmlinux, enum decompress_format format)
{
	static const uint8_t unknown[64] = "BZh91AY&SY";
	uint8_t payload[16384];
	struct built_bzimage spec = {.payload = payload,
				     .xloadflags = XLF_KERNEL_64,
				     .pref_address = TEXT,
				     .init_size = 1 << 20,
				     .cmdline_size = 2047,
				     .kernel_version = "6.1.0 (fuzz)"};

	if (format == DECOMPRESS_UNKNOWN) {
		spec.payload = unknown;
		spec.payload_size = sizeof(unknown);
	} else if (format == DECOMPRESS_NONE) {
		spec.payload = vmlinux->bytes;
		spec.payload_size = vmlinux->size;
	} else {
		spec.payload_size = built_pack(format, vmlinux->bytes, vmlinux->size, payload, sizeof(payload));
	}
	built_bzimage(image, &spec);
}

/* Patches the part of @image from @offset on. */
static void patch_from(struct built_image *image, size_t offset, size_t span, struct fuzz_input *in)
{
	struct built_image part = {.size = 0};

	built_append(&part, image->bytes + offset, image->size - offset);
	fuzz_patch(&part, in, span);
	memcpy(image->bytes + offset, part.bytes, part.size);
	image->size = offset + part.size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {.data = data, .size = size};
	enum decompress_format format = (enum decompress_format)(fuzz_take(&in, 1) % 6);
	uint8_t target = (uint8_t)fuzz_take(&in, 1) % 3;
	struct built_image vmlinux, image;

	build_vmlinux(&vmlinux);
	if (target == 0)
		fuzz_patch(&vmlinux, &in, 512);
	build_image(&image, &vmlinux, format);
	if (target == 1)
		patch_from(&image, HEADER_OFFSET, HEADER_SPAN, &in);
	if (target == 2)
		patch_from(&image, BUILT_SETUP_SIZE + BUILT_PAYLOAD_OFFSET, BUILT_MAX, &in);
	fuzz_load(&image, IMAGE_PROTOCOL_AUTO);
	return 0;
}
