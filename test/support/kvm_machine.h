/* SPDX-License-Identifier: Apache-2.0 */
/* A VM with a little memory and one vCPU, for tests on the real KVM. */
#ifndef VMM_TEST_KVM_MACHINE_H
#define VMM_TEST_KVM_MACHINE_H

#include <string.h>
#include <sys/mman.h>

#include "kvm/kvm.h"

#define KVM_MACHINE_MEMORY 0x10000ULL
#define KVM_MACHINE_CODE   0x1000ULL

struct kvm_machine {
	struct kvm_host host;
	struct kvm_vm vm;
	struct kvm_vcpu vcpu;
	uint8_t *ram;
};

/* Takes what a half-made machine has. */
static inline int kvm_machine_fini(struct kvm_machine *m)
{
	kvm_vcpu_close(&m->vcpu);
	kvm_vm_close(&m->vm);
	kvm_host_close(&m->host);
	return m->ram ? munmap(m->ram, KVM_MACHINE_MEMORY) : 0;
}

static inline int kvm_machine_init(struct kvm_machine *m)
{
	struct error err;
	void *ram = mmap(NULL, KVM_MACHINE_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*m = (struct kvm_machine){.host.fd = -1, .vm.fd = -1, .vcpu.fd = -1};
	if (ram == MAP_FAILED)
		return -1;
	m->ram = ram;
	if (kvm_host_open(&m->host, "/dev/kvm", &err) || kvm_vm_create(&m->vm, &m->host) ||
	    kvm_vm_set_helper_pages(&m->vm, 0xfffbd000, 0xfffbc000) || kvm_vm_create_irqchip(&m->vm) ||
	    kvm_vm_set_memory(&m->vm, 0, 0, KVM_MACHINE_MEMORY, ram) ||
	    kvm_vcpu_create(&m->vcpu, &m->host, &m->vm, 0)) {
		kvm_machine_fini(m);
		return -1;
	}
	return 0;
}

/* cmocka's set-up and tear-down: a machine whose vCPU has the supported CPUID. */
static inline int kvm_machine_set_up(void **state)
{
	static struct kvm_machine machine;
	static struct kvm_cpuid_table cpuid;

	*state = &machine;
	if (kvm_machine_init(&machine))
		return -1;
	if (kvm_host_supported_cpuid(&machine.host, &cpuid) || kvm_vcpu_set_cpuid(&machine.vcpu, &cpuid)) {
		kvm_machine_fini(&machine);
		return -1;
	}
	return 0;
}

static inline int kvm_machine_tear_down(void **state)
{
	return kvm_machine_fini(*state);
}

/* Puts @code, which runs in real mode, at KVM_MACHINE_CODE and lets the vCPU begin there. */
static inline int kvm_machine_load(struct kvm_machine *m, const void *code, size_t len)
{
	struct kvm_regs regs = {.rip = KVM_MACHINE_CODE, .rflags = 2};
	struct kvm_sregs sregs;
	int err = kvm_vcpu_get_sregs(&m->vcpu, &sregs);

	memcpy(m->ram + KVM_MACHINE_CODE, code, len);
	if (err)
		return err;
	sregs.cs.base = sregs.cs.selector = 0;
	err = kvm_vcpu_set_sregs(&m->vcpu, &sregs);
	return err ? err : kvm_vcpu_set_regs(&m->vcpu, &regs);
}

#endif
