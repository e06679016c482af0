/* SPDX-License-Identifier: Apache-2.0 */
/* Whole runs in this process, with guests of a few instructions. test/kvm runs real ones through the program. */
#include "support/tiny_guest.h"

#include "support/need_kvm.h"
#include "vm.h"

/* 64-bit code with a text behind it, which the guest prints on COM1 before it goes on with @tail. */
struct printing_guest {
	uint8_t code[512];
	size_t len;
};

static void build_printing_guest(struct printing_guest *g, const char *text, const void *tail, size_t tail_len)
{
	static const uint8_t print[] = {
		0xfc,					  /* cld */
		0x66, 0xba, 0xf8, 0x03,			  /* mov $0x3f8, %dx */
		0x48, 0x8d, 0x35, 0x00, 0x00, 0x00, 0x00, /* lea text(%rip), %rsi */
		0xb9, 0x00, 0x00, 0x00, 0x00,		  /* mov $len, %ecx */
		0xf3, 0x6e,				  /* rep outsb */
	};
	static const size_t displacement_at = 8, count_at = 13, displacement_from = 12;

	memcpy(g->code, print, sizeof(print));
	memcpy(g->code + sizeof(print), tail, tail_len);
	g->len = sizeof(print) + tail_len;
	store_le32(g->code + displacement_at, (uint32_t)(g->len - displacement_from));
	store_le32(g->code + count_at, (uint32_t)strlen(text));
	assert_true(g->len + strlen(text) <= sizeof(g->code));
	memcpy(g->code + g->len, text, strlen(text));
	g->len += strlen(text);
}

static struct outcome run(struct config *config)
{
	struct vm *vm = malloc(sizeof(*vm));
	struct outcome outcome;
	struct error err;

	assert_non_null(vm);
	assert_int_equal(vm_load(vm, config, monotonic_ns(), &err), 0);
	assert_int_equal(vm_build(vm, &err), 0);
	vm_run(vm, &outcome);
	assert_true(outcome.elapsed_ns > 0);
	vm_destroy(vm);
	free(vm);
	return outcome;
}

static struct config config_for(struct image_files *files, const void *code, size_t len)
{
	return (struct config){.kernel = tiny_guest_create(files, "vmlinux", code, len),
			       .mem_size = 16 << 20,
			       .nr_cpus = 1,
			       .console = CONFIG_CONSOLE_NULL};
}

static void read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, text, size - 1);

	assert_true(len >= 0);
	text[len] = 0;
	close(fd);
}

static const struct {
	uint8_t code[8];
	enum outcome_cause cause;
	uint32_t status;
} endings[] = {
	{{0xb0, 0x2a, 0xe6, 0xf4, 0xf4}, OUTCOME_STATUS, 42},			  /* mov $42, %al; out %al, $0xf4 */
	{{0xb0, 0xfe, 0xe6, 0x64, 0xf4}, OUTCOME_RESET, 0},			  /* out to the i8042 */
	{{0x66, 0xba, 0x00, 0x06, 0xb0, 0x34, 0xee, 0xf4}, OUTCOME_POWER_OFF, 0}, /* ACPI S5 */
	{{0x66, 0xba, 0x05, 0x05, 0xb0, 0x01, 0xee, 0xf4}, OUTCOME_PANIC, 0},	  /* pvpanic */
	{{0x0f, 0x0b}, OUTCOME_TRIPLE_FAULT, 0},				  /* ud2 without an IDT */
};

static void every_ending_is_told_apart(void **state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(endings); i++) {
		struct config config = config_for(*state, endings[i].code, sizeof(endings[i].code));
		struct outcome outcome = run(&config);

		assert_int_equal(outcome.cause, endings[i].cause);
		assert_int_equal(outcome.status, endings[i].status);
	}
}

static void a_timeout_ends_a_guest_that_does_not(void **state)
{
	static const uint8_t loop_for_ever[] = {0xeb, 0xfe};
	struct config config = config_for(*state, loop_for_ever, sizeof(loop_for_ever));

	config.timeout_ns = 30000000;
	config.nr_cpus = 3; /* two of them were never started */
	assert_int_equal(run(&config).cause, OUTCOME_TIMEOUT);
}

static void what_the_guest_printed_is_written_before_the_end(void **state)
{
	static const uint8_t leave[] = {0xb0, 0x00, 0xe6, 0xf4, 0xf4};
	struct image_files *files = *state;
	struct printing_guest guest;
	struct config config;
	char text[64];

	build_printing_guest(&guest, "hello from the guest\n", leave, sizeof(leave));
	config = config_for(files, guest.code, guest.len);
	config.console = CONFIG_CONSOLE_FILE;
	config.console_path = image_files_create(files, "console", "", 0, 0);
	assert_int_equal(run(&config).cause, OUTCOME_STATUS);
	read_text(config.console_path, text, sizeof(text));
	assert_string_equal(text, "hello from the guest\n");
}

/* The kernel prints its panic and then resets: the panic is the reason. */
static void a_reset_after_a_panic_is_the_panic(void **state)
{
	static const uint8_t reset[] = {0xb0, 0xfe, 0xe6, 0x64, 0xf4};
	struct printing_guest guest;
	struct config config;
	struct outcome outcome;

	build_printing_guest(&guest, "Kernel panic - not syncing: out of tea\n", reset, sizeof(reset));
	config = config_for(*state, guest.code, guest.len);
	outcome = run(&config);
	assert_int_equal(outcome.cause, OUTCOME_PANIC);
	assert_string_equal(outcome.detail, "out of tea");
}

/* The guest panics and hangs: it is ended when nothing more comes. */
static void a_panicked_guest_that_hangs_is_ended(void **state)
{
	static const uint8_t hang[] = {0xfa, 0xf4, 0xeb, 0xfd};
	struct printing_guest guest;
	struct config config;

	build_printing_guest(&guest, "Kernel panic - not syncing: stuck\n", hang, sizeof(hang));
	config = config_for(*state, guest.code, guest.len);
	config.timeout_ns = 60000000000;
	assert_int_equal(run(&config).cause, OUTCOME_PANIC);
}

static void a_halted_guest_that_says_so_is_ended(void **state)
{
	static const uint8_t hang[] = {0xfa, 0xf4, 0xeb, 0xfd};
	struct printing_guest guest;
	struct config config;

	build_printing_guest(&guest, "reboot: System halted\n", hang, sizeof(hang));
	config = config_for(*state, guest.code, guest.len);
	config.nr_cpus = 2;
	config.timeout_ns = 60000000000;
	assert_int_equal(run(&config).cause, OUTCOME_HALTED);
}

static const char *expect_after(const char *text, const char *part)
{
	const char *at = strstr(text, part);

	if (!at)
		fail_msg("\"%s\" is not in: %s", part, text);
	return at;
}

static void events_come_in_order(void **state)
{
	static const uint8_t leave[] = {0xb0, 0x07, 0xe6, 0xf4, 0xf4};
	struct image_files *files = *state;
	struct printing_guest guest;
	struct config config;
	char text[4096];
	const char *at;

	build_printing_guest(&guest, "hello\n", leave, sizeof(leave));
	config = config_for(files, guest.code, guest.len);
	config.events = image_files_create(files, "events", "", 0, 0);
	run(&config);
	read_text(config.events, text, sizeof(text));
	at = expect_after(text, "{\"event\":\"started\",");
	assert_ptr_equal(at, text);
	at = expect_after(at, "{\"event\":\"first-instruction\",");
	at = expect_after(at, "{\"event\":\"console-up\",");
	at = expect_after(at, "{\"event\":\"exit\",");
	at = expect_after(at, "\"cause\":\"status\",\"code\":7,");
	at = expect_after(at, "\"console-bytes\":6");
	assert_string_equal(strchr(at, '\n'), "\n"); /* the last line */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		image_files_test(every_ending_is_told_apart),
		image_files_test(a_timeout_ends_a_guest_that_does_not),
		image_files_test(what_the_guest_printed_is_written_before_the_end),
		image_files_test(a_reset_after_a_panic_is_the_panic),
		image_files_test(a_panicked_guest_that_hangs_is_ended),
		image_files_test(a_halted_guest_that_says_so_is_ended),
		image_files_test(events_come_in_order),
	};
	int missing = without_kvm();

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
