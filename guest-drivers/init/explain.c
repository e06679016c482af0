/* SPDX-License-Identifier: Apache-2.0 */
#include "explain.h"

#include <linux/elf.h>
#include <string.h>

#include "sys.h"

#define ANY_EXECUTE 0111
#define SCRIPT_MARK "#!"
#define MAX_NAME    256

struct beginning {
	union {
		char bytes[1024];
		Elf64_Ehdr elf;
	};
	size_t len;
	int fd;
};

static bool is_script(const struct beginning *file)
{
	return file->len > 2 && memcmp(file->bytes, SCRIPT_MARK, 2) == 0;
}

static bool is_elf(const struct beginning *file)
{
	return file->len >= sizeof(file->elf) && memcmp(file->bytes, ELFMAG, SELFMAG) == 0;
}

/* The interpreter in a script's first line; false when there is none. */
static bool find_script_interpreter(const struct beginning *file, char name[MAX_NAME])
{
	size_t at = 2, len = 0;

	while (at < file->len && (file->bytes[at] == ' ' || file->bytes[at] == '\t'))
		at++;
	for (; at < file->len && (unsigned char)file->bytes[at] > ' ' && len < MAX_NAME - 1; at++)
		name[len++] = file->bytes[at];
	/* A carriage return is part of the name for the kernel, and the usual reason. */
	if (at < file->len && file->bytes[at] == '\r' && len < MAX_NAME - 1)
		name[len++] = file->bytes[at];
	name[len] = '\0';
	return len > 0;
}

/* The program interpreter of an ELF file (System V ABI, Program Loading): PT_INTERP, if it is described in the file's
 * beginning, as linkers do it. */
static bool find_elf_interpreter(const struct beginning *file, char name[MAX_NAME])
{
	const Elf64_Ehdr *elf = &file->elf;

	for (size_t i = 0; i < elf->e_phnum; i++) {
		Elf64_Phdr segment;
		long len;

		if (elf->e_phoff > file->len || file->len - elf->e_phoff < (i + 1) * sizeof(segment))
			return false;
		memcpy(&segment, file->bytes + elf->e_phoff + i * sizeof(segment), sizeof(segment));
		if (segment.p_type != PT_INTERP)
			continue;
		len = sys_call6(__NR_pread64, file->fd, (long)name, MAX_NAME - 1, (long)segment.p_offset, 0, 0);
		if (len <= 0)
			return false;
		name[len] = '\0';
		return name[0] != '\0';
	}
	return false;
}

static void explain_missing(const struct beginning *file, struct text *text)
{
	char name[MAX_NAME];

	if (!(is_script(file) && find_script_interpreter(file, name)) &&
	    !(is_elf(file) && find_elf_interpreter(file, name))) {
		text_add(text, ": what it needs to run is missing in the guest");
		return;
	}
	if (sys_call3(__NR_access, (long)name, 0, 0) == 0) {
		text_add(text, ": what its interpreter ");
		text_add_name(text, name);
		text_add(text, " needs to run is missing in the guest; add its libraries, or link it statically");
		return;
	}
	text_add(text, ": its interpreter ");
	text_add_name(text, name);
	text_add(text, " is missing in the guest");
	if (name[strlen(name) - 1] == '\r')
		text_add(text, " (the first line ends with a carriage return)");
	else if (is_elf(file))
		text_add(text, "; add the libraries, or link the program statically");
}

static void explain_format(const struct beginning *file, struct text *text)
{
	if (is_script(file))
		text_add(text, ": a script, but the guest's kernel is built without CONFIG_BINFMT_SCRIPT");
	else if (!is_elf(file))
		text_add(text, ": neither a program nor a script with #! in its first line");
	else if (file->elf.e_ident[EI_CLASS] == ELFCLASS32)
		text_add(text, ": a 32-bit program; the guest's kernel would need CONFIG_IA32_EMULATION");
	else if (file->elf.e_machine != EM_X86_64)
		text_add(text, ": a program for another kind of processor");
	else
		text_add(text, ": a damaged program");
}

static void explain_permission(const struct beginning *file, struct text *text)
{
	struct stat st;

	if (sys_fstat(file->fd, &st) != 0)
		return;
	if ((st.st_mode & SYS_KIND) == SYS_FOLDER)
		text_add(text, ": a directory");
	else if (!(st.st_mode & ANY_EXECUTE))
		text_add(text, ": has no permission to be executed (chmod +x)");
	else
		text_add(text, ": its interpreter, or the file system it is on, does not allow it");
}

void explain_refusal(struct sender *sender, const char *path, int error)
{
	struct beginning file = {.len = 0};
	struct text text;
	long len;

	if (!path[0] || (error != ENOENT && error != ENOEXEC && error != EACCES))
		return;
	file.fd = sys_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
	if (file.fd < 0)
		return; /* it is as errno says */
	len = sys_read(file.fd, file.bytes, sizeof(file.bytes));
	file.len = len < 0 ? 0 : (size_t)len;
	text_begin(&text, "");
	text_add_name(&text, path);
	if (error == ENOENT)
		explain_missing(&file, &text);
	else if (error == ENOEXEC)
		explain_format(&file, &text);
	else
		explain_permission(&file, &text);
	sys_close(file.fd);
	sender_note(sender, &text);
}
