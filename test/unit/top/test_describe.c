/* SPDX-License-Identifier: Apache-2.0 */
#include "support/tiny_guest.h"

#include "describe.h"

static void describe(const struct config *config, char *text, size_t size)
{
	struct vm *vm = malloc(sizeof(*vm));
	FILE *to = fmemopen(text, size, "w");
	struct error err;

	assert_non_null(vm);
	assert_non_null(to);
	assert_int_equal(vm_load(vm, config, 0, &err), 0);
	describe_machine(vm, to);
	assert_int_equal(fclose(to), 0);
	vm_destroy(vm);
	free(vm);
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void the_machine_is_described(void **state)
{
	struct image_files *files = *state;
	struct config config = {
		.mem_size = 64 << 20, .nr_cpus = 3, .cmdline = "console=ttyS0 quiet", .assist = ASSIST_ON};
	char text[4096];

	config.kernel = tiny_guest_create(files, "vmlinux", "\xf4", 1);
	describe(&config, text, sizeof(text));
	assert_has(text, config.kernel);
	assert_has(text, "(ELF");
	assert_has(text, "loaded    0x100000-0x");
	assert_has(text, "entry     0x100000, 64-bit");
	assert_has(text, "cmdline     console=ttyS0 quiet\n");
	assert_has(text, "memory      64M\n");
	assert_has(text, "ram       0x000000000-0x00009c000\n");
	assert_has(text, "ram       0x000100000-0x004000000\n");
	assert_has(text, "reserved");
	assert_has(text, "vcpus       3\n");
	assert_has(text, "back end    ");
	assert_has(text, "assist      on\n");
	assert_has(text, "port 0x3f8  com1 (console), irq 4\n");
	assert_has(text, "port 0x0f4  exit port\n");
	assert_has(text, "0xfec00000  ioapic");
	assert_null(strstr(text, "initrd"));
}

static void initrds_and_the_assist_are_described_when_they_matter(void **state)
{
	struct image_files *files = *state;
	struct config config = {.mem_size = 5ULL << 30, .nr_cpus = 1, .assist = ASSIST_OFF};
	static const char initrd[4096] = "070701";
	char text[4096];

	config.kernel = tiny_guest_create(files, "vmlinux", "\xf4", 1);
	config.initrds[0].path = image_files_create(files, "initrd", initrd, sizeof(initrd), 0);
	config.nr_initrds = 1;
	describe(&config, text, sizeof(text));
	assert_has(text, "initrd      0x");
	assert_has(text, "4K, a newc cpio that is damaged at offset 0\n");
	assert_has(text, "assist      off\n");
	assert_has(text, "memory      5G\n");
	assert_has(text, "ram       0x100000000-0x180000000\n"); /* above the hole */
}

static void what_linux_finds_in_an_initrd_is_described(void **state)
{
	/* One entry, "init", without data; 13 fields of 8 hexadecimal digits, of which the 12th is the name's size. */
	static const char init[] =
		"070701"
		"00000001"
		"000081ed"
		"00000000"
		"00000000"
		"00000001"
		"00000000"
		"00000000"
		"00000000"
		"00000000"
		"00000000"
		"00000000"
		"00000005"
		"00000000"
		"init\0";
	static const char gzip[64] = "\x1f\x8b";
	struct image_files *files = *state;
	struct config config = {.mem_size = 64ULL << 20, .nr_cpus = 1};
	char text[4096];

	config.kernel = tiny_guest_create(files, "vmlinux", "\xf4", 1);
	config.initrds[0].path = image_files_create(files, "init.cpio", init, sizeof(init), 0);
	config.nr_initrds = 1;
	describe(&config, text, sizeof(text));
	assert_has(text, "newc cpio of 1 entries, with /init\n");
	config.initrds[0].path = image_files_create(files, "initrd.gz", gzip, sizeof(gzip), 0);
	describe(&config, text, sizeof(text));
	assert_has(text, "no newc cpio: compressed, or a disk image\n");
}

static void a_command_is_described_as_a_shell_would_take_it(void **state)
{
	struct image_files *files = *state;
	char sh[] = "sh", option[] = "-c", script[] = "echo 'a b'";
	char *const words[] = {sh, option, script};
	struct config config = {.mem_size = 64ULL << 20, .nr_cpus = 1};
	char text[4096];

	config.kernel = tiny_guest_create(files, "vmlinux", "\xf4", 1);
	describe(&config, text, sizeof(text));
	assert_null(strstr(text, "channel window"));
	config.initrds[0].path = image_files_create(files, "initrd", "x", 1, 0);
	config.nr_initrds = 1;
	config.command.arguments = words;
	config.command.nr_arguments = 3;
	describe(&config, text, sizeof(text));
	assert_null(strstr(text, "without /init")); /* none is needed */
	assert_has(text, "command     'sh' '-c' 'echo '\\''a b'\\'''\n");
	assert_has(text, "0xcf000000  channel window, port 0x620 its doorbell\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		image_files_test(a_command_is_described_as_a_shell_would_take_it),
		image_files_test(the_machine_is_described),
		image_files_test(initrds_and_the_assist_are_described_when_they_matter),
		image_files_test(what_linux_finds_in_an_initrd_is_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
