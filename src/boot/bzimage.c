/* SPDX-License-Identifier: Apache-2.0 */
/* Linux x86 boot protocol 2.08 and later; section names are those of Documentation/arch/x86/boot.rst. */
#include "boot/bzimage.h"

#include <asm/bootparam.h>
#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"
#include "boot/decompress.h"
#include "boot/elf.h"
#include "boot/layout.h"

#define SECTOR_SIZE	     512ULL
#define BOOT_FLAG_OFFSET     0x1fe
#define BOOT_FLAG	     0xaa55
#define MAGIC_OFFSET	     0x202
#define MAGIC		     0x53726448U /* "HdrS" */
#define HEADER_LENGTH_OFFSET 0x201	 /* counts from MAGIC_OFFSET */
#define VERSION_PAYLOAD	     0x208	 /* payload_offset and _length */
#define VERSION_PREF_ADDRESS 0x20a	 /* pref_address and init_size */
#define VERSION_XLOADFLAGS   0x20c
#define DEFAULT_SETUP_SECTS  4
#define KERNEL_VERSION_BASE  0x200ULL
#define ENTRY64_OFFSET	     0x200ULL
#define PAYLOAD_LIMIT	     (1ULL << 30)

/* The setup header's fields that matter, and where the parts of the file lie. */
struct setup {
	uint16_t version;
	uint16_t kernel_version;
	uint16_t xloadflags;
	uint32_t cmdline_size;
	uint32_t initrd_addr_max;
	uint64_t pref_address;
	uint32_t init_size;
	uint64_t code; /* file offset and size of the protected-mode part */
	uint64_t code_size;
	uint64_t payload; /* file offset */
	uint64_t payload_size;
};

bool bzimage_recognise(const uint8_t *head, size_t len)
{
	return len >= MAGIC_OFFSET + sizeof(uint32_t) && load_le16(head + BOOT_FLAG_OFFSET) == BOOT_FLAG &&
	       load_le32(head + MAGIC_OFFSET) == MAGIC;
}

/* Copies the header, whose length byte must not take us out of its room in boot_params. */
static int read_header(const struct image_source *src, uint8_t header[IMAGE_SETUP_HEADER_SIZE], struct error *err)
{
	uint8_t length;
	uint64_t end;
	int code = image_source_read(src, HEADER_LENGTH_OFFSET, &length, sizeof(length), err);

	if (code)
		return code;
	end = MAGIC_OFFSET + (uint64_t)length;
	if (end > IMAGE_SETUP_HEADER_END)
		end = IMAGE_SETUP_HEADER_END;
	memset(header, 0, IMAGE_SETUP_HEADER_SIZE);
	return image_source_read(src, IMAGE_SETUP_HEADER_START, header, end - IMAGE_SETUP_HEADER_START, err);
}

#define FIELD(name) (header + offsetof(struct setup_header, name))

static int parse_header(const struct image_source *src, const uint8_t *header, struct setup *setup, struct error *err)
{
	uint64_t sectors = *FIELD(setup_sects) ? *FIELD(setup_sects) : DEFAULT_SETUP_SECTS;

	*setup = (struct setup){.version = load_le16(FIELD(version))};
	if (setup->version < VERSION_PAYLOAD)
		return image_source_fail(src, err, -ENOEXEC,
					 "speaks Linux boot protocol %u.%02u; 2.08 (Linux 2.6.26) or later is needed",
					 setup->version >> 8, setup->version & 0xff);
	setup->kernel_version = load_le16(FIELD(kernel_version));
	setup->cmdline_size = load_le32(FIELD(cmdline_size));
	setup->initrd_addr_max = load_le32(FIELD(initrd_addr_max));
	if (setup->version >= VERSION_PREF_ADDRESS) {
		setup->pref_address = load_le64(FIELD(pref_address));
		setup->init_size = load_le32(FIELD(init_size));
	}
	if (setup->version >= VERSION_XLOADFLAGS)
		setup->xloadflags = load_le16(FIELD(xloadflags));
	setup->code = (sectors + 1) * SECTOR_SIZE;
	setup->code_size = load_le32(FIELD(syssize)) * 16ULL;
	setup->payload = setup->code + load_le32(FIELD(payload_offset));
	setup->payload_size = load_le32(FIELD(payload_length));
	return 0;
}

/* Signatures may follow the protected-mode part; nothing of it may lack. */
static int check_parts(const struct image_source *src, const struct setup *setup, struct error *err)
{
	if (!range_within(setup->code, setup->code_size, src->size))
		return image_source_fail(
			src, err, -EINVAL, "is truncated: its header tells of %llu bytes, the file has %llu",
			(unsigned long long)(setup->code + setup->code_size), (unsigned long long)src->size);
	if (setup->code_size <= ENTRY64_OFFSET)
		return image_source_fail(src, err, -EINVAL, "is damaged: its header tells of %llu bytes of kernel code",
					 (unsigned long long)setup->code_size);
	if (!range_within(setup->payload - setup->code, setup->payload_size, setup->code_size))
		return image_source_fail(src, err, -EINVAL, "is damaged: its payload reaches behind its kernel code");
	return 0;
}

/* The version string, up to the first byte that a terminal could mistake for a command. */
static int read_version(const struct image_source *src, const struct setup *setup, struct image_info *info,
			struct error *err)
{
	uint64_t offset = setup->kernel_version + KERNEL_VERSION_BASE;
	size_t len = sizeof(info->version) - 1;
	int code;

	info->version[0] = '\0';
	if (!setup->kernel_version || offset >= setup->code)
		return 0;
	if (len > setup->code - offset)
		len = setup->code - offset;
	code = image_source_read(src, offset, info->version, len, err);
	for (size_t i = 0; i < len && !code; i++)
		if (info->version[i] < ' ' || info->version[i] > '~')
			len = i;
	info->version[code ? 0 : len] = '\0';
	return code;
}

static int recognise_payload(const struct image_source *src, const struct setup *setup, enum decompress_format *format,
			     struct error *err)
{
	uint8_t head[DECOMPRESS_MAGIC_SIZE];
	size_t len = setup->payload_size < sizeof(head) ? setup->payload_size : sizeof(head);
	int code = image_source_read(src, setup->payload, head, len, err);

	*format = code ? DECOMPRESS_UNKNOWN : decompress_recognise(head, len);
	return code;
}

static int load_vmlinux(const struct image_source *src, const struct guest_mem *mem, struct image_kernel *kernel,
			struct error *err)
{
	uint8_t head[4] = {0};
	struct elf_image elf;
	int code = image_source_read(src, 0, head, sizeof(head), err);

	if (code)
		return code;
	if (!elf_recognise(head, sizeof(head)))
		return image_source_fail(src, err, -EINVAL, "is not an ELF vmlinux");
	code = elf_parse(src, &elf, err);
	if (code)
		return code;
	if (!elf.is_64)
		return image_source_fail(src, err, -ENOEXEC, "is a 32-bit Linux; vmm runs 64-bit ones");
	if (!elf_contains(&elf, elf.entry))
		return image_source_fail(src, err, -EINVAL, "has its entry point 0x%llx outside its segments",
					 (unsigned long long)elf.entry);
	kernel->entry = elf.entry;
	return elf_load(src, &elf, mem, kernel, err);
}

static int load_payload(const struct image_source *src, const struct setup *setup, enum decompress_format format,
			const struct guest_mem *mem, struct image_kernel *kernel, struct error *err)
{
	uint64_t limit = mem->ram_size < PAYLOAD_LIMIT ? mem->ram_size : PAYLOAD_LIMIT;
	struct decompress_buffer buffer;
	struct image_source payload;
	int code = decompress_run(format, src, setup->payload, setup->payload_size, limit, &buffer, err);

	if (code)
		return code;
	payload = image_source_memory("payload of kernel", src->name, buffer.data, buffer.size);
	code = load_vmlinux(&payload, mem, kernel, err);
	decompress_free(&buffer);
	return code;
}

/* A payload that is an ELF already: the same file, seen from the payload on. */
static int load_plain(const struct image_source *src, const struct setup *setup, const struct guest_mem *mem,
		      struct image_kernel *kernel, struct error *err)
{
	struct image_source payload = *src;

	payload.what = "payload of kernel";
	payload.base += setup->payload;
	payload.size = setup->payload_size;
	return load_vmlinux(&payload, mem, kernel, err);
}

/* "64-bit BOOT PROTOCOL": the image's own start, 0x200 behind where it is loaded, decompresses the payload. It moves
 * itself up to pref_address when it is loaded lower, so that there is no other place worth trying. */
static int load_decompressor(const struct image_source *src, const struct setup *setup, const struct guest_mem *mem,
			     struct image_kernel *kernel, struct error *err)
{
	uint64_t size = setup->init_size > setup->code_size ? setup->init_size : setup->code_size;
	int code;

	if (!(setup->xloadflags & XLF_KERNEL_64))
		return image_source_fail(src, err, -ENOEXEC,
					 "has a payload of unknown compression and no 64-bit entry; build it with "
					 "gzip, xz, zstd or lz4");
	kernel->start = setup->pref_address;
	if (kernel->start < LAYOUT_HIGH_MEM || kernel->start % GUEST_PAGE_SIZE)
		kernel->start = LAYOUT_HIGH_MEM;
	code = image_check_range(src, mem, kernel->start, size, err);
	if (code)
		return code;
	kernel->end = kernel->start + size;
	kernel->working_end = kernel->end;
	kernel->entry = kernel->start + ENTRY64_OFFSET;
	return image_source_load(src, setup->code, setup->code_size, mem, gpa(kernel->start), err);
}

static void take_limits(const struct setup *setup, struct image_kernel *kernel)
{
	uint64_t working_end = kernel->start + setup->init_size;

	if (working_end > kernel->working_end)
		kernel->working_end = working_end;
	kernel->initrd_end = setup->initrd_addr_max + 1ULL;
	kernel->is_linux = true;
	kernel->cmdline_max = setup->cmdline_size < LAYOUT_CMDLINE_SIZE ? setup->cmdline_size : LAYOUT_CMDLINE_SIZE - 1;
}

int bzimage_load(const struct image_source *src, const struct guest_mem *mem, struct image_kernel *kernel,
		 struct image_info *info, struct error *err)
{
	enum decompress_format format = DECOMPRESS_UNKNOWN;
	struct setup setup;
	int code = read_header(src, kernel->setup_header, err);

	if (!code)
		code = parse_header(src, kernel->setup_header, &setup, err);
	if (!code)
		code = check_parts(src, &setup, err);
	if (!code)
		code = read_version(src, &setup, info, err);
	if (!code)
		code = recognise_payload(src, &setup, &format, err);
	if (code)
		return code;
	kernel->has_setup_header = true;
	info->payload = decompress_format_name(format);
	info->entered_in_image = format == DECOMPRESS_UNKNOWN;
	if (format == DECOMPRESS_UNKNOWN)
		code = load_decompressor(src, &setup, mem, kernel, err);
	else if (format == DECOMPRESS_NONE)
		code = load_plain(src, &setup, mem, kernel, err);
	else
		code = load_payload(src, &setup, format, mem, kernel, err);
	if (!code)
		take_limits(&setup, kernel);
	return code;
}
