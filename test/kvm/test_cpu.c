/* SPDX-License-Identifier: Apache-2.0 */
/* Processors: MSRs, CPUID, start-up of many, timers, CPL 3, and the instructions that need completing on some hosts. */
#include "kvm_test.h"

#include <stdio.h>
#include <string.h>

static void expect_success(const char *cpus, const char *test)
{
	struct run_result r;
	char append[64];

	snprintf(append, sizeof(append), "test=%s cpus=%s", test, cpus);
	run_words(&r, "run", run_guest("guest-pvh"), "-m", "16M", "-c", cpus, "-a", append, NULL);
	run_expect(&r, 0, "vmm: guest exited with status 0 *");
	run_free(&r);
}

static void unknown_msr_is_a_general_protection_fault(void **state)
{
	(void)state;
	expect_success("1", "msr-unknown");
}

static void system_call_msrs_read_back(void **state)
{
	(void)state;
	expect_success("1", "msr-syscall");
}

static void cpuid_tells_the_topology(void **state)
{
	static const char *const counts[] = {"1", "2", "3", "64"};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		expect_success(counts[i], "cpuid");
}

static void all_processors_start_with_their_own_ids(void **state)
{
	static const char *const counts[] = {"1", "2", "4", "64"};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		expect_success(counts[i], "smp");
}

static void local_timer_interrupts(void **state)
{
	(void)state;
	expect_success("1", "lapic-timer");
}

static void interval_timer_interrupts_through_the_8259(void **state)
{
	(void)state;
	expect_success("1", "pit");
}

static void user_code_reaches_ports_and_devices_at_native_speed(void **state)
{
	struct run_result r;

	(void)state;
	run_words(&r, GUEST("user"), NULL);
	run_expect(&r, 33, "vmm: guest exited with status 33 *");
	assert_string_equal(r.out.bytes, "hello from CPL 3\n");
	run_free(&r);
}

static void instructions_the_emulator_lacks_give_right_results(void **state)
{
	static const char *const modes[] = {"auto", "on"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct run_result r;

		run_words(&r, GUEST("assist"), "--assist", modes[i], "--stats", NULL);
		run_expect(&r, 0, "vmm: guest exited with status 0 *");
		assert_string_equal(r.out.bytes, "all completed\n");
		/* Hardware completes them itself and counts none. */
		if (!run_has_hardware_virtualization()) {
			assert_non_null(strstr(r.err.bytes, "vmm: assist: "));
			assert_non_null(strstr(r.err.bytes, " popcnt 2"));
			assert_non_null(strstr(r.err.bytes, " int3 1"));
		}
		run_free(&r);
	}
}

static void instruction_nobody_completes_ends_with_a_report(void **state)
{
	struct run_result r;

	(void)state;
	run_words(&r, GUEST("stuck"), NULL);
	if (r.status == 44 && run_has_hardware_virtualization()) {
		run_free(&r);
		return;
	}
	run_expect(&r, 125,
		   "vmm: stopped after *s: vCPU 0: KVM cannot emulate the instruction at RIP 0x*, CPL 0, "
		   "bytes 66 0f fe c1 *(exit 125)");
	assert_non_null(strstr(r.err.bytes, "vmm: vCPU 0 registers:\n"));
	run_free(&r);
}

static void without_the_assist_the_report_names_it(void **state)
{
	struct run_result r;

	(void)state;
	run_words(&r, GUEST("stuck"), "--assist", "off", NULL);
	if (r.status == 44 && run_has_hardware_virtualization()) {
		run_free(&r);
		return;
	}
	run_expect(&r, 125, "vmm: stopped after *s: vCPU 0: KVM cannot emulate * at RIP 0x*--assist on*(exit 125)");
	run_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(unknown_msr_is_a_general_protection_fault),
		IN_SCRATCH(system_call_msrs_read_back),
		IN_SCRATCH(cpuid_tells_the_topology),
		IN_SCRATCH(all_processors_start_with_their_own_ids),
		IN_SCRATCH(local_timer_interrupts),
		IN_SCRATCH(interval_timer_interrupts_through_the_8259),
		IN_SCRATCH(user_code_reaches_ports_and_devices_at_native_speed),
		IN_SCRATCH(instructions_the_emulator_lacks_give_right_results),
		IN_SCRATCH(instruction_nobody_completes_ends_with_a_report),
		IN_SCRATCH(without_the_assist_the_report_names_it),
	};
	int missing = run_require_kvm("test_cpu");

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
