/* SPDX-License-Identifier: Apache-2.0 */
/* Which answer is right depends on the host; that there is one, and always the same, does not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "support/need_kvm.h"
#include "x86/assist_probe.h"
#include "x86/cpuid.h"

static void the_probe_answers_the_same_each_time(void **state)
{
	struct kvm_host host;
	struct error err;
	bool first = false, again = false;

	(void)state;
	assert_int_equal(kvm_host_open(&host, "/dev/kvm", &err), 0);
	assert_int_equal(assist_probe_syscall(&host, &first), 0);
	assert_int_equal(assist_probe_syscall(&host, &again), 0);
	assert_int_equal(first, again);
	kvm_host_close(&host);
}

static void real_hardware_needs_no_repair(void **state)
{
	struct kvm_host host;
	struct error err;
	bool stays_in_user = true;

	(void)state;
	if (!cpuid_host_has_hardware_virtualization())
		skip();
	assert_int_equal(kvm_host_open(&host, "/dev/kvm", &err), 0);
	assert_int_equal(assist_probe_syscall(&host, &stays_in_user), 0);
	assert_false(stays_in_user);
	kvm_host_close(&host);
}

static void without_kvm_there_is_no_answer(void **state)
{
	const struct kvm_host closed = {.fd = -1};
	bool stays_in_user;

	(void)state;
	assert_int_equal(assist_probe_syscall(&closed, &stays_in_user), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_probe_answers_the_same_each_time),
		cmocka_unit_test(real_hardware_needs_no_repair),
		cmocka_unit_test(without_kvm_there_is_no_answer),
	};
	int missing = without_kvm();

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
