/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor's checks of the host beside KVM. Settings: Linux Documentation/admin-guide/sysctl and mm. */
#include "doctor_checks.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parse.h"
#include "base/uring.h"
#include "ci/default_root.h"

#define NEEDED_MAPPINGS	   65530 /* the kernel's default */
#define NEEDED_FILES	   32	 /* a VM with one vCPU */
#define COMFORTABLE_FILES  128	 /* a VM with 64 */
#define COMFORTABLE_LOCKED (64ULL << 10)
#define NEEDED_MEMORY	   (16ULL << 20)
#define COMFORTABLE_MEMORY (256ULL << 20) /* the default guest */
#define TUN_PATH	   "/dev/net/tun"

static const char *size_text(uint64_t bytes, char buf[32])
{
	return bytes == UINT64_MAX ? "unlimited" : format_size(bytes, buf, 32);
}

void doctor_judge_io_uring(struct doctor_result *result, const char *reason, const char *sysctl)
{
	if (!reason) {
		doctor_say(result, DOCTOR_PASS, "works (kernel.io_uring_disabled is %s)",
			   sysctl[0] ? sysctl : "not there");
		return;
	}
	doctor_say(result, DOCTOR_WARN, "%s; vmm uses poll instead, which is slower", reason);
	if (sysctl[0] && strcmp(sysctl, "0") != 0)
		doctor_advise(result, "sysctl -w kernel.io_uring_disabled=0 (now %s)", sysctl);
	else
		doctor_advise(result,
			      "in a container: allow io_uring in its seccomp profile; else use Linux 5.10 or later");
}

void doctor_check_io_uring(struct doctor *doctor, struct doctor_result *result)
{
	char sysctl[16];
	struct uring *ring;
	int err = uring_create(&ring, false);

	(void)!doctor_read(doctor, "/proc/sys/kernel/io_uring_disabled", sysctl, sizeof(sysctl));
	if (err) {
		doctor_judge_io_uring(result, strerror(-err), sysctl);
		return;
	}
	doctor_judge_io_uring(result, uring_fallback_reason(ring), sysctl);
	uring_destroy(ring);
}

void doctor_judge_userfaultfd(struct doctor_result *result, int call_err, int device_err, const char *sysctl)
{
	if (!call_err) {
		doctor_say(result, DOCTOR_PASS, "works through the system call");
	} else if (!device_err) {
		doctor_say(result, DOCTOR_PASS, "works through /dev/userfaultfd");
	} else if (call_err == -ENOSYS) {
		doctor_say(result, DOCTOR_WARN, "this kernel has none; guest memory cannot be filled lazily");
		doctor_advise(result, "use a kernel with CONFIG_USERFAULTFD");
	} else {
		doctor_say(result, DOCTOR_WARN,
			   "%s (vm.unprivileged_userfaultfd is %s); guest memory cannot be filled lazily",
			   strerror(-call_err), sysctl[0] ? sysctl : "not there");
		doctor_advise(result,
			      "sysctl -w vm.unprivileged_userfaultfd=1, or let your group open /dev/userfaultfd; in a "
			      "container: allow userfaultfd in its seccomp profile");
	}
}

static int try_userfaultfd_device(const struct doctor *doctor)
{
	char path[DOCTOR_PATH_SIZE];
	int err = 0, uffd, fd = open(doctor_path(doctor, "/dev/userfaultfd", path), O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	uffd = ioctl(fd, USERFAULTFD_IOC_NEW, O_CLOEXEC);
	if (uffd < 0)
		err = -errno;
	close_fd(&uffd);
	close_fd(&fd);
	return err;
}

void doctor_check_userfaultfd(struct doctor *doctor, struct doctor_result *result)
{
	char sysctl[16];
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC), err = fd < 0 ? -errno : 0;

	close_fd(&fd);
	(void)!doctor_read(doctor, "/proc/sys/vm/unprivileged_userfaultfd", sysctl, sizeof(sysctl));
	doctor_judge_userfaultfd(result, err, try_userfaultfd_device(doctor), sysctl);
}

void doctor_check_ksm(struct doctor *doctor, struct doctor_result *result)
{
	uint64_t run;

	if (doctor_read_u64(doctor, "/sys/kernel/mm/ksm/run", &run)) {
		doctor_say(result, DOCTOR_INFO, "this kernel cannot merge equal pages");
		doctor_advise(result, "only for packing many VMs: use a kernel with CONFIG_KSM");
	} else if (run == 1) {
		doctor_say(result, DOCTOR_PASS, "the kernel merges equal pages");
	} else {
		doctor_say(result, DOCTOR_INFO, "there, but switched off");
		doctor_advise(result, "only for packing many VMs: echo 1 > /sys/kernel/mm/ksm/run");
	}
}

/* The word in brackets of a line like "always [madvise] never". */
static bool chosen_word(const char *line, char *word, size_t size)
{
	const char *start = strchr(line, '['), *end = start ? strchr(start, ']') : NULL;

	if (!end)
		return false;
	snprintf(word, size, "%.*s", (int)(end - start - 1), start + 1);
	return true;
}

void doctor_check_huge_pages(struct doctor *doctor, struct doctor_result *result)
{
	char line[128], word[32];
	uint64_t reserved = 0;

	if (doctor_read_u64(doctor, "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", &reserved))
		reserved = 0;
	if (doctor_read(doctor, "/sys/kernel/mm/transparent_hugepage/enabled", line, sizeof(line)) ||
	    !chosen_word(line, word, sizeof(word))) {
		doctor_say(result, DOCTOR_WARN,
			   "this kernel has no transparent ones; %" PRIu64 " of 2 MiB are reserved and free", reserved);
		doctor_advise(result, "use a kernel with CONFIG_TRANSPARENT_HUGEPAGE");
		return;
	}
	doctor_say(result, DOCTOR_PASS, "transparent ones: %s; %" PRIu64 " of 2 MiB are reserved and free", word,
		   reserved);
	if (strcmp(word, "never") == 0) {
		result->status = DOCTOR_WARN;
		doctor_advise(result, "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
	}
}

void doctor_check_map_count(struct doctor *doctor, struct doctor_result *result)
{
	uint64_t count;

	if (doctor_read_u64(doctor, "/proc/sys/vm/max_map_count", &count)) {
		doctor_say(result, DOCTOR_INFO, "vm.max_map_count cannot be read");
		doctor_advise(result, "mount /proc");
		return;
	}
	doctor_say(result, DOCTOR_PASS, "vm.max_map_count is %" PRIu64, count);
	if (count < NEEDED_MAPPINGS) {
		result->status = DOCTOR_WARN;
		doctor_advise(result, "sysctl -w vm.max_map_count=%d", NEEDED_MAPPINGS);
	}
}

void doctor_check_overcommit(struct doctor *doctor, struct doctor_result *result)
{
	uint64_t mode;

	if (doctor_read_u64(doctor, "/proc/sys/vm/overcommit_memory", &mode)) {
		doctor_say(result, DOCTOR_INFO, "vm.overcommit_memory cannot be read");
		doctor_advise(result, "mount /proc");
	} else if (mode == 2) {
		doctor_say(result, DOCTOR_WARN,
			   "vm.overcommit_memory is 2: every guest's memory counts in full, used or not");
		doctor_advise(result, "sysctl -w vm.overcommit_memory=0");
	} else {
		doctor_say(result, DOCTOR_PASS,
			   "vm.overcommit_memory is %" PRIu64 ": guest memory counts when it is used", mode);
	}
}

void doctor_check_tun(struct doctor *doctor, struct doctor_result *result)
{
	char path[DOCTOR_PATH_SIZE];
	int err = 0, fd = open(doctor_path(doctor, TUN_PATH, path), O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		err = errno;
	close_fd(&fd);
	if (!err) {
		doctor_say(result, DOCTOR_PASS, TUN_PATH ": can be opened");
		return;
	}
	doctor_say(result, DOCTOR_WARN, TUN_PATH ": %s; no tap interfaces", strerror(err));
	doctor_advise(result, err == EACCES || err == EPERM
				      ? "sudo chmod 666 " TUN_PATH "; in a container: start it with --device " TUN_PATH
				      : "modprobe tun; in a container: start it with --device " TUN_PATH);
}

static uint64_t soft_limit(int resource)
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)resource, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return limit.rlim_cur;
}

void doctor_judge_open_files(struct doctor_result *result, uint64_t limit)
{
	enum doctor_status status = DOCTOR_PASS;

	if (limit < COMFORTABLE_FILES)
		status = limit < NEEDED_FILES ? DOCTOR_FAIL : DOCTOR_WARN;
	if (limit == UINT64_MAX)
		doctor_say(result, status, "unlimited");
	else
		doctor_say(result, status, "%" PRIu64 " allowed", limit);
	if (status != DOCTOR_PASS)
		doctor_advise(result, "ulimit -n 1024: every vCPU takes one, the rest of a VM about 20");
}

void doctor_check_open_files(struct doctor *doctor, struct doctor_result *result)
{
	(void)doctor;
	doctor_judge_open_files(result, soft_limit(RLIMIT_NOFILE));
}

void doctor_judge_locked_memory(struct doctor_result *result, uint64_t limit)
{
	char text[32];

	doctor_say(result, limit < COMFORTABLE_LOCKED ? DOCTOR_WARN : DOCTOR_PASS, "%s allowed",
		   size_text(limit, text));
	if (limit < COMFORTABLE_LOCKED)
		doctor_advise(result, "ulimit -l 64: Linux before 5.12 charges io_uring to it");
}

void doctor_check_locked_memory(struct doctor *doctor, struct doctor_result *result)
{
	(void)doctor;
	doctor_judge_locked_memory(result, soft_limit(RLIMIT_MEMLOCK));
}

void doctor_judge_address_space(struct doctor_result *result, uint64_t limit)
{
	char text[32];

	doctor_say(result, limit == UINT64_MAX ? DOCTOR_PASS : DOCTOR_WARN, "%s%s", size_text(limit, text),
		   limit == UINT64_MAX ? "" : " allowed: guest memory must fit into it");
	if (limit != UINT64_MAX)
		doctor_advise(result, "ulimit -v unlimited");
}

void doctor_check_address_space(struct doctor *doctor, struct doctor_result *result)
{
	(void)doctor;
	doctor_judge_address_space(result, soft_limit(RLIMIT_AS));
}

/* The number of a line "Name:   123 kB" of /proc/meminfo, in bytes. */
static bool find_meminfo(const char *text, const char *name, uint64_t *bytes)
{
	const char *at = strstr(text, name);
	uint64_t kib;

	if (!at || sscanf(at + strlen(name), " %" SCNu64 " kB", &kib) != 1 || kib > UINT64_MAX >> 10)
		return false;
	*bytes = kib << 10;
	return true;
}

void doctor_check_memory(struct doctor *doctor, struct doctor_result *result)
{
	char text[4096], size[32];
	uint64_t available;

	if (doctor_read(doctor, "/proc/meminfo", text, sizeof(text)) ||
	    !find_meminfo(text, "MemAvailable:", &available)) {
		doctor_say(result, DOCTOR_INFO, "/proc/meminfo cannot be read");
		doctor_advise(result, "mount /proc");
		return;
	}
	doctor_say(result, DOCTOR_PASS, "%s available", size_text(available, size));
	if (available >= COMFORTABLE_MEMORY)
		return;
	result->status = available < NEEDED_MEMORY ? DOCTOR_FAIL : DOCTOR_WARN;
	doctor_advise(result, "end something, or give the guest less with --mem");
}

void doctor_check_busybox(struct doctor *doctor, struct doctor_result *result)
{
	char path[DOCTOR_PATH_SIZE], found[DOCTOR_PATH_SIZE];
	struct error err;

	if (doctor->root[0])
		doctor_path(doctor, "/bin", path);
	else
		default_root_path(path, sizeof(path));
	if (!default_root_find(path, found, sizeof(found), &err)) {
		doctor_say(result, DOCTOR_PASS, "%.200s: the root file system of `vmm run KERNEL -- COMMAND`", found);
		return;
	}
	doctor_say(result, DOCTOR_INFO, "none that is static; a command in the guest needs --initrd or --initrd-dir");
	doctor_advise(result, "install one, on Debian: apt-get install busybox-static");
}
