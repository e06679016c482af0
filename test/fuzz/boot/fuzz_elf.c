/* SPDX-License-Identifier: Apache-2.0 */
/* ELF kernels by every protocol, and flat Multiboot images: the input patches a well-formed one, or is the file. */
#include "fuzz_image.h"

#define TEXT (2ULL << 20)

enum template { ELF64, ELF64_PVH, ELF32_PVH, ELF32_MULTIBOOT, FLAT_MULTIBOOT, RAW, NR_TEMPLATES };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void build_elf(struct built_image *image, enum template template)
{
	uint8_t text[256] = {0};
	struct built_elf spec = {.is_32 = template == ELF32_PVH || template == ELF32_MULTIBOOT,
				 .entry = TEXT + 128,
				 .segments = {{.paddr = TEXT, .data = text, .filesz = sizeof(text), .memsz = 8192},
					      {.paddr = TEXT + 65536, .data = text, .filesz = 64},
					      {.paddr = 0x40000, .data = text, .filesz = 16, .memsz = 4096}},
				 .nr_segments = 3,
				 .pvh_note_size = template == ELF64_PVH	  ? 8
						  : template == ELF32_PVH ? 4
									  : 0,
				 .pvh_entry = TEXT + 64};

	if (template == ELF32_MULTIBOOT)
		built_multiboot_header(text, 3, NULL);
	built_elf(image, &spec);
}

/* The header is rebuilt with the input's flags and addresses, as a random patch would break its checksum. */
static void build_flat(struct built_image *image, struct fuzz_input *in)
{
	uint32_t addresses[5] = {TEXT, TEXT, TEXT + 512, TEXT + 8192, TEXT + 128};
	size_t offset = (size_t)fuzz_take(in, 1) * 4;

	*image = (struct built_image){.size = 2048};
	for (unsigned changes = (unsigned)fuzz_take(in, 1), i = 0; i < 5; i++)
		if (changes >> i & 1)
			addresses[i] = (uint32_t)fuzz_take(in, 4);
	built_multiboot_header(image->bytes + offset, (uint32_t)fuzz_take(in, 2) | 1U << 16, addresses);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {.data = data, .size = size};
	enum template template = (enum template)(fuzz_take(&in, 1) % NR_TEMPLATES);
	enum image_protocol protocol = (enum image_protocol)(fuzz_take(&in, 1) % 4);
	struct built_image image = {.size = 0};

	if (template == RAW) {
		if (in.size > BUILT_MAX || in.size == 0)
			return -1;
		built_append(&image, in.data, in.size);
	} else if (template == FLAT_MULTIBOOT) {
		build_flat(&image, &in);
	} else {
		build_elf(&image, template);
		fuzz_patch(&image, &in, 512);
	}
	fuzz_load(&image, template == FLAT_MULTIBOOT ? IMAGE_PROTOCOL_MULTIBOOT : protocol);
	return 0;
}
