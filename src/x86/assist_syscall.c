/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LSTAR, as KVM holds it, points to a page of ours that the guest's page tables map user-executable. Its one
 * instruction stores to a page where no memory is; that exit is the system call. The guest reads back the LSTAR it
 * wrote.
 */
#include "x86/assist_syscall.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/log.h"
#include "boot/layout.h"
#include "x86/arch.h"
#include "x86/assist_probe.h"
#include "x86/paging.h"

/*
 * Linux's fixmap: the 2 MiB below 0xffffffffff800000, whose page table all processes share and whose upper levels carry
 * the USER bit for the vsyscall page. The permanent entries grow down from its top and the vsyscall page is its first
 * entry (arch/x86/include/asm/fixmap.h), so the search starts above that one.
 */
#define FIXMAP_SEARCH_START 0xffffffffff602000ULL
#define FIXMAP_SEARCH_END   0xffffffffff700000ULL

#define PTE_PRESENT  (1ULL << 0)
#define PTE_WRITE    (1ULL << 1)
#define PTE_USER     (1ULL << 2)
#define PTE_NO_CACHE (1ULL << 4)
#define PTE_ACCESSED (1ULL << 5)
#define PTE_DIRTY    (1ULL << 6)
#define PTE_NX	     (1ULL << 63)

#define CODE_PTE (LAYOUT_ASSIST_CODE | PTE_PRESENT | PTE_USER | PTE_ACCESSED)
#define MMIO_PTE                                                                                                       \
	(LAYOUT_ASSIST_MMIO | PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_NO_CACHE | PTE_ACCESSED | PTE_DIRTY | PTE_NX)

/* Flags that code at CPL 3 sets as it likes; the others are the kernel's. */
#define USER_FLAGS                                                                                                     \
	(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_TF | RFLAGS_DF | RFLAGS_OF | RFLAGS_NT |   \
	 RFLAGS_AC | RFLAGS_ID)

/* movabs %al, address: no register changes. */
static int write_trampoline(const struct assist_vm *assist, uint64_t mmio_gva)
{
	uint8_t code[1 + sizeof(mmio_gva)] = {0xa2};

	memcpy(code + 1, &mmio_gva, sizeof(mmio_gva));
	return guest_mem_write(assist->mem, gpa(LAYOUT_ASSIST_CODE), code, sizeof(code));
}

/* Two neighbouring page-table entries that are all zero, found through @sregs's tables; the first one's address. */
static int find_free_pair(const struct assist_vm *assist, const struct kvm_sregs *sregs, uint64_t *gva, gpa_t *pte)
{
	for (uint64_t at = FIXMAP_SEARCH_START; at < FIXMAP_SEARCH_END; at += 2 * GUEST_PAGE_SIZE) {
		uint64_t entries[2];
		int err = paging_find_pte(assist->mem, sregs, at, pte);

		if (err)
			return err;
		err = guest_mem_read(assist->mem, *pte, entries, sizeof(entries));
		if (err)
			return err;
		if (entries[0] == 0 && entries[1] == 0) {
			*gva = at;
			return 0;
		}
	}
	return -ENOSPC;
}

/* Can CPL 3 execute the trampoline and reach its doorbell page? */
static bool is_reachable(const struct assist_vm *assist, const struct kvm_sregs *sregs, uint64_t gva)
{
	struct paging_fault fault;
	gpa_t at;

	return paging_translate(assist->mem, sregs, RFLAGS_FIXED, gva, PAGING_USER | PAGING_FETCH, &at, &fault) == 0 &&
	       paging_translate(assist->mem, sregs, RFLAGS_FIXED, gva + GUEST_PAGE_SIZE, PAGING_USER | PAGING_WRITE,
				&at, &fault) == -ENXIO;
}

static int install_trampoline(struct assist_vm *assist, const struct kvm_sregs *sregs)
{
	const uint64_t entries[2] = {CODE_PTE, MMIO_PTE}, none[2] = {0};
	uint64_t gva = 0;
	gpa_t pte;
	int err = find_free_pair(assist, sregs, &gva, &pte);

	if (err)
		return err;
	err = write_trampoline(assist, gva + GUEST_PAGE_SIZE);
	if (err)
		return err;
	err = guest_mem_write(assist->mem, pte, entries, sizeof(entries));
	if (err)
		return err;
	if (!is_reachable(assist, sregs, gva)) {
		err = guest_mem_write(assist->mem, pte, none, sizeof(none));
		return err ? err : -EPERM;
	}
	assist->trampoline_gva = gva;
	return 0;
}

/* Decides, once per VM, where `syscall` has to go. Called with the lock held. */
static void decide_path(struct assist_vm *assist, const struct kvm_sregs *sregs)
{
	bool stays_in_user = false;
	int err = assist_probe_syscall(assist->host, &stays_in_user);

	if (err)
		log_warn("assist: the system-call probe failed (%s); assuming that `syscall` works", strerror(-err));
	if (err || !stays_in_user) {
		assist->syscall_path = ASSIST_SYSCALL_NATIVE;
		return;
	}
	err = install_trampoline(assist, sregs);
	assist->syscall_path = err ? ASSIST_SYSCALL_NO_ROOM : ASSIST_SYSCALL_TRAMPOLINE;
	if (err)
		log_warn(
			"assist: `syscall` stays at CPL 3 on this host and the guest's page tables have no room for "
			"the "
			"trampoline (%s); its system calls will fault",
			strerror(-err));
}

static int use_trampoline(struct assist_vcpu *av, bool *use)
{
	struct assist_vm *assist = av->vm;
	struct kvm_sregs sregs;
	int err = kvm_vcpu_get_sregs(av->vcpu, &sregs);

	if (err)
		return err;
	pthread_mutex_lock(&assist->lock);
	if (assist->syscall_path == ASSIST_SYSCALL_UNDECIDED)
		decide_path(assist, &sregs);
	*use = assist->syscall_path == ASSIST_SYSCALL_TRAMPOLINE;
	pthread_mutex_unlock(&assist->lock);
	return 0;
}

static uint64_t *saved_msr(struct assist_vcpu *av, uint32_t index)
{
	switch (index) {
	case MSR_STAR:
		return &av->star;
	case MSR_LSTAR:
		return &av->lstar;
	case MSR_CSTAR:
		return &av->cstar;
	case MSR_SFMASK:
		return &av->sfmask;
	default:
		return NULL;
	}
}

/* By 57 bits, the widest form. */
static bool is_canonical(uint64_t address)
{
	int64_t top = (int64_t)address >> 56;

	return top == 0 || top == -1;
}

enum assist_verdict assist_syscall_wrmsr(struct assist_vcpu *av)
{
	struct kvm_run *run = av->vcpu->run;
	uint64_t *saved = saved_msr(av, run->msr.index);
	struct kvm_msr_entry entry = {.index = run->msr.index, .data = run->msr.data};
	bool trampoline = false;

	if (!saved)
		return ASSIST_NOT_OURS;
	if (entry.index == MSR_LSTAR && !is_canonical(entry.data)) {
		run->msr.error = 1;
		return ASSIST_HANDLED;
	}
	if (entry.index == MSR_LSTAR && entry.data != 0) {
		if (use_trampoline(av, &trampoline))
			return ASSIST_STUCK;
		av->trampoline = trampoline;
		if (trampoline)
			entry.data = av->vm->trampoline_gva;
	}
	run->msr.error = kvm_vcpu_set_msrs(av->vcpu, &entry, 1) != 0;
	if (!run->msr.error)
		*saved = run->msr.data;
	return ASSIST_HANDLED;
}

enum assist_verdict assist_syscall_rdmsr(struct assist_vcpu *av)
{
	struct kvm_run *run = av->vcpu->run;
	const uint64_t *saved = saved_msr(av, run->msr.index);

	if (!saved)
		return ASSIST_NOT_OURS;
	run->msr.data = *saved;
	run->msr.error = 0;
	return ASSIST_HANDLED;
}

void assist_syscall_enter(struct kvm_regs *regs, struct kvm_sregs *sregs, uint64_t star, uint64_t lstar,
			  uint64_t sfmask)
{
	uint16_t selector = (uint16_t)(star >> 32 & 0xfffc);
	uint64_t privileged = regs->rflags & RFLAGS_IOPL;

	sregs->cs = (struct kvm_segment){.limit = 0xffffffff,
					 .selector = selector,
					 .type = SEGMENT_TYPE_CODE,
					 .present = 1,
					 .s = 1,
					 .l = 1,
					 .g = 1};
	sregs->ss = (struct kvm_segment){.limit = 0xffffffff,
					 .selector = (uint16_t)(selector + 8),
					 .type = SEGMENT_TYPE_DATA,
					 .present = 1,
					 .db = 1,
					 .s = 1,
					 .g = 1};
	/* User code with IOPL 3 may have interrupts off; without, it cannot. */
	privileged |= privileged == RFLAGS_IOPL ? regs->r11 & RFLAGS_IF : RFLAGS_IF;
	regs->r11 = (regs->r11 & USER_FLAGS) | privileged | RFLAGS_FIXED;
	regs->rflags = (regs->r11 & ~(sfmask | RFLAGS_RF)) | RFLAGS_FIXED;
	regs->rip = lstar;
}

enum assist_verdict assist_syscall_mmio(struct assist_vcpu *av)
{
	const struct kvm_run *run = av->vcpu->run;
	struct kvm_regs regs;
	struct kvm_sregs sregs;

	if (!av->trampoline || run->mmio.phys_addr != LAYOUT_ASSIST_MMIO || !run->mmio.is_write)
		return ASSIST_NOT_OURS;
	if (kvm_vcpu_get_regs(av->vcpu, &regs) || kvm_vcpu_get_sregs(av->vcpu, &sregs))
		return ASSIST_STUCK;
	/* Only user code on the trampoline's page makes system calls; the kernel may map that address too. */
	if ((sregs.cs.selector & 3) != 3 || align_down(regs.rip, GUEST_PAGE_SIZE) != av->vm->trampoline_gva)
		return ASSIST_NOT_OURS;
	assist_syscall_enter(&regs, &sregs, av->star, av->lstar, av->sfmask);
	if (kvm_vcpu_set_sregs(av->vcpu, &sregs) || kvm_vcpu_set_regs(av->vcpu, &regs))
		return ASSIST_STUCK;
	atomic_fetch_add_explicit(&av->syscalls, 1, memory_order_relaxed);
	return ASSIST_HANDLED;
}
