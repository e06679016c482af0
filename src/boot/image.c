/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/image.h"

#include <errno.h>
#include <string.h>

#include "boot/boot_tables.h"
#include "boot/bzimage.h"
#include "boot/elf.h"
#include "boot/fdt.h"
#include "boot/image_identify.h"
#include "boot/image_kernel.h"
#include "boot/initrd.h"
#include "boot/layout.h"
#include "boot/linux_params.h"
#include "boot/multiboot.h"
#include "boot/pvh.h"

/* Enough for every signature and for the bzImage magic. */
#define HEAD_SIZE 1024

/* Everything below needs the structures of the first MiB, and a kernel above them. */
#define LEAST_RAM (2ULL << 20)

/* Where Linux wants its initrd at the latest, for a kernel that does not say (boot.rst, initrd_addr_max). */
#define LINUX_INITRD_END  0x80000000ULL
#define LINUX_CMDLINE_MAX 2047 /* COMMAND_LINE_SIZE without the NUL: Linux would cut the rest off silently */

/* What one image_load carries through its steps. */
struct load {
	const struct image_request *req;
	const struct image_source *src;
	struct guest_mem *mem;
	struct error *err;
	enum image_format format;
	struct image_kernel kernel;
	struct initrd_set initrds;
	struct image_handover handover;
};

const char *image_format_name(enum image_format format)
{
	static const char *const names[] = {
		[IMAGE_BZIMAGE] = "bzImage",
		[IMAGE_ELF_LINUX] = "ELF, Linux protocol",
		[IMAGE_ELF_PVH] = "ELF, PVH",
		[IMAGE_MULTIBOOT] = "Multiboot",
	};

	return names[format];
}

static int load_segments(struct load *l, const struct elf_image *elf, enum image_format format, uint64_t entry)
{
	if (!elf_contains(elf, entry))
		return image_source_fail(l->src, l->err, -EINVAL, "has its entry point 0x%llx outside its segments",
					 (unsigned long long)entry);
	l->format = format;
	l->kernel.entry = entry;
	l->kernel.is_linux = elf->is_linux;
	l->kernel.cmdline_max = elf->is_linux ? LINUX_CMDLINE_MAX : LAYOUT_CMDLINE_SIZE - 1;
	l->kernel.initrd_end = format == IMAGE_ELF_LINUX ? LINUX_INITRD_END : GUEST_MMIO_HOLE_START;
	return elf_load(l->src, elf, l->mem, &l->kernel, l->err);
}

static int load_multiboot(struct load *l, const struct multiboot_header *header)
{
	struct elf_image elf;
	int code = multiboot_plan(l->src, header, &elf, l->err);

	return code ? code : load_segments(l, &elf, IMAGE_MULTIBOOT, elf.entry);
}

static int load_forced_multiboot(struct load *l)
{
	struct multiboot_header header;
	int code = multiboot_find(l->src, &header, l->err);

	if (code)
		return code;
	if (!header.found)
		return image_source_fail(l->src, l->err, -ENOEXEC,
					 "has no Multiboot header in its first 8 KiB; use --boot auto");
	return load_multiboot(l, &header);
}

static int load_elf_linux(struct load *l, const struct elf_image *elf)
{
	if (!elf->is_64)
		return image_source_fail(l->src, l->err, -ENOEXEC,
					 "is a 32-bit ELF; --boot linux takes a 64-bit vmlinux or a bzImage");
	return load_segments(l, elf, IMAGE_ELF_LINUX, elf->entry);
}

static int load_elf_pvh(struct load *l, const struct elf_image *elf)
{
	if (!elf->has_pvh_note)
		return image_source_fail(l->src, l->err, -ENOEXEC,
					 "ELF without a PVH note (kernel built without CONFIG_PVH); "
					 "use --boot linux or a bzImage");
	return load_segments(l, elf, IMAGE_ELF_PVH, elf->pvh_entry);
}

static int load_elf_auto(struct load *l, const struct elf_image *elf)
{
	struct multiboot_header header;
	int code;

	if (elf->has_pvh_note)
		return load_elf_pvh(l, elf);
	if (elf->is_64)
		return load_elf_linux(l, elf);
	code = multiboot_find(l->src, &header, l->err);
	if (code)
		return code;
	if (header.found)
		return load_multiboot(l, &header);
	return image_source_fail(
		l->src, l->err, -ENOEXEC,
		"is a 32-bit ELF with neither a PVH note nor a Multiboot header; give a 64-bit vmlinux or a bzImage");
}

static int load_elf(struct load *l)
{
	struct elf_image elf;
	int code = elf_parse(l->src, &elf, l->err);

	if (code)
		return code;
	switch (l->req->protocol) {
	case IMAGE_PROTOCOL_LINUX:
		return load_elf_linux(l, &elf);
	case IMAGE_PROTOCOL_PVH:
		return load_elf_pvh(l, &elf);
	case IMAGE_PROTOCOL_AUTO:
	case IMAGE_PROTOCOL_MULTIBOOT:
		break;
	}
	return load_elf_auto(l, &elf);
}

static int load_bzimage(struct load *l, struct image_info *info)
{
	if (l->req->protocol == IMAGE_PROTOCOL_PVH)
		return image_source_fail(l->src, l->err, -ENOEXEC,
					 "is a bzImage, which has no PVH entry; use --boot linux or its vmlinux");
	l->format = IMAGE_BZIMAGE;
	return bzimage_load(l->src, l->mem, &l->kernel, info, l->err);
}

static int load_kernel(struct load *l, struct image_info *info)
{
	uint8_t head[HEAD_SIZE];
	size_t len = l->src->size < sizeof(head) ? (size_t)l->src->size : sizeof(head);
	int code = image_source_read(l->src, 0, head, len, l->err);

	if (code)
		return code;
	if (l->req->protocol == IMAGE_PROTOCOL_MULTIBOOT)
		return load_forced_multiboot(l);
	if (bzimage_recognise(head, len))
		return load_bzimage(l, info);
	if (elf_recognise(head, len))
		return load_elf(l);
	return image_identify_failure(l->src, head, len, l->err);
}

static int write_cmdline(struct load *l)
{
	const char *cmdline = l->req->cmdline ? l->req->cmdline : "";
	size_t len = strlen(cmdline);

	if (len > l->kernel.cmdline_max)
		return error_set(l->err, -E2BIG, "the kernel command line has %zu bytes; kernel %s takes at most %llu",
				 len, l->src->name, (unsigned long long)l->kernel.cmdline_max);
	return image_write(l->mem, LAYOUT_CMDLINE, cmdline, len + 1, l->err);
}

static int place_initrds(struct load *l)
{
	uint64_t alignment = l->format == IMAGE_MULTIBOOT ? INITRD_ALIGN_MODULE : INITRD_ALIGN_CPIO;
	int code = initrd_load(&l->initrds, l->req->initrds, l->req->nr_initrds, alignment, &l->kernel, l->mem, l->err);

	l->handover.initrd_start = l->initrds.start;
	l->handover.initrd_size = l->initrds.size;
	return code;
}

/* After the initrds: the tree tells where they are. Built in place, no guest runs yet. */
static int write_fdt(struct load *l)
{
	uint8_t *at = guest_mem_ptr(l->mem, gpa(IMAGE_FDT_ADDRESS), IMAGE_FDT_MAX_SIZE);
	int size;

	if (!l->req->machine)
		return 0;
	size = fdt_build(l->req->machine, l->mem, l->req->cmdline ? l->req->cmdline : "", l->initrds.start,
			 l->initrds.size, at, (uint32_t)IMAGE_FDT_MAX_SIZE, l->err);
	if (size < 0)
		return size;
	l->handover.fdt_size = (uint32_t)size;
	return 0;
}

static int write_handover(struct load *l, struct image_entry *entry)
{
	*entry = (struct image_entry){.rip = l->kernel.entry, .rsp = LAYOUT_BOOT_STACK};
	switch (l->format) {
	case IMAGE_BZIMAGE:
	case IMAGE_ELF_LINUX:
		entry->mode = IMAGE_CPU_LONG64;
		entry->rsi = LAYOUT_BOOT_PARAMS;
		return linux_params_write(&l->kernel, &l->handover, l->mem, l->err);
	case IMAGE_ELF_PVH:
		entry->mode = IMAGE_CPU_PROT32;
		entry->rbx = LAYOUT_START_INFO;
		return pvh_write(&l->handover, l->mem, l->err);
	case IMAGE_MULTIBOOT:
		break;
	}
	entry->mode = IMAGE_CPU_PROT32;
	entry->rax = MULTIBOOT_BOOT_MAGIC;
	entry->rbx = LAYOUT_START_INFO;
	return multiboot_write(&l->handover, &l->initrds, l->mem, l->err);
}

static void fill_info(const struct load *l, struct image_info *info)
{
	info->format = l->format;
	info->kernel_start = l->kernel.start;
	info->kernel_end = l->kernel.end;
	info->initrd_start = l->initrds.start;
	info->initrd_size = l->initrds.size;
	info->fdt_start = l->handover.fdt_size ? IMAGE_FDT_ADDRESS : 0;
	info->fdt_size = l->handover.fdt_size;
	info->file_size = l->src->size;
}

int image_load_source(const struct image_source *src, const struct image_request *req, struct guest_mem *mem,
		      struct image_entry *entry, struct image_info *info, struct error *err)
{
	struct load l = {.req = req, .src = src, .mem = mem, .err = err, .handover.rsdp = req->rsdp};
	int code;

	*info = (struct image_info){0};
	if (image_low_ram_end(mem) < LEAST_RAM)
		return error_set(err, -ENOMEM, "the guest's memory is too small for any kernel; use -m 2M or more");
	e820_build(&l.handover.map, mem);
	code = load_kernel(&l, info);
	if (!code)
		code = write_cmdline(&l);
	if (!code)
		code = place_initrds(&l);
	if (!code)
		code = write_fdt(&l);
	if (!code)
		code = write_handover(&l, entry);
	if (!code)
		code = boot_tables_write(mem, entry->mode, err);
	if (!code)
		fill_info(&l, info);
	initrd_close(&l.initrds);
	return code;
}

int image_load(const struct image_request *req, struct guest_mem *mem, struct image_entry *entry,
	       struct image_info *info, struct error *err)
{
	struct image_source src;
	int code = image_source_open(&src, "kernel", req->kernel_path, err);

	if (code)
		return code;
	code = image_load_source(&src, req, mem, entry, info, err);
	image_source_close(&src);
	return code;
}
