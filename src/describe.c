/* SPDX-License-Identifier: Apache-2.0 */
#include "describe.h"

#include <inttypes.h>
#include <string.h>

#include "base/cpio.h"
#include "base/parse.h"
#include "boot/e820.h"
#include "x86/cpuid.h"

static const char *size_text(uint64_t bytes, char buf[32])
{
	return format_size(bytes, buf, 32);
}

static bool is_init(const char *name)
{
	return strcmp(name, "init") == 0 || strcmp(name, "./init") == 0 || strcmp(name, "/init") == 0;
}

/* What Linux will find in it, as far as it can be seen without decompressing. */
static void describe_initrd(const struct vm *vm, FILE *to)
{
	const struct image_info *i = &vm->image;
	const uint8_t *data = guest_mem_ptr(&vm->mem, gpa(i->initrd_start), i->initrd_size);
	struct cpio_entry entry;
	bool has_init = false;
	unsigned entries = 0;
	struct cpio cpio;
	char size[32];
	int more;

	fprintf(to, "initrd      0x%" PRIx64 ", %s", i->initrd_start, size_text(i->initrd_size, size));
	cpio_init(&cpio, data, i->initrd_size);
	while ((more = cpio_next(&cpio, &entry)) > 0) {
		entries++;
		has_init = has_init || is_init(entry.name);
	}
	if (more < 0)
		fprintf(to, ", a newc cpio that is damaged at offset %" PRIu64, cpio.offset);
	else if (entries && vm->config->command.nr_arguments) /* which brings its own init */
		fprintf(to, ", newc cpio of %u entries", entries);
	else if (entries)
		fprintf(to, ", newc cpio of %u entries, %s /init", entries, has_init ? "with" : "without");
	if (more == 0 && cpio.offset < i->initrd_size)
		fprintf(to, "%s", entries ? ", then compressed data" : ", no newc cpio: compressed, or a disk image");
	fprintf(to, "\n");
}

static void describe_kernel(const struct vm *vm, FILE *to)
{
	const struct image_info *i = &vm->image;
	char size[32];

	fprintf(to, "kernel      %s (%s", vm->config->kernel, image_format_name(i->format));
	if (i->payload)
		fprintf(to, ", payload %s", i->payload);
	fprintf(to, ", %s)\n", size_text(i->file_size, size));
	if (i->version[0])
		fprintf(to, "  version   %s\n", i->version);
	fprintf(to, "  loaded    0x%" PRIx64 "-0x%" PRIx64 "\n", i->kernel_start, i->kernel_end);
	fprintf(to, "  entry     0x%" PRIx64 ", %s\n", vm->entry.rip,
		vm->entry.mode == IMAGE_CPU_LONG64 ? "64-bit" : "32-bit protected mode");
	if (i->initrd_size)
		describe_initrd(vm, to);
	fprintf(to, "cmdline     %s\n", vm->config->cmdline);
}

static void describe_memory(const struct vm *vm, FILE *to)
{
	struct e820_map map;
	char size[32];

	fprintf(to, "memory      %s\n", size_text(vm->mem.ram_size, size));
	e820_build(&map, &vm->mem);
	for (unsigned i = 0; i < map.count; i++)
		fprintf(to, "  %-9s 0x%09" PRIx64 "-0x%09" PRIx64 "\n",
			map.entries[i].type == E820_RAM ? "ram" : "reserved", map.entries[i].base,
			map.entries[i].base + map.entries[i].size);
}

/* As a shell would take it. */
static void print_word(const char *word, FILE *to)
{
	fputs(" '", to);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", to);
		else
			fputc(*word, to);
	}
	fputc('\'', to);
}

static void describe_command(const struct vm *vm, FILE *to)
{
	const struct config_command *command = &vm->config->command;

	if (!command->nr_arguments)
		return;
	fprintf(to, "command    ");
	for (unsigned i = 0; i < command->nr_arguments; i++)
		print_word(command->arguments[i], to);
	fprintf(to, "\n            0x%08llx  channel window, port 0x%03x its doorbell\n", LAYOUT_COMMAND_WINDOW,
		LAYOUT_COMMAND_PORT);
}

static void describe_devices(FILE *to)
{
	fprintf(to, "devices     port 0x%03x  com1 (console), irq %d\n", LAYOUT_COM1_PORT, LAYOUT_COM1_GSI);
	fprintf(to, "            port 0x%03x  com2, irq %d\n", LAYOUT_COM2_PORT, LAYOUT_COM2_GSI);
	fprintf(to, "            port 0x%03x  i8042 (reset only)\n", LAYOUT_I8042_PORT);
	fprintf(to, "            port 0x%03x  rtc\n", LAYOUT_RTC_PORT);
	fprintf(to, "            port 0x%03x  exit port\n", LAYOUT_EXIT_PORT);
	fprintf(to, "            port 0x%03x  pvpanic\n", LAYOUT_PVPANIC_PORT);
	fprintf(to, "            port 0x%03x  ACPI sleep and reset\n", LAYOUT_ACPI_SLEEP_PORT);
	fprintf(to, "            0x%08llx  ioapic, 0x%08llx lapic (in the kernel)\n", LAYOUT_IOAPIC, LAYOUT_LAPIC);
}

void describe_machine(const struct vm *vm, FILE *to)
{
	describe_kernel(vm, to);
	describe_memory(vm, to);
	fprintf(to, "vcpus       %u\n", vm->config->nr_cpus);
	fprintf(to, "back end    %s\n",
		cpuid_host_has_hardware_virtualization() ? "hardware virtualization"
							 : "emulator-assisted (the CPU shows neither VMX nor SVM)");
	fprintf(to, "assist      %s\n", assist_is_wanted(vm->config->assist) ? "on" : "off");
	describe_devices(to);
	describe_command(vm, to);
}
