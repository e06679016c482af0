/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/image_identify.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"

#define BYTES(text) text, sizeof(text) - 1

/* In this order: an EFI-stub kernel for another machine also begins with MZ. */
static const struct {
	size_t offset;
	const char *bytes;
	size_t length;
	const char *is;
} signatures[] = {
	{0x38, BYTES("ARM\x64"), "is an arm64 Linux Image; vmm runs x86-64"},
	{0x38, BYTES("RSC\x05"), "is a RISC-V Linux Image; vmm runs x86-64"},
	{0x38, BYTES("\xcd\x23\x82\x81"), "is a LoongArch Linux Image; vmm runs x86-64"},
	{0x24, BYTES("\x18\x28\x6f\x01"), "is an Arm zImage; vmm runs x86-64"},
	{0, BYTES("MZ"),
	 "is an EFI program without a Linux boot header; of a unified kernel image take the kernel out: "
	 "objcopy -O binary -j .linux"},
	{0, BYTES("\x1f\x8b"), "is gzip-compressed; decompress it first (gunzip)"},
	{0,
	 BYTES("\xfd"
	       "7zXZ"),
	 "is xz-compressed; decompress it first (unxz)"},
	{0, BYTES("\x28\xb5\x2f\xfd"), "is zstd-compressed; decompress it first (unzstd)"},
	{0, BYTES("\x02\x21\x4c\x18"), "is lz4-compressed; decompress it first (unlz4)"},
	{0, BYTES("\x04\x22\x4d\x18"), "is lz4-compressed; decompress it first (unlz4)"},
	{0, BYTES("BZh"), "is bzip2-compressed; decompress it first (bunzip2)"},
	{0, BYTES("#!"), "is a script, not a kernel; give a bzImage or a vmlinux"},
	{0, BYTES("07070"), "is a cpio archive, not a kernel; give an initrd with --initrd"},
	{0, BYTES("QFI\xfb"), "is a qcow2 disk image, not a kernel; give a bzImage or a vmlinux"},
	{0, BYTES("\x27\x05\x19\x56"), "is a U-Boot uImage; take the bzImage instead"},
	{0, BYTES("\xd0\x0d\xfe\xed"), "is a device tree or FIT image, not a kernel; give a bzImage or a vmlinux"},
	{0, BYTES("!<arch>\n"), "is an archive (.a or .deb); give the bzImage or vmlinux in it"},
	{0x1fe, BYTES("\x55\xaa"),
	 "has a boot sector but no Linux header: a disk image, or a kernel older than Linux 1.3"},
};

int image_identify_failure(const struct image_source *src, const uint8_t *head, size_t len, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++)
		if (range_within(signatures[i].offset, signatures[i].length, len) &&
		    memcmp(head + signatures[i].offset, signatures[i].bytes, signatures[i].length) == 0)
			return image_source_fail(src, err, -ENOEXEC, "%s", signatures[i].is);
	return image_source_fail(src, err, -ENOEXEC,
				 "is not a kernel image: neither bzImage nor ELF; give a bzImage or a vmlinux");
}
