/* SPDX-License-Identifier: Apache-2.0 */
/* Much console output, to readers that are slow, stuck or gone. */
#include "kvm_test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define MEBI_LINES 16384 /* of 64 bytes */
#define MANY_LINES 2048	 /* twice what the console's queue holds */
#define TEXT_OF(x) #x
#define TEXT(x)	   TEXT_OF(x)

static void expect_flood(const char *bytes, size_t len, unsigned lines)
{
	char start[16];

	assert_int_equal(len, (size_t)lines * 64);
	for (unsigned i = 0; i < lines; i++) {
		snprintf(start, sizeof(start), "%08x", i);
		assert_memory_equal(bytes + (size_t)i * 64, start, 8);
		assert_int_equal(bytes[(size_t)i * 64 + 63], '\n');
	}
}

static void a_mebibyte_arrives_complete(void **state)
{
	struct run_result r;

	(void)state;
	run_words(&r, "run", run_guest("guest-pvh"), "-m", "16M", "-a", "test=flood lines=" TEXT(MEBI_LINES), NULL);
	run_expect_status(&r, 0);
	expect_flood(r.out.bytes, r.out.len, MEBI_LINES);
	run_free(&r);
}

static void guest_waits_for_a_stalled_reader_and_loses_nothing(void **state)
{
	struct run_request request = {
		.words = {"run", run_guest("guest-pvh"), "-a", "test=flood lines=" TEXT(MANY_LINES)},
		.output = RUN_OUTPUT_STALLED,
		.steps = {{.when_stuck = true, .read_output = true}},
	};
	struct run_result r;

	(void)state;
	run_one(&request, &r);
	run_expect_status(&r, 0);
	expect_flood(r.out.bytes, r.out.len, MANY_LINES);
	run_free(&r);
}

static void guest_that_does_not_wait_goes_on_while_nobody_reads(void **state)
{
	struct run_request request = {
		.words = {"run", run_guest("guest-pvh"), "-a", "test=flood-blindly lines=" TEXT(MANY_LINES), "--events",
			  "fd:9"},
		.output = RUN_OUTPUT_STALLED,
		.events = true,
		.steps = {{.after = "\"event\":\"exit\"", .signal = SIGTERM}},
		.limit_s = 40,
	};
	struct run_result r;

	(void)state;
	run_one(&request, &r);
	run_expect(&r, 5, "vmm: guest exited with status 5 *");
	assert_non_null(strstr(r.err.bytes, "vmm: nobody reads the console: its last "));
	run_free(&r);
}

/* Behind a pager that is not at its end, say. */
static void output_of_a_guest_that_has_ended_waits_for_its_reader(void **state)
{
	struct run_request request = {
		.words = {"run", run_guest("guest-pvh"), "-a", "test=flood lines=900", "--events", "fd:9"},
		.output = RUN_OUTPUT_STALLED,
		.events = true,
		.steps = {{.after = "\"event\":\"exit\"", .when_stuck = true, .read_output = true}},
	};
	struct run_result r;

	(void)state;
	run_one(&request, &r);
	run_expect_status(&r, 0);
	expect_flood(r.out.bytes, r.out.len, 900);
	run_free(&r);
}

static void the_time_limit_ends_the_wait_for_a_reader(void **state)
{
	struct run_request request = {
		.words = {"run", run_guest("guest-pvh"), "-a", "test=flood lines=900", "--timeout", "8s"},
		.output = RUN_OUTPUT_STALLED,
		.limit_s = 30,
	};
	struct run_result r;

	(void)state;
	run_one(&request, &r);
	run_expect(&r, 0, "vmm: guest exited with status 0 *");
	assert_non_null(strstr(r.err.bytes, "vmm: nobody reads the console: its last "));
	assert_true(r.seconds >= 8);
	run_free(&r);
}

static void stalled_vmm_can_be_stopped(void **state)
{
	struct run_request request = {
		.words = {"run", run_guest("guest-pvh"), "-a", "test=flood lines=" TEXT(MEBI_LINES)},
		.output = RUN_OUTPUT_STALLED,
		.steps = {{.when_stuck = true, .signal = SIGTERM}},
		.limit_s = 30,
	};
	struct run_result r;

	(void)state;
	run_one(&request, &r);
	run_expect(&r, 128 + SIGTERM, "vmm: stopped by Terminated after *s (exit 143)");
	run_free(&r);
}

static void reader_that_went_away_does_not_disturb(void **state)
{
	static const enum run_output outputs[] = {RUN_OUTPUT_BROKEN, RUN_OUTPUT_CLOSED};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct run_request request = {
			.words = {"run", run_guest("guest-pvh"), "-a", "test=flood lines=1200"},
			.output = outputs[i],
		};
		struct run_result r;

		run_one(&request, &r);
		run_expect(&r, 0, "vmm: guest exited with status 0 *");
		run_free(&r);
	}
}

/* Whatever comes from the other processors while the machine is taken down must not hold it up. */
static void machine_ends_while_other_processors_print(void **state)
{
	static const char *const consoles[] = {"null", "stdio", "file=log"};

	(void)state;
	for (size_t i = 0; i < 15; i++) {
		struct run_request request = {
			.words = {GUEST("chatter"), "-c", "3", "--console", consoles[i % 3]},
			.creates = i == 2,
			.limit_s = 20,
		};
		struct run_result r;

		run_one(&request, &r);
		run_expect(&r, 6, "vmm: guest exited with status 6 *");
		run_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(a_mebibyte_arrives_complete),
		IN_SCRATCH(guest_waits_for_a_stalled_reader_and_loses_nothing),
		IN_SCRATCH(guest_that_does_not_wait_goes_on_while_nobody_reads),
		IN_SCRATCH(output_of_a_guest_that_has_ended_waits_for_its_reader),
		IN_SCRATCH(the_time_limit_ends_the_wait_for_a_reader),
		IN_SCRATCH(stalled_vmm_can_be_stopped),
		IN_SCRATCH(machine_ends_while_other_processors_print),
		IN_SCRATCH(reader_that_went_away_does_not_disturb),
	};
	int missing = run_require_kvm("test_flood");

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
