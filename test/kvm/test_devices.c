/* SPDX-License-Identifier: Apache-2.0 */
/* Ports and memory addresses in every width, with and without a device behind them. The guest checks what it reads. */
#include "kvm_test.h"

#include <string.h>

static void expect_success(const char *append)
{
	struct run_result r;

	run_words(&r, "run", run_guest("guest-pvh"), "-m", "16M", "-a", append, NULL);
	run_expect(&r, 0, "vmm: guest exited with status 0 *");
	assert_int_equal(r.err_lines, 1);
	run_free(&r);
}

static void every_width_at_every_legacy_port_is_harmless(void **state)
{
	struct run_result r;

	(void)state;
	run_words(&r, GUEST("ports-legacy"), NULL);
	run_expect(&r, 0, "vmm: guest exited with status 0 *");
	/* Behind what the writes themselves transmitted. */
	assert_non_null(memmem(r.out.bytes, r.out.len, "still here\n", 11));
	run_free(&r);
}

static void unclaimed_ports_read_all_ones(void **state)
{
	(void)state;
	expect_success("test=ports-unclaimed");
}

static void access_that_reaches_out_of_a_device_is_nobodys(void **state)
{
	(void)state;
	expect_success("test=ports-straddling");
}

static void wide_access_to_byte_registers_is_several_bytes(void **state)
{
	(void)state;
	expect_success("test=ports-wide");
}

static void port_strings_move_every_item(void **state)
{
	struct run_result r;

	(void)state;
	run_words(&r, GUEST("ports-strings"), NULL);
	run_expect(&r, 0, "vmm: guest exited with status 0 *");
	assert_string_equal(r.out.bytes, "written by one instruction\n");
	run_free(&r);
}

static void unclaimed_memory_reads_all_ones_in_every_width_and_alignment(void **state)
{
	(void)state;
	expect_success("test=mmio-unclaimed");
}

static void access_across_the_end_of_memory_is_memory_and_ones(void **state)
{
	(void)state;
	expect_success("test=mmio-end-of-ram");
}

static void memory_strings_pass_over_unclaimed_addresses(void **state)
{
	(void)state;
	expect_success("test=mmio-strings");
}

static void read_modify_write_of_unclaimed_memory_sees_ones(void **state)
{
	(void)state;
	expect_success("test=mmio-combined");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(every_width_at_every_legacy_port_is_harmless),
		IN_SCRATCH(unclaimed_ports_read_all_ones),
		IN_SCRATCH(access_that_reaches_out_of_a_device_is_nobodys),
		IN_SCRATCH(wide_access_to_byte_registers_is_several_bytes),
		IN_SCRATCH(port_strings_move_every_item),
		IN_SCRATCH(unclaimed_memory_reads_all_ones_in_every_width_and_alignment),
		IN_SCRATCH(access_across_the_end_of_memory_is_memory_and_ones),
		IN_SCRATCH(memory_strings_pass_over_unclaimed_addresses),
		IN_SCRATCH(read_modify_write_of_unclaimed_memory_sees_ones),
	};
	int missing = run_require_kvm("test_devices");

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
