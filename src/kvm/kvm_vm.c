/* SPDX-License-Identifier: Apache-2.0 */
/* VM ioctls: memory slots, interrupt chips, MSR interception. */
#include "kvm/kvm.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/file.h"

static int enable_capability(const struct kvm_vm *vm, uint32_t capability, uint64_t argument)
{
	struct kvm_enable_cap cap = {.cap = capability, .args = {argument}};

	return ioctl(vm->fd, KVM_ENABLE_CAP, &cap) < 0 ? -errno : 0;
}

int kvm_vm_create(struct kvm_vm *vm, const struct kvm_host *host)
{
	/* KVM_CREATE_VM returns -EINTR when a signal is pending; nothing was made, so try again. */
	do {
		vm->fd = ioctl(host->fd, KVM_CREATE_VM, 0UL);
	} while (vm->fd < 0 && errno == EINTR);
	return vm->fd < 0 ? -errno : 0;
}

void kvm_vm_close(struct kvm_vm *vm)
{
	close_fd(&vm->fd);
}

int kvm_vm_capability(const struct kvm_vm *vm, int capability)
{
	int value = ioctl(vm->fd, KVM_CHECK_EXTENSION, capability);

	return value < 0 ? 0 : value;
}

int kvm_vm_set_helper_pages(const struct kvm_vm *vm, uint64_t tss, uint64_t identity_map)
{
	__u64 address = identity_map;

	if (ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &address) < 0)
		return -errno;
	return ioctl(vm->fd, KVM_SET_TSS_ADDR, tss) < 0 ? -errno : 0;
}

int kvm_vm_create_irqchip(const struct kvm_vm *vm)
{
	return ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0) < 0 ? -errno : 0;
}

int kvm_vm_create_pit(const struct kvm_vm *vm)
{
	struct kvm_pit_config config = {.flags = KVM_PIT_SPEAKER_DUMMY};

	return ioctl(vm->fd, KVM_CREATE_PIT2, &config) < 0 ? -errno : 0;
}

int kvm_vm_set_memory(const struct kvm_vm *vm, unsigned slot, uint64_t gpa, uint64_t size, void *hva)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)hva,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) < 0 ? -errno : 0;
}

int kvm_vm_set_irq_line(const struct kvm_vm *vm, uint32_t gsi, bool level)
{
	struct kvm_irq_level irq = {.irq = gsi, .level = level};

	return ioctl(vm->fd, KVM_IRQ_LINE, &irq) < 0 ? -errno : 0;
}

int kvm_vm_intercept_msrs(const struct kvm_vm *vm, uint32_t first, unsigned count)
{
	uint8_t denied[8] = {0}; /* a clear bit denies: the access leaves the kernel */
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges[0] = {.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
			      .nmsrs = count,
			      .base = first,
			      .bitmap = denied},
	};
	int err = enable_capability(vm, KVM_CAP_X86_USER_SPACE_MSR, KVM_MSR_EXIT_REASON_FILTER);

	ASSERT(count <= 8 * sizeof(denied));
	if (err)
		return err;
	return ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &filter) < 0 ? -errno : 0;
}

int kvm_vm_exit_on_emulation_failure(const struct kvm_vm *vm)
{
	return enable_capability(vm, KVM_CAP_EXIT_ON_EMULATION_FAILURE, 1);
}
