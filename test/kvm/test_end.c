/* SPDX-License-Identifier: Apache-2.0 */
/* Every way in which a guest ends: the exit status and the last line that says why. */
#include "kvm_test.h"

#include <string.h>

struct ending {
	const char *append;
	int status;
	const char *last_line;
};

static void check_endings(const struct ending *endings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct run_result r;

		run_words(&r, "run", run_guest("guest-pvh"), "-m", "16M", "-a", endings[i].append, NULL);
		run_expect(&r, endings[i].status, endings[i].last_line);
		assert_int_equal(r.err_lines, 1);
		run_free(&r);
	}
}

static void exit_port_gives_the_status(void **state)
{
	static const struct ending endings[] = {
		{"test=exit8 value=0", 0, "vmm: guest exited with status 0 after *s (exit 0)"},
		{"test=exit8 value=1", 1, "vmm: guest exited with status 1 after *s (exit 1)"},
		{"test=exit8 value=77", 77, "vmm: guest exited with status 77 after *s (exit 77)"},
		{"test=exit16 value=123", 123, "vmm: guest exited with status 123 after *s (exit 123)"},
		{"test=exit32 value=0", 0, "vmm: guest exited with status 0 after *s (exit 0)"},
		{"test=exit32 value=200", 200, "vmm: guest exited with status 200 after *s (exit 200)"},
	};

	(void)state;
	check_endings(endings, 6);
}

static void status_above_255_does_not_wrap_to_success(void **state)
{
	static const struct ending endings[] = {
		{"test=exit16 value=300", 255, "vmm: guest exited with status 300 after *s (exit 255)"},
		{"test=exit16 value=256", 255, "vmm: guest exited with status 256 after *s (exit 255)"},
		{"test=exit32 value=4294967295", 255, "vmm: guest exited with status 4294967295 after *s (exit 255)"},
	};

	(void)state;
	check_endings(endings, 3);
}

static void every_reset_is_254(void **state)
{
	static const struct ending endings[] = {
		{"test=reset-i8042", 254, "vmm: guest reset after *s (exit 254)"},
		{"test=reset-port92", 254, "vmm: guest reset after *s (exit 254)"},
		{"test=reset-cf9", 254, "vmm: guest reset after *s (exit 254)"},
		{"test=reset-acpi", 254, "vmm: guest reset after *s (exit 254)"},
		{"test=triple-fault", 254, "vmm: guest triple-faulted after *s (exit 254)"},
	};

	(void)state;
	check_endings(endings, 5);
}

static void power_off_is_success(void **state)
{
	static const struct ending endings[] = {{"test=power-off", 0, "vmm: guest powered off after *s (exit 0)"}};

	(void)state;
	check_endings(endings, 1);
}

static void panic_is_255_with_its_reason(void **state)
{
	static const struct ending endings[] = {
		{"test=pvpanic", 255, "vmm: guest panicked after *s (exit 255)"},
		{"test=panic-reset", 255, "vmm: guest panicked after *s: \"no such luck\" (exit 255)"},
		{"test=panic-triple-fault", 255, "vmm: guest panicked after *s: \"bare and broken\" (exit 255)"},
	};

	(void)state;
	check_endings(endings, 3);
}

static void guest_that_halts_for_good_ends(void **state)
{
	static const struct ending endings[] = {{"test=say-halted", 0, "vmm: guest halted after *s (exit 0)"}};

	(void)state;
	check_endings(endings, 1);
}

static void stats_are_printed_before_the_last_line(void **state)
{
	struct run_result r;

	(void)state;
	run_words(&r, GUEST("ports-legacy"), "--stats", NULL);
	run_expect(&r, 0, "vmm: guest exited with status 0 *");
	assert_non_null(strstr(r.err.bytes, "vmm: exits: "));
	assert_null(strstr(r.err.bytes, "(port 0,"));
	run_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(exit_port_gives_the_status),
		IN_SCRATCH(status_above_255_does_not_wrap_to_success),
		IN_SCRATCH(every_reset_is_254),
		IN_SCRATCH(power_off_is_success),
		IN_SCRATCH(panic_is_255_with_its_reason),
		IN_SCRATCH(guest_that_halts_for_good_ends),
		IN_SCRATCH(stats_are_printed_before_the_last_line),
	};
	int missing = run_require_kvm("test_end");

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
