/* SPDX-License-Identifier: Apache-2.0 */
/* What each boot protocol hands over, as the guest sees it, against what was asked for and what --dry-run says. */
#include "kvm_test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct image {
	const char *guest;
	const char *protocol;
	bool has_tables; /* ACPI and a device tree are part of the hand-over */
};

static const struct image images[] = {
	{"guest-pvh", "pvh", true},
	{"guest-pvh32", "pvh", true},
	{"guest-multiboot", "multiboot", false},
	{"guest-linux", "linux", true},
};

#define NR_IMAGES (sizeof(images) / sizeof(images[0]))
#define INFO	  "test=boot-info"

static bool has_line(const struct run_result *r, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = r->out.bytes; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, line, len) == 0 && at[len] == '\n')
			return true;
		if (!*at)
			return false;
	}
	return false;
}

static void expect_line(const struct run_result *r, const char *line)
{
	if (!has_line(r, line))
		print_error("no line \"%s\" in:\n%s", line, r->out.bytes);
	assert_true(has_line(r, line));
}

static void every_protocol_hands_over_the_command_line_and_tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_IMAGES; i++) {
		struct run_result r;
		char line[64];

		run_words(&r, "run", run_guest(images[i].guest), "-m", "16M", "--cmdline", "quiet", "-a", INFO, "-a",
			  "last word", NULL);
		run_expect(&r, 0, "vmm: guest exited with status 0 *");
		snprintf(line, sizeof(line), "protocol %s", images[i].protocol);
		expect_line(&r, line);
		expect_line(&r, "cmdline quiet " INFO " last word");
		if (images[i].has_tables) {
			expect_line(&r, "fdt ok");
			expect_line(&r, "rsdp ok");
		}
		assert_null(strstr(r.out.bytes, "module "));
		run_free(&r);
	}
}

/* "ram 0x0 0x9c000" for each "  ram       0x000000000-0x00009c000" of --dry-run, in order, and nothing else. */
static void expect_map(const char *guest_says, const char *dry_run_says)
{
	char expected[4096] = "", got[4096] = "", kind[16];
	uint64_t start, end;
	size_t e = 0, g = 0;

	for (const char *at = strstr(dry_run_says, "\nmemory"); at; at = strchr(at + 1, '\n'))
		if (sscanf(at, "\n  %15s 0x%" SCNx64 "-0x%" SCNx64, kind, &start, &end) == 3)
			e += (size_t)snprintf(expected + e, sizeof(expected) - e, "%s %" PRIx64 " %" PRIx64 "\n", kind,
					      start, end);
	for (const char *at = guest_says; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (sscanf(at, "%15s 0x%" SCNx64 " 0x%" SCNx64, kind, &start, &end) == 3 &&
		    (strcmp(kind, "ram") == 0 || strcmp(kind, "reserved") == 0))
			g += (size_t)snprintf(got + g, sizeof(got) - g, "%s %" PRIx64 " %" PRIx64 "\n", kind, start,
					      end);
	}
	assert_true(e > 0);
	assert_string_equal(got, expected);
}

static void memory_map_is_the_one_of_the_dry_run(void **state)
{
	static const char *const sizes[] = {"2M", "16M", "256M", "3G", "5G"};

	(void)state;
	for (size_t i = 0; i < NR_IMAGES; i++)
		for (size_t s = 0; s < 5; s++) {
			struct run_result guest, dry;

			run_words(&guest, "run", run_guest(images[i].guest), "-m", sizes[s], "-a", INFO, NULL);
			run_expect_status(&guest, 0);
			run_words(&dry, "run", run_guest(images[i].guest), "-m", sizes[s], "-a", INFO, "--dry-run",
				  NULL);
			run_expect_status(&dry, 0);
			assert_int_equal(dry.err.len, 0);
			expect_map(guest.out.bytes, dry.out.bytes);
			run_free(&guest);
			run_free(&dry);
		}
}

static void initrds_arrive_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_IMAGES; i++) {
		struct run_result r;

		run_write_file("first", "first initrd", 12);
		run_write_file("second", "second", 6);
		run_words(&r, "run", run_guest(images[i].guest), "-m", "16M", "-a", INFO, "-i", "first", "--initrd",
			  "second", NULL);
		run_expect_status(&r, 0);
		if (strcmp(images[i].protocol, "multiboot") == 0) {
			expect_line(&r, "module 12 first first initrd");
			expect_line(&r, "module 6 second second");
		} else {
			/* Padded to 4 bytes, as concatenated cpio archives want it; 12 needs none. */
			expect_line(&r, "module 18 - first initrdsecond");
		}
		run_free(&r);
		assert_int_equal(unlink(run_path("first")) | unlink(run_path("second")), 0);
	}
}

static void initrd_of_odd_length_is_padded_before_the_next(void **state)
{
	struct run_result r;

	(void)state;
	run_write_file("first", "12345", 5);
	run_write_file("second", "abc", 3);
	run_words(&r, GUEST("boot-info"), "-i", "first", "-i", "second", NULL);
	run_expect_status(&r, 0);
	expect_line(&r, "module 11 - 12345???abc");
	run_free(&r);
}

static void chosen_protocol_wins_over_the_note(void **state)
{
	struct run_result r;

	(void)state;
	run_words(&r, "run", run_guest("guest-linux"), "--boot", "linux", "-a", INFO, NULL);
	run_expect_status(&r, 0);
	expect_line(&r, "protocol linux");
	run_free(&r);
	run_words(&r, "run", run_guest("guest-multiboot"), "--boot", "multiboot", "-a", INFO, NULL);
	run_expect_status(&r, 0);
	expect_line(&r, "protocol multiboot");
	run_free(&r);
}

static void dry_run_describes_the_machine_and_starts_nothing(void **state)
{
	static const char *const facts[] = {"kernel ",	    "entry ",	  "memory  ", "vcpus       3\n",
					    "cmdline     ", "port 0x3f8", "initrd  "};
	struct run_result r;

	(void)state;
	run_write_file("initrd", "content", 7);
	run_words(&r, "run", run_guest("guest-pvh"), "-c", "3", "-i", "initrd", "--dry-run", NULL);
	run_expect_status(&r, 0);
	assert_int_equal(r.err.len, 0);
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		assert_non_null(strstr(r.out.bytes, facts[i]));
	run_free(&r);
}

static void device_tree_is_accepted_by_dtc(void **state)
{
	struct run_request to_file = {
		.words = {"run", run_guest("guest-pvh"), "-c", "2", "-m", "5G", "--dump-fdt", "fdt"}, .creates = 1};
	struct run_result r;
	char command[512], *file;
	size_t len;

	(void)state;
	run_one(&to_file, &r);
	run_expect_status(&r, 0);
	assert_int_equal(r.out.len + r.err.len, 0);
	run_free(&r);
	run_words(&r, "run", run_guest("guest-pvh"), "-c", "2", "-m", "5G", "--dump-fdt", "-", NULL);
	run_expect_status(&r, 0);
	file = run_read_file("fdt", &len);
	assert_int_equal(r.out.len, len);
	assert_memory_equal(r.out.bytes, file, len);
	free(file);
	run_free(&r);
	if (system("command -v dtc >/dev/null") != 0) {
		print_message("SKIPPED dtc is not installed\n");
		skip();
	}
	snprintf(command, sizeof(command), "dtc -q -I dtb -O dts -o %s %s", run_path("dts"), run_path("fdt"));
	assert_int_equal(system(command), 0);
	file = run_read_file("dts", NULL);
	assert_non_null(strstr(file, "cpu@1"));
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(every_protocol_hands_over_the_command_line_and_tables),
		IN_SCRATCH(memory_map_is_the_one_of_the_dry_run),
		IN_SCRATCH(initrds_arrive_in_order),
		IN_SCRATCH(initrd_of_odd_length_is_padded_before_the_next),
		IN_SCRATCH(chosen_protocol_wins_over_the_note),
		IN_SCRATCH(dry_run_describes_the_machine_and_starts_nothing),
		IN_SCRATCH(device_tree_is_accepted_by_dtc),
	};
	int missing = run_require_kvm("test_boot");

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
