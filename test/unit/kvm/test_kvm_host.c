/* SPDX-License-Identifier: Apache-2.0 */
/* Refusals need no KVM; the rest asks the real one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kvm/kvm.h"
#include "support/need_kvm.h"

#define NOBODY 65534

static void assert_refused(const char *path, int code, const char *reason, const char *remedy)
{
	struct kvm_host host;
	struct error err = {0};

	assert_int_equal(kvm_host_open(&host, path, &err), code);
	assert_int_equal(host.fd, -1);
	assert_memory_equal(err.text, path, strlen(path));
	assert_non_null(strstr(err.text, reason));
	assert_non_null(strstr(err.text, remedy));
	assert_null(strchr(err.text, '\n'));
}

static void a_missing_device_names_the_module(void **state)
{
	(void)state;
	assert_refused("/nonexistent/kvm", -ENOENT, "No such file", "modprobe");
}

static void another_device_is_not_taken_for_kvm(void **state)
{
	(void)state;
	assert_refused("/dev/null", -ENOTTY, "is not the KVM device", "vmm doctor");
}

static void a_device_without_permission_names_the_group(void **state)
{
	char path[] = "/tmp/test_kvm_host.XXXXXX";
	int fd = mkstemp(path);
	bool was_root = geteuid() == 0;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0), 0);
	if (was_root)
		assert_int_equal(seteuid(NOBODY), 0);
	assert_refused(path, -EACCES, "Permission denied", "group kvm");
	if (was_root)
		assert_int_equal(seteuid(0), 0);
	close(fd);
	unlink(path);
}

static void closing_twice_is_harmless(void **state)
{
	struct kvm_host host = {.fd = open("/dev/null", O_RDONLY | O_CLOEXEC)};

	(void)state;
	kvm_host_close(&host);
	assert_int_equal(host.fd, -1);
	kvm_host_close(&host);
}

static void the_device_opens_with_its_mapping_size(void **state)
{
	struct kvm_host host;
	struct error err;

	(void)state;
	assert_int_equal(kvm_host_open(&host, "/dev/kvm", &err), 0);
	assert_true(host.run_size >= sizeof(struct kvm_run));
	assert_true(fcntl(host.fd, F_GETFD) & FD_CLOEXEC);
	kvm_host_close(&host);
}

static void an_unknown_capability_is_absent(void **state)
{
	struct kvm_host host;
	struct error err;

	(void)state;
	assert_int_equal(kvm_host_open(&host, "/dev/kvm", &err), 0);
	assert_true(kvm_host_capability(&host, KVM_CAP_USER_MEMORY) > 0);
	assert_int_equal(kvm_host_capability(&host, 0x7fffffff), 0);
	kvm_host_close(&host);
	assert_int_equal(kvm_host_capability(&host, KVM_CAP_USER_MEMORY), 0);
}

static void the_supported_cpuid_has_the_basic_leaves(void **state)
{
	static struct kvm_cpuid_table table;
	struct kvm_host host;
	struct error err;
	bool basic = false, features = false;

	(void)state;
	assert_int_equal(kvm_host_open(&host, "/dev/kvm", &err), 0);
	assert_int_equal(kvm_host_supported_cpuid(&host, &table), 0);
	assert_in_range(table.head.nent, 2, KVM_MAX_CPUID_ENTRIES);
	for (unsigned i = 0; i < table.head.nent; i++) {
		basic |= table.entries[i].function == 0;
		features |= table.entries[i].function == 1 && (table.entries[i].edx & 1u << 4); /* TSC */
	}
	assert_true(basic && features);
	kvm_host_close(&host);
	assert_int_equal(kvm_host_supported_cpuid(&host, &table), -EBADF);
}

int main(void)
{
	const struct CMUnitTest refusals[] = {
		cmocka_unit_test(a_missing_device_names_the_module),
		cmocka_unit_test(another_device_is_not_taken_for_kvm),
		cmocka_unit_test(a_device_without_permission_names_the_group),
		cmocka_unit_test(closing_twice_is_harmless),
	};
	const struct CMUnitTest with_kvm[] = {
		cmocka_unit_test(the_device_opens_with_its_mapping_size),
		cmocka_unit_test(an_unknown_capability_is_absent),
		cmocka_unit_test(the_supported_cpuid_has_the_basic_leaves),
	};
	int failed = cmocka_run_group_tests(refusals, NULL, NULL), missing = without_kvm();

	if (failed || missing)
		return failed ? failed : missing;
	return cmocka_run_group_tests(with_kvm, NULL, NULL);
}
