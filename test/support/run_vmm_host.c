/* SPDX-License-Identifier: Apache-2.0 */
/* What a run needs around it: the scratch folder, the guests' images, what the host offers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/run_vmm.h"

#include <cpuid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "support/run_vmm_child.h"

#define ROTATING_PATHS 4

#define CPUID_1_ECX_VMX	       (1u << 5)
#define CPUID_80000001_ECX_SVM (1u << 2)

static char scratch[] = "/tmp/vmm-test-XXXXXX";

int run_make_scratch(void **state)
{
	(void)state;
	memcpy(scratch + sizeof(scratch) - 7, "XXXXXX", 6);
	if (!mkdtemp(scratch))
		return -1;
	/* An unprivileged child must get in. */
	return chmod(scratch, 0755);
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

int run_remove_scratch(void **state)
{
	DIR *dir = opendir(scratch);

	(void)state;
	for (struct dirent *e; dir && (e = readdir(dir));)
		if (!is_dot(e->d_name))
			unlinkat(dirfd(dir), e->d_name, e->d_type == DT_DIR ? AT_REMOVEDIR : 0);
	if (dir)
		closedir(dir);
	return rmdir(scratch);
}

unsigned run_count_scratch(void)
{
	DIR *dir = opendir(scratch);
	unsigned count = 0;

	for (const struct dirent *e; dir && (e = readdir(dir));)
		count += !is_dot(e->d_name);
	if (dir)
		closedir(dir);
	return count;
}

const char *run_scratch(void)
{
	return scratch;
}

static const char *join(const char *folder, const char *name)
{
	static char paths[ROTATING_PATHS][4096];
	static unsigned next;
	char *path = paths[next++ % ROTATING_PATHS];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

const char *run_path(const char *name)
{
	return join(scratch, name);
}

const char *run_guest(const char *name)
{
	return join(VMM_GUEST_DIR, name);
}

void run_write_file(const char *name, const void *bytes, size_t len)
{
	int fd = open(run_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

char *run_read_file(const char *name, size_t *len)
{
	int fd = open(run_path(name), O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *bytes;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	bytes = malloc((size_t)st.st_size + 1);
	assert_non_null(bytes);
	assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
	close(fd);
	bytes[st.st_size] = 0;
	if (len)
		*len = (size_t)st.st_size;
	return bytes;
}

int run_require_kvm(const char *program)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC), saved = errno;
	int version = fd < 0 ? -1 : ioctl(fd, KVM_GET_API_VERSION, 0);
	const char *required = getenv("VMM_REQUIRE_KVM");

	if (fd >= 0)
		close(fd);
	if (version == KVM_API_VERSION)
		return 0;
	printf("%s: %s: /dev/kvm: %s\n", required && strcmp(required, "1") == 0 ? "FAILED" : "SKIPPED", program,
	       fd < 0 ? strerror(saved) : "not the KVM device");
	return required && strcmp(required, "1") == 0 ? 1 : RUN_SKIP;
}

bool run_has_hardware_virtualization(void)
{
	unsigned eax, ebx, ecx, edx;

	if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx & CPUID_1_ECX_VMX)
		return true;
	return __get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) && ecx & CPUID_80000001_ECX_SVM;
}
