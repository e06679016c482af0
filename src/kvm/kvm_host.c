/* SPDX-License-Identifier: Apache-2.0 */
/* /dev/kvm itself: access, API version, capabilities, supported CPUID. */
#include "kvm/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/file.h"

static int open_failed(const char *path, int code, struct error *err)
{
	const char *remedy = "see `vmm doctor`";

	if (code == ENOENT)
		remedy = "load the kvm module (modprobe kvm_intel or kvm_amd) or enable virtualization; see `vmm "
			 "doctor`";
	else if (code == EACCES || code == EPERM)
		remedy = "add yourself to group kvm (sudo usermod -aG kvm $USER) or see `vmm doctor`";
	return error_set(err, -code, "%s: %s; %s", path, strerror(code), remedy);
}

int kvm_host_open(struct kvm_host *host, const char *path, struct error *err)
{
	int version, size;

	*host = (struct kvm_host){.fd = open(path, O_RDWR | O_CLOEXEC)};
	if (host->fd < 0)
		return open_failed(path, errno, err);
	version = ioctl(host->fd, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION) {
		kvm_host_close(host);
		if (version < 0)
			return error_set(err, -ENOTTY, "%s: is not the KVM device; see `vmm doctor`", path);
		return error_set(err, -EPROTO, "%s: API version %d, need %d; use a Linux kernel of 2.6.22 or later",
				 path, version, KVM_API_VERSION);
	}
	size = ioctl(host->fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (size < (int)sizeof(struct kvm_run)) {
		kvm_host_close(host);
		return error_set(err, -EPROTO, "%s: reports an impossible vCPU mapping size %d", path, size);
	}
	host->run_size = (size_t)size;
	return 0;
}

void kvm_host_close(struct kvm_host *host)
{
	close_fd(&host->fd);
}

int kvm_host_capability(const struct kvm_host *host, int capability)
{
	int value = ioctl(host->fd, KVM_CHECK_EXTENSION, capability);

	return value < 0 ? 0 : value;
}

int kvm_host_supported_cpuid(const struct kvm_host *host, struct kvm_cpuid_table *table)
{
	memset(table, 0, sizeof(*table));
	table->head.nent = KVM_MAX_CPUID_ENTRIES;
	return ioctl(host->fd, KVM_GET_SUPPORTED_CPUID, &table->head) < 0 ? -errno : 0;
}
