/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fake_root.h"

#include <errno.h>

#include "doctor_checks.h"

static struct doctor_result check(const struct fake_root *root, doctor_check *run)
{
	struct doctor doctor = {.root = root->path, .kvm.fd = -1};
	struct doctor_result result = {.status = DOCTOR_STATUSES};

	run(&doctor, &result);
	return result;
}

static void assert_result(const struct doctor_result *r, enum doctor_status status, const char *text,
			  const char *remedy)
{
	if (r->status != status || !strstr(r->text, text) || !strstr(r->remedy, remedy))
		fail_msg("%s: %s -> %s", doctor_status_name(r->status), r->text, r->remedy);
	assert_int_equal(r->remedy[0] == 0, remedy[0] == 0);
}

/* A setting, its values and what they mean. @text NULL: there is no such file. */
static const struct {
	doctor_check *run;
	const char *path, *content;
	enum doctor_status status;
	const char *text, *remedy;
} settings[] = {
#define KSM doctor_check_ksm, "/sys/kernel/mm/ksm/run"
	{KSM, "1\n", DOCTOR_PASS, "merges equal pages", ""},
	{KSM, "0\n", DOCTOR_INFO, "switched off", "echo 1 > /sys/kernel/mm/ksm/run"},
	{KSM, "2\n", DOCTOR_INFO, "switched off", "echo 1"},
	{KSM, NULL, DOCTOR_INFO, "cannot merge", "CONFIG_KSM"},
#define THP doctor_check_huge_pages, "/sys/kernel/mm/transparent_hugepage/enabled"
	{THP, "always [madvise] never\n", DOCTOR_PASS, "transparent ones: madvise; 0 of 2 MiB", ""},
	{THP, "[always] madvise never\n", DOCTOR_PASS, "transparent ones: always", ""},
	{THP, "always madvise [never]\n", DOCTOR_WARN, "never", "echo madvise > "},
	{THP, "always madvise never\n", DOCTOR_WARN, "no transparent ones", "CONFIG_TRANSPARENT_HUGEPAGE"},
	{THP, "always ]madvise[ never\n", DOCTOR_WARN, "no transparent ones", "CONFIG_TRANSPARENT_HUGEPAGE"},
	{THP, NULL, DOCTOR_WARN, "no transparent ones", "CONFIG_TRANSPARENT_HUGEPAGE"},
#define MAPS doctor_check_map_count, "/proc/sys/vm/max_map_count"
	{MAPS, "65530\n", DOCTOR_PASS, "65530", ""},
	{MAPS, "1048576\n", DOCTOR_PASS, "1048576", ""},
	{MAPS, "65529\n", DOCTOR_WARN, "65529", "sysctl -w vm.max_map_count=65530"},
	{MAPS, "many\n", DOCTOR_INFO, "cannot be read", "/proc"},
	{MAPS, NULL, DOCTOR_INFO, "cannot be read", "/proc"},
#define OVERCOMMIT doctor_check_overcommit, "/proc/sys/vm/overcommit_memory"
	{OVERCOMMIT, "0\n", DOCTOR_PASS, "is 0", ""},
	{OVERCOMMIT, "1\n", DOCTOR_PASS, "is 1", ""},
	{OVERCOMMIT, "2\n", DOCTOR_WARN, "counts in full", "sysctl -w vm.overcommit_memory=0"},
	{OVERCOMMIT, NULL, DOCTOR_INFO, "cannot be read", "/proc"},
#define MEMORY doctor_check_memory, "/proc/meminfo"
	{MEMORY, "MemTotal: 9 kB\nMemFree: 1 kB\nMemAvailable:    4194304 kB\n", DOCTOR_PASS, "4G available", ""},
	{MEMORY, "MemAvailable: 262144 kB\n", DOCTOR_PASS, "256M available", ""},
	{MEMORY, "MemAvailable: 262143 kB\n", DOCTOR_WARN, "available", "--mem"},
	{MEMORY, "MemAvailable: 16384 kB\n", DOCTOR_WARN, "16M available", "--mem"},
	{MEMORY, "MemAvailable: 16383 kB\n", DOCTOR_FAIL, "available", "--mem"},
	{MEMORY, "MemAvailable: 99999999999999999999 kB\n", DOCTOR_INFO, "cannot be read", "/proc"},
	{MEMORY, "MemAvailable: lots\n", DOCTOR_INFO, "cannot be read", "/proc"},
	{MEMORY, "MemTotal: 9 kB\n", DOCTOR_INFO, "cannot be read", "/proc"},
	{MEMORY, NULL, DOCTOR_INFO, "cannot be read", "/proc"},
#define TUN doctor_check_tun, "/dev/net/tun"
	{TUN, "", DOCTOR_PASS, "can be opened", ""},
	{TUN, NULL, DOCTOR_WARN, "/dev/net/tun: No such file", "modprobe tun"},
#define BUSYBOX doctor_check_busybox, "/bin/busybox"
	{BUSYBOX, NULL, DOCTOR_INFO, "none that is static", "apt-get install busybox-static"},
	{BUSYBOX, "#!/bin/sh\n", DOCTOR_INFO, "none that is static", "apt-get install busybox-static"},
};

static void every_setting_has_its_verdict(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(settings); i++) {
		void *root;
		struct doctor_result result;

		assert_int_equal(fake_root_setup(&root), 0);
		if (settings[i].content)
			fake_root_write(root, settings[i].path, settings[i].content);
		result = check(root, settings[i].run);
		assert_int_equal(fake_root_teardown(&root), 0);
		assert_result(&result, settings[i].status, settings[i].text, settings[i].remedy);
	}
}

static void reserved_huge_pages_are_counted(void **state)
{
	const struct fake_root *root = *state;
	struct doctor_result result;

	fake_root_write(root, "/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n");
	fake_root_write(root, "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "512\n");
	result = check(root, doctor_check_huge_pages);
	assert_result(&result, DOCTOR_PASS, "512 of 2 MiB are reserved and free", "");
}

static void io_uring_is_judged_by_whether_it_works(void **state)
{
	struct doctor_result r = {0};

	(void)state;
	doctor_judge_io_uring(&r, NULL, "0");
	assert_result(&r, DOCTOR_PASS, "kernel.io_uring_disabled is 0", "");
	r = (struct doctor_result){0};
	doctor_judge_io_uring(&r, NULL, "");
	assert_result(&r, DOCTOR_PASS, "kernel.io_uring_disabled is not there", "");
	r = (struct doctor_result){0};
	doctor_judge_io_uring(&r, "io_uring_setup: Operation not permitted", "2");
	assert_result(&r, DOCTOR_WARN, "io_uring_setup: Operation not permitted; vmm uses poll",
		      "sysctl -w kernel.io_uring_disabled=0 (now 2)");
	r = (struct doctor_result){0};
	doctor_judge_io_uring(&r, "io_uring_setup: Operation not permitted", "0");
	assert_result(&r, DOCTOR_WARN, "not permitted", "seccomp");
	r = (struct doctor_result){0};
	doctor_judge_io_uring(&r, "io_uring_setup: Function not implemented", "");
	assert_result(&r, DOCTOR_WARN, "not implemented", "Linux 5.10");
}

static void userfaultfd_may_come_by_two_ways(void **state)
{
	struct doctor_result r = {0};

	(void)state;
	doctor_judge_userfaultfd(&r, 0, -ENOENT, "0");
	assert_result(&r, DOCTOR_PASS, "system call", "");
	doctor_judge_userfaultfd(&r, -EPERM, 0, "0");
	assert_result(&r, DOCTOR_PASS, "/dev/userfaultfd", "");
	doctor_judge_userfaultfd(&r, -EPERM, -EACCES, "0");
	assert_result(&r, DOCTOR_WARN, "vm.unprivileged_userfaultfd is 0", "sysctl -w vm.unprivileged_userfaultfd=1");
	doctor_judge_userfaultfd(&r, -EPERM, -ENOENT, "");
	assert_result(&r, DOCTOR_WARN, "is not there", "seccomp");
	doctor_judge_userfaultfd(&r, -ENOSYS, -ENOENT, "");
	assert_result(&r, DOCTOR_WARN, "this kernel has none", "CONFIG_USERFAULTFD");
}

static void limits_are_judged_by_what_a_machine_takes(void **state)
{
	struct doctor_result r = {0};

	(void)state;
	doctor_judge_open_files(&r, UINT64_MAX);
	assert_result(&r, DOCTOR_PASS, "unlimited", "");
	doctor_judge_open_files(&r, 1024);
	assert_result(&r, DOCTOR_PASS, "1024 allowed", "");
	doctor_judge_open_files(&r, 127);
	assert_result(&r, DOCTOR_WARN, "127 allowed", "ulimit -n");
	doctor_judge_open_files(&r, 31);
	assert_result(&r, DOCTOR_FAIL, "31 allowed", "ulimit -n");
	r = (struct doctor_result){0};
	doctor_judge_locked_memory(&r, 65536);
	assert_result(&r, DOCTOR_PASS, "64K allowed", "");
	doctor_judge_locked_memory(&r, UINT64_MAX);
	assert_result(&r, DOCTOR_PASS, "unlimited", "");
	doctor_judge_locked_memory(&r, 0);
	assert_result(&r, DOCTOR_WARN, "allowed", "ulimit -l");
	r = (struct doctor_result){0};
	doctor_judge_address_space(&r, UINT64_MAX);
	assert_result(&r, DOCTOR_PASS, "unlimited", "");
	doctor_judge_address_space(&r, 1ULL << 30);
	assert_result(&r, DOCTOR_WARN, "1G allowed: guest memory must fit", "ulimit -v unlimited");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_setting_has_its_verdict),
		fake_root_test(reserved_huge_pages_are_counted),
		cmocka_unit_test(io_uring_is_judged_by_whether_it_works),
		cmocka_unit_test(userfaultfd_may_come_by_two_ways),
		cmocka_unit_test(limits_are_judged_by_what_a_machine_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
