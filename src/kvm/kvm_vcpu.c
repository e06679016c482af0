/* SPDX-License-Identifier: Apache-2.0 */
/* vCPU ioctls: entering the guest, and moving its state in and out. */
#include "kvm/kvm.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "base/file.h"

static int vcpu_ioctl(const struct kvm_vcpu *vcpu, unsigned long request, const void *argument)
{
	return ioctl(vcpu->fd, request, argument) < 0 ? -errno : 0;
}

int kvm_vcpu_create(struct kvm_vcpu *vcpu, const struct kvm_host *host, const struct kvm_vm *vm, unsigned id)
{
	void *run;
	int err, size;

	*vcpu = (struct kvm_vcpu){.run_size = host->run_size};
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)id);
	if (vcpu->fd < 0)
		return -errno;
	run = mmap(NULL, host->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (run == MAP_FAILED) {
		err = -errno;
		kvm_vcpu_close(vcpu);
		return err;
	}
	vcpu->run = run;
	size = kvm_vm_capability(vm, KVM_CAP_XSAVE2);
	vcpu->xsave_size = size > (int)sizeof(struct kvm_xsave) ? (size_t)size : sizeof(struct kvm_xsave);
	return 0;
}

void kvm_vcpu_close(struct kvm_vcpu *vcpu)
{
	if (vcpu->run)
		munmap(vcpu->run, vcpu->run_size);
	vcpu->run = NULL;
	close_fd(&vcpu->fd);
}

int kvm_vcpu_run(const struct kvm_vcpu *vcpu)
{
	return vcpu_ioctl(vcpu, KVM_RUN, NULL);
}

int kvm_vcpu_get_regs(const struct kvm_vcpu *vcpu, struct kvm_regs *regs)
{
	return vcpu_ioctl(vcpu, KVM_GET_REGS, regs);
}

int kvm_vcpu_set_regs(const struct kvm_vcpu *vcpu, const struct kvm_regs *regs)
{
	return vcpu_ioctl(vcpu, KVM_SET_REGS, regs);
}

int kvm_vcpu_get_sregs(const struct kvm_vcpu *vcpu, struct kvm_sregs *sregs)
{
	return vcpu_ioctl(vcpu, KVM_GET_SREGS, sregs);
}

int kvm_vcpu_set_sregs(const struct kvm_vcpu *vcpu, const struct kvm_sregs *sregs)
{
	return vcpu_ioctl(vcpu, KVM_SET_SREGS, sregs);
}

int kvm_vcpu_get_lapic(const struct kvm_vcpu *vcpu, struct kvm_lapic_state *lapic)
{
	return vcpu_ioctl(vcpu, KVM_GET_LAPIC, lapic);
}

int kvm_vcpu_set_lapic(const struct kvm_vcpu *vcpu, const struct kvm_lapic_state *lapic)
{
	return vcpu_ioctl(vcpu, KVM_SET_LAPIC, lapic);
}

int kvm_vcpu_set_cpuid(const struct kvm_vcpu *vcpu, const struct kvm_cpuid_table *table)
{
	return vcpu_ioctl(vcpu, KVM_SET_CPUID2, &table->head);
}

int kvm_vcpu_get_cpuid(const struct kvm_vcpu *vcpu, struct kvm_cpuid_table *table)
{
	memset(table, 0, sizeof(*table));
	table->head.nent = KVM_MAX_CPUID_ENTRIES;
	return vcpu_ioctl(vcpu, KVM_GET_CPUID2, &table->head);
}

/* struct kvm_msrs with room for its flexible array. */
struct msr_batch {
	struct kvm_msrs head;
	struct kvm_msr_entry entries[KVM_MAX_MSRS];
};

int kvm_vcpu_set_msrs(const struct kvm_vcpu *vcpu, const struct kvm_msr_entry *entries, unsigned count)
{
	struct msr_batch batch = {.head.nmsrs = count};
	int done;

	ASSERT(count <= KVM_MAX_MSRS);
	memcpy(batch.entries, entries, count * sizeof(*entries));
	done = ioctl(vcpu->fd, KVM_SET_MSRS, &batch);
	if (done < 0)
		return -errno;
	return (unsigned)done == count ? 0 : -EIO;
}

int kvm_vcpu_get_msr(const struct kvm_vcpu *vcpu, uint32_t index, uint64_t *value)
{
	struct msr_batch batch = {.head.nmsrs = 1, .entries[0].index = index};
	int done = ioctl(vcpu->fd, KVM_GET_MSRS, &batch);

	if (done < 0)
		return -errno;
	*value = batch.entries[0].data;
	return done == 1 ? 0 : -EIO;
}

int kvm_vcpu_get_xcr0(const struct kvm_vcpu *vcpu, uint64_t *xcr0)
{
	struct kvm_xcrs xcrs = {0};
	int err = vcpu_ioctl(vcpu, KVM_GET_XCRS, &xcrs);

	*xcr0 = 1; /* x87 is always enabled */
	for (unsigned i = 0; !err && i < xcrs.nr_xcrs && i < KVM_MAX_XCRS; i++)
		if (xcrs.xcrs[i].xcr == 0)
			*xcr0 = xcrs.xcrs[i].value;
	return err;
}

int kvm_vcpu_get_events(const struct kvm_vcpu *vcpu, struct kvm_vcpu_events *events)
{
	return vcpu_ioctl(vcpu, KVM_GET_VCPU_EVENTS, events);
}

int kvm_vcpu_set_events(const struct kvm_vcpu *vcpu, const struct kvm_vcpu_events *events)
{
	return vcpu_ioctl(vcpu, KVM_SET_VCPU_EVENTS, events);
}

int kvm_vcpu_get_debugregs(const struct kvm_vcpu *vcpu, struct kvm_debugregs *debugregs)
{
	return vcpu_ioctl(vcpu, KVM_GET_DEBUGREGS, debugregs);
}

int kvm_vcpu_set_debugregs(const struct kvm_vcpu *vcpu, const struct kvm_debugregs *debugregs)
{
	return vcpu_ioctl(vcpu, KVM_SET_DEBUGREGS, debugregs);
}

int kvm_vcpu_get_mp_state(const struct kvm_vcpu *vcpu, uint32_t *state)
{
	struct kvm_mp_state mp = {0};
	int err = vcpu_ioctl(vcpu, KVM_GET_MP_STATE, &mp);

	if (!err)
		*state = mp.mp_state;
	return err;
}

int kvm_vcpu_get_xsave(const struct kvm_vcpu *vcpu, void *area, size_t size)
{
	if (size < vcpu->xsave_size)
		return -EINVAL;
	return vcpu_ioctl(vcpu, vcpu->xsave_size > sizeof(struct kvm_xsave) ? KVM_GET_XSAVE2 : KVM_GET_XSAVE, area);
}

int kvm_vcpu_set_xsave(const struct kvm_vcpu *vcpu, const void *area, size_t size)
{
	/* KVM_SET_XSAVE reads KVM_CAP_XSAVE2 bytes when that is more than 4096 (KVM API document, 4.43). */
	if (size < vcpu->xsave_size)
		return -EINVAL;
	return vcpu_ioctl(vcpu, KVM_SET_XSAVE, area);
}
