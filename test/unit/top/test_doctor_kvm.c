/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fake_root.h"

#include <errno.h>
#include <grp.h>

#include "doctor_checks.h"
#include "support/need_kvm.h"

#define NOBODY 65534

static void assert_result(const struct doctor_result *r, enum doctor_status status, const char *text,
			  const char *remedy)
{
	if (r->status != status || !strstr(r->text, text) || !strstr(r->remedy, remedy))
		fail_msg("%s: %s -> %s", doctor_status_name(r->status), r->text, r->remedy);
	assert_int_equal(r->remedy[0] == 0, remedy[0] == 0);
}

static struct doctor_result check_cpu(const char *root, struct doctor_cpu cpu, doctor_check *run)
{
	struct doctor doctor = {.root = root, .cpu = cpu, .kvm.fd = -1};
	struct doctor_result result = {0};

	run(&doctor, &result);
	kvm_host_close(&doctor.kvm);
	return result;
}

static struct doctor_result check(const struct fake_root *root, doctor_check *run)
{
	return check_cpu(root->path, (struct doctor_cpu){0}, run);
}

static void a_missing_device_is_mended_by_what_the_cpu_has(void **state)
{
	const struct fake_root *root = *state;
	struct doctor_result r;

	r = check_cpu(root->path, (struct doctor_cpu){.has_virtualization = true}, doctor_check_kvm_device);
	assert_result(&r, DOCTOR_FAIL, "/dev/kvm: No such file", "modprobe kvm_intel (or kvm_amd); in a container");
	r = check_cpu(root->path, (struct doctor_cpu){0}, doctor_check_kvm_device);
	assert_result(&r, DOCTOR_FAIL, "/dev/kvm: No such file", "in the firmware");
}

static void a_file_in_its_place_is_no_device(void **state)
{
	const struct fake_root *root = *state;
	struct doctor_result r;

	fake_root_write(root, "/dev/kvm", "");
	r = check(root, doctor_check_kvm_device);
	assert_result(&r, DOCTOR_FAIL, "is not a device", "mknod /dev/kvm c 10 232");
	r = check(root, doctor_check_kvm_api);
	assert_result(&r, DOCTOR_INFO, "not looked at", "");
}

static void without_kvm_the_rest_is_not_looked_at(void **state)
{
	static doctor_check *const checks[] = {doctor_check_kvm_api, doctor_check_capabilities, doctor_check_kvm_vm,
					       doctor_check_vcpus, doctor_check_syscall};

	for (unsigned i = 0; i < ARRAY_SIZE(checks); i++) {
		struct doctor_result r = check(*state, checks[i]);

		assert_result(&r, DOCTOR_INFO, "not looked at: /dev/kvm cannot be opened", "");
	}
}

/* A device node of the test's own, with names for its owner in a passwd and a group file of its own. Skips the test
 * where making one is not allowed. */
static void make_device(const struct fake_root *root, unsigned mode)
{
	char path[64];

	fake_root_write(root, "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nkeeper:x:1234:1234::/:/bin/sh\n");
	fake_root_write(root, "/etc/group", "root:x:0:\nvirtual:x:4321:keeper,other\n");
	fake_root_write(root, "/dev/x", "");
	snprintf(path, sizeof(path), "%s/dev/kvm", root->path);
	if (mknod(path, S_IFCHR | 0600, 0x0103)) /* the null device: 1, 3 */
		skip();
	assert_int_equal(chown(path, 1234, 4321), 0);
	assert_int_equal(chmod(path, mode), 0);
	assert_int_equal(chmod(root->path, 0755), 0);
	snprintf(path, sizeof(path), "%s/dev", root->path);
	assert_int_equal(chmod(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/etc", root->path);
	assert_int_equal(chmod(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/etc/group", root->path);
	assert_int_equal(chmod(path, 0644), 0);
}

static struct doctor_result check_as_nobody(const struct fake_root *root)
{
	struct doctor_result r;
	gid_t groups[64];
	int count = getgroups(ARRAY_SIZE(groups), groups);

	assert_true(count >= 0);
	assert_int_equal(setgroups(0, NULL), 0);
	assert_int_equal(setegid(NOBODY), 0);
	assert_int_equal(seteuid(NOBODY), 0);
	r = check(root, doctor_check_kvm_device);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(setegid(0), 0);
	assert_int_equal(setgroups((size_t)count, groups), 0);
	return r;
}

static void the_owner_is_named_and_the_group_recommended(void **state)
{
	const struct fake_root *root = *state;
	struct doctor_result r;

	make_device(root, 0660);
	r = check(root, doctor_check_kvm_device);
	assert_result(&r, DOCTOR_PASS, "it belongs to keeper:virtual, mode 0660", "");
	r = check_as_nobody(root);
	assert_result(&r, DOCTOR_FAIL, "no access; it belongs to", "usermod -aG virtual $USER");
}

static void a_device_without_a_group_gets_one(void **state)
{
	const struct fake_root *root = *state;
	struct doctor_result r;
	char path[64];

	make_device(root, 0600);
	r = check_as_nobody(root);
	assert_result(&r, DOCTOR_FAIL, "mode 0600", "sudo chgrp kvm /dev/kvm && sudo chmod 660");
	snprintf(path, sizeof(path), "%s/dev/kvm", root->path);
	assert_int_equal(chown(path, 0, 0), 0);
	assert_int_equal(chmod(path, 0660), 0);
	r = check_as_nobody(root); /* nobody should join root's group */
	assert_result(&r, DOCTOR_FAIL, ":root, mode 0660", "sudo chgrp kvm /dev/kvm");
}

static void unnamed_owners_are_numbers(void **state)
{
	const struct fake_root *root = *state;
	struct doctor_result r;
	char path[64];

	make_device(root, 0660);
	snprintf(path, sizeof(path), "%s/etc/group", root->path);
	unlink(path);
	fake_root_write(root, "/etc/passwd", "");
	r = check(root, doctor_check_kvm_device);
	assert_result(&r, DOCTOR_PASS, "it belongs to 1234:4321", "");
}

static void errors_of_the_api_have_remedies(void **state)
{
	static const struct {
		int err;
		const char *text, *remedy;
	} cases[] = {
		{-ENOTTY, "is not the KVM device", "mknod"},
		{-EPROTO, "does not speak version 12", "Linux 5.10"},
		{-EPERM, "Operation not permitted", "--device /dev/kvm"},
		{-EACCES, "Permission denied", "--device /dev/kvm"},
		{-ENODEV, "No such device", "modprobe"},
	};
	struct doctor_result r = {0};

	(void)state;
	doctor_judge_open(&r, 0);
	assert_result(&r, DOCTOR_PASS, "version 12", "");
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		doctor_judge_open(&r, cases[i].err);
		assert_result(&r, DOCTOR_FAIL, cases[i].text, cases[i].remedy);
	}
}

static void the_back_end_follows_from_cpu_and_module(void **state)
{
	struct doctor_result r = {0};

	(void)state;
	doctor_judge_backend(&r, &(struct doctor_cpu){.has_virtualization = true}, "kvm_intel");
	assert_result(&r, DOCTOR_PASS, "hardware: VMX or SVM (kvm_intel)", "");
	doctor_judge_backend(&r, &(struct doctor_cpu){.has_virtualization = true, .has_hypervisor = true}, "kvm_amd");
	assert_result(&r, DOCTOR_PASS, "nested", "");
	doctor_judge_backend(&r, &(struct doctor_cpu){.has_hypervisor = true}, "kvm_pvm");
	assert_result(&r, DOCTOR_WARN, "emulator-assisted: the CPU shows neither VMX nor SVM (kvm_pvm)", "man vmm");
	assert_non_null(strstr(r.text, "1000 times slower"));
	doctor_judge_backend(&r, &(struct doctor_cpu){0}, NULL);
	assert_result(&r, DOCTOR_WARN, "(no module seen)", "man vmm");
}

static void the_module_is_looked_for_in_sys(void **state)
{
	const struct fake_root *root = *state;
	struct doctor_result r;

	r = check(root, doctor_check_backend);
	assert_result(&r, DOCTOR_WARN, "no module seen", "man vmm");
	fake_root_write(root, "/sys/module/kvm_amd/refcnt", "0");
	r = check_cpu(root->path, (struct doctor_cpu){.has_virtualization = true}, doctor_check_backend);
	assert_result(&r, DOCTOR_PASS, "(kvm_amd)", "");
}

struct fake_kvm {
	int missing;
};

static int all_but_one(void *opaque, int capability)
{
	const struct fake_kvm *kvm = opaque;

	return capability != kvm->missing;
}

static void capabilities_are_needed_or_useful(void **state)
{
	struct doctor_result r = {0};
	struct fake_kvm kvm = {.missing = -1};

	(void)state;
	doctor_judge_capabilities(&r, all_but_one, &kvm, true);
	assert_result(&r, DOCTOR_PASS, "all 18 that vmm uses", "");
	kvm.missing = KVM_CAP_IMMEDIATE_EXIT;
	doctor_judge_capabilities(&r, all_but_one, &kvm, false);
	assert_result(&r, DOCTOR_FAIL, "missing: IMMEDIATE_EXIT", "newer kernel");
	kvm.missing = KVM_CAP_XSAVE2;
	doctor_judge_capabilities(&r, all_but_one, &kvm, true);
	assert_result(&r, DOCTOR_WARN, "missing of the useful ones: XSAVE2", "newer kernel");
	kvm.missing = KVM_CAP_X86_USER_SPACE_MSR; /* only where the assist is */
	doctor_judge_capabilities(&r, all_but_one, &kvm, true);
	assert_result(&r, DOCTOR_FAIL, "missing: X86_USER_SPACE_MSR", "newer kernel");
	doctor_judge_capabilities(&r, all_but_one, &kvm, false);
	assert_result(&r, DOCTOR_WARN, "X86_USER_SPACE_MSR", "newer kernel");
}

static int none_at_all(void *opaque, int capability)
{
	(void)opaque;
	(void)capability;
	return 0;
}

static void many_missing_capabilities_are_listed_as_far_as_they_fit(void **state)
{
	struct doctor_result r = {0};

	(void)state;
	doctor_judge_capabilities(&r, none_at_all, NULL, true);
	assert_result(&r, DOCTOR_FAIL, "missing: IRQCHIP, USER_MEMORY, SET_TSS_ADDR", "newer kernel");
}

static void the_number_of_vcpus_is_the_smallest_limit(void **state)
{
	struct doctor_result r = {0};

	(void)state;
	doctor_judge_vcpus(&r, 1024, 2);
	assert_result(&r, DOCTOR_PASS, "up to 64 in a VM (KVM allows 1024 and recommends 2)", "");
	doctor_judge_vcpus(&r, 8, 4);
	assert_result(&r, DOCTOR_PASS, "up to 8 in a VM", "");
	doctor_judge_vcpus(&r, 0, 16);
	assert_result(&r, DOCTOR_PASS, "up to 16 in a VM", "");
	doctor_judge_vcpus(&r, 0, 0);
	assert_result(&r, DOCTOR_PASS, "up to 4 in a VM", "");
}

static void the_system_call_is_reported(void **state)
{
	struct doctor_result r = {0};

	(void)state;
	doctor_judge_syscall(&r, 0, false);
	assert_result(&r, DOCTOR_PASS, "by itself", "");
	doctor_judge_syscall(&r, 0, true);
	assert_result(&r, DOCTOR_INFO, "trampoline", "--assist off");
	doctor_judge_syscall(&r, -ENOMEM, false);
	assert_result(&r, DOCTOR_WARN, "Cannot allocate memory", "dmesg");
}

/* Where KVM is there, a VM can be made: the tests around this one do it. */
static void the_real_kvm_is_found_fit(void **state)
{
	static struct doctor doctor;

	(void)state;
	doctor_run(&doctor, "");
	for (unsigned i = 0; i < doctor.count; i++)
		if (strncmp(doctor.results[i].name, "kvm-", 4) == 0)
			assert_in_range(doctor.results[i].status, DOCTOR_PASS, DOCTOR_WARN);
	assert_true(doctor_is_healthy(&doctor));
}

int main(void)
{
	const struct CMUnitTest anywhere[] = {
		fake_root_test(a_missing_device_is_mended_by_what_the_cpu_has),
		fake_root_test(a_file_in_its_place_is_no_device),
		fake_root_test(without_kvm_the_rest_is_not_looked_at),
		fake_root_test(the_owner_is_named_and_the_group_recommended),
		fake_root_test(a_device_without_a_group_gets_one),
		fake_root_test(unnamed_owners_are_numbers),
		cmocka_unit_test(errors_of_the_api_have_remedies),
		cmocka_unit_test(the_back_end_follows_from_cpu_and_module),
		fake_root_test(the_module_is_looked_for_in_sys),
		cmocka_unit_test(capabilities_are_needed_or_useful),
		cmocka_unit_test(many_missing_capabilities_are_listed_as_far_as_they_fit),
		cmocka_unit_test(the_number_of_vcpus_is_the_smallest_limit),
		cmocka_unit_test(the_system_call_is_reported),
	};
	const struct CMUnitTest with_kvm[] = {
		cmocka_unit_test(the_real_kvm_is_found_fit),
	};
	int failed = cmocka_run_group_tests(anywhere, NULL, NULL), missing = without_kvm();

	if (failed || missing)
		return failed ? failed : missing;
	return cmocka_run_group_tests(with_kvm, NULL, NULL);
}
