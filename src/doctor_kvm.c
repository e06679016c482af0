/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor's checks of /dev/kvm. Capabilities: Linux Documentation/virt/kvm/api.rst. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/layout.h"
#include "doctor_checks.h"
#include "x86/assist_probe.h"

#define KVM_PATH     "/dev/kvm"
#define KVM_MKNOD    "mknod /dev/kvm c 10 232"
#define NAME_SIZE    64
#define NOT_POSSIBLE "not looked at: " KVM_PATH " cannot be opened"

/* From the files alone: the libc's own look-ups need its shared modules, which a static program may lack. */
static void name_of_user(const struct doctor *doctor, uid_t uid, char name[NAME_SIZE])
{
	char path[DOCTOR_PATH_SIZE];
	FILE *file = fopen(doctor_path(doctor, "/etc/passwd", path), "re");
	const struct passwd *entry;

	snprintf(name, NAME_SIZE, "%u", uid);
	if (!file)
		return;
	while ((entry = fgetpwent(file)) && entry->pw_uid != uid)
		continue;
	if (entry)
		snprintf(name, NAME_SIZE, "%s", entry->pw_name);
	fclose(file);
}

static void name_of_group(const struct doctor *doctor, gid_t gid, char name[NAME_SIZE])
{
	char path[DOCTOR_PATH_SIZE];
	FILE *file = fopen(doctor_path(doctor, "/etc/group", path), "re");
	const struct group *entry;

	snprintf(name, NAME_SIZE, "%u", gid);
	if (!file)
		return;
	while ((entry = fgetgrent(file)) && entry->gr_gid != gid)
		continue;
	if (entry)
		snprintf(name, NAME_SIZE, "%s", entry->gr_name);
	fclose(file);
}

static void advise_missing(const struct doctor *doctor, struct doctor_result *result)
{
	if (doctor->cpu.has_virtualization)
		doctor_advise(result,
			      "modprobe kvm_intel (or kvm_amd); in a container: start it with --device " KVM_PATH);
	else
		doctor_advise(result,
			      "switch on VT-x or AMD-V in the firmware, or nested virtualization in the hypervisor "
			      "above; then modprobe kvm_intel (or kvm_amd)");
}

void doctor_check_kvm_device(struct doctor *doctor, struct doctor_result *result)
{
	char path[DOCTOR_PATH_SIZE], user[NAME_SIZE], group[NAME_SIZE];
	struct stat st;

	if (stat(doctor_path(doctor, KVM_PATH, path), &st) < 0) {
		doctor_say(result, DOCTOR_FAIL, KVM_PATH ": %s", strerror(errno));
		advise_missing(doctor, result);
		return;
	}
	name_of_user(doctor, st.st_uid, user);
	name_of_group(doctor, st.st_gid, group);
	if (!S_ISCHR(st.st_mode)) {
		doctor_say(result, DOCTOR_FAIL, KVM_PATH ": is not a device");
		doctor_advise(result, "remove it, then " KVM_MKNOD);
	} else if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) < 0) {
		doctor_say(result, DOCTOR_FAIL, KVM_PATH ": no access; it belongs to %s:%s, mode %04o", user, group,
			   st.st_mode & 07777);
		doctor_advise(result, "sudo usermod -aG %s $USER and log in again, or run as root", group);
		if ((st.st_mode & 0060) != 0060 || st.st_gid == 0)
			doctor_advise(result,
				      "let a group use it: sudo chgrp kvm " KVM_PATH " && sudo chmod 660 " KVM_PATH
				      ", then sudo usermod -aG kvm $USER and log in again; or run as root");
	} else {
		doctor_say(result, DOCTOR_PASS, KVM_PATH ": readable and writable; it belongs to %s:%s, mode %04o",
			   user, group, st.st_mode & 07777);
	}
}

void doctor_judge_open(struct doctor_result *result, int err)
{
	if (!err) {
		doctor_say(result, DOCTOR_PASS, "version %d", KVM_API_VERSION);
		return;
	}
	doctor_say(result, DOCTOR_FAIL, KVM_PATH ": %s", strerror(-err));
	switch (err) {
	case -ENOTTY:
		doctor_say(result, DOCTOR_FAIL, KVM_PATH ": is not the KVM device");
		doctor_advise(result, "remove it, then " KVM_MKNOD);
		break;
	case -EPROTO:
		doctor_say(result, DOCTOR_FAIL, KVM_PATH ": does not speak version %d of the API", KVM_API_VERSION);
		doctor_advise(result, "use Linux 5.10 or later");
		break;
	case -EPERM:
	case -EACCES:
		doctor_advise(result, "in a container: start it with --device " KVM_PATH "; else see the line above");
		break;
	default:
		doctor_advise(result, "modprobe kvm_intel (or kvm_amd), and see what dmesg says about kvm");
		break;
	}
}

void doctor_check_kvm_api(struct doctor *doctor, struct doctor_result *result)
{
	char path[DOCTOR_PATH_SIZE];
	struct error err;
	struct stat st;

	if (stat(doctor_path(doctor, KVM_PATH, path), &st) < 0 || !S_ISCHR(st.st_mode))
		doctor_say(result, DOCTOR_INFO, NOT_POSSIBLE);
	else
		doctor_judge_open(result, kvm_host_open(&doctor->kvm, path, &err));
}

void doctor_judge_backend(struct doctor_result *result, const struct doctor_cpu *cpu, const char *module)
{
	const char *served = module ? module : "no module seen";

	if (!cpu->has_virtualization) {
		doctor_say(result, DOCTOR_WARN,
			   "emulator-assisted: the CPU shows neither VMX nor SVM (%s); a guest's kernel code runs "
			   "about 1000 "
			   "times slower than its programs",
			   served);
		doctor_advise(result,
			      "nothing needs doing, --assist auto makes Linux boot; for speed use a host with VT-x or "
			      "AMD-V, or nested virtualization; see `man vmm`");
	} else if (cpu->has_hypervisor) {
		doctor_say(result, DOCTOR_PASS, "nested: this host is a VM whose hypervisor passes VMX or SVM on (%s)",
			   served);
	} else {
		doctor_say(result, DOCTOR_PASS, "hardware: VMX or SVM (%s)", served);
	}
}

void doctor_check_backend(struct doctor *doctor, struct doctor_result *result)
{
	static const char *const modules[] = {"kvm_intel", "kvm_amd", "kvm_pvm"};
	const char *found = NULL;

	for (unsigned i = 0; i < ARRAY_SIZE(modules); i++) {
		char name[64], path[DOCTOR_PATH_SIZE];

		snprintf(name, sizeof(name), "/sys/module/%s", modules[i]);
		if (access(doctor_path(doctor, name, path), F_OK) == 0)
			found = modules[i];
	}
	doctor_judge_backend(result, &doctor->cpu, found);
}

enum capability_use {
	CAPABILITY_NEEDED, /* no guest runs without it */
	CAPABILITY_ASSIST, /* needed where the assist is */
	CAPABILITY_USEFUL,
};

static const struct {
	int number;
	enum capability_use use;
	const char *name;
} capabilities[] = {
	{KVM_CAP_IRQCHIP, CAPABILITY_NEEDED, "IRQCHIP"},
	{KVM_CAP_USER_MEMORY, CAPABILITY_NEEDED, "USER_MEMORY"},
	{KVM_CAP_SET_TSS_ADDR, CAPABILITY_NEEDED, "SET_TSS_ADDR"},
	{KVM_CAP_SET_IDENTITY_MAP_ADDR, CAPABILITY_NEEDED, "SET_IDENTITY_MAP_ADDR"},
	{KVM_CAP_EXT_CPUID, CAPABILITY_NEEDED, "EXT_CPUID"},
	{KVM_CAP_MP_STATE, CAPABILITY_NEEDED, "MP_STATE"},
	{KVM_CAP_PIT2, CAPABILITY_NEEDED, "PIT2"},
	{KVM_CAP_IMMEDIATE_EXIT, CAPABILITY_NEEDED, "IMMEDIATE_EXIT"},
	{KVM_CAP_IRQFD, CAPABILITY_NEEDED, "IRQFD"},
	{KVM_CAP_IOEVENTFD, CAPABILITY_NEEDED, "IOEVENTFD"},
	{KVM_CAP_VCPU_EVENTS, CAPABILITY_ASSIST, "VCPU_EVENTS"},
	{KVM_CAP_XSAVE, CAPABILITY_ASSIST, "XSAVE"},
	{KVM_CAP_XCRS, CAPABILITY_ASSIST, "XCRS"},
	{KVM_CAP_X86_USER_SPACE_MSR, CAPABILITY_ASSIST, "X86_USER_SPACE_MSR"},
	{KVM_CAP_X86_MSR_FILTER, CAPABILITY_ASSIST, "X86_MSR_FILTER"},
	{KVM_CAP_TSC_DEADLINE_TIMER, CAPABILITY_USEFUL, "TSC_DEADLINE_TIMER"},
	{KVM_CAP_XSAVE2, CAPABILITY_USEFUL, "XSAVE2"},
	{KVM_CAP_EXIT_ON_EMULATION_FAILURE, CAPABILITY_USEFUL, "EXIT_ON_EMULATION_FAILURE"},
};

static void append_name(char *list, size_t size, const char *name)
{
	size_t len = strlen(list);

	snprintf(list + len, size - len, "%s%s", len ? ", " : "", name);
}

void doctor_judge_capabilities(struct doctor_result *result, int (*value)(void *opaque, int capability), void *opaque,
			       bool needs_assist)
{
	char fatal[200] = "", useful[200] = "";

	for (unsigned i = 0; i < ARRAY_SIZE(capabilities); i++) {
		enum capability_use use = capabilities[i].use;

		if (value(opaque, capabilities[i].number) > 0)
			continue;
		if (use == CAPABILITY_NEEDED || (use == CAPABILITY_ASSIST && needs_assist))
			append_name(fatal, sizeof(fatal), capabilities[i].name);
		else
			append_name(useful, sizeof(useful), capabilities[i].name);
	}
	if (fatal[0])
		doctor_say(result, DOCTOR_FAIL, "missing: %s", fatal);
	else if (useful[0])
		doctor_say(result, DOCTOR_WARN, "all that are needed; missing of the useful ones: %s", useful);
	else
		doctor_say(result, DOCTOR_PASS, "all %zu that vmm uses", ARRAY_SIZE(capabilities));
	if (result->status != DOCTOR_PASS)
		doctor_advise(result, "use a newer kernel; Linux 6.1 has them all");
}

static int ask_kvm(void *opaque, int capability)
{
	return kvm_host_capability(opaque, capability);
}

void doctor_check_capabilities(struct doctor *doctor, struct doctor_result *result)
{
	if (doctor->kvm.fd < 0)
		doctor_say(result, DOCTOR_INFO, NOT_POSSIBLE);
	else
		doctor_judge_capabilities(result, ask_kvm, &doctor->kvm, !doctor->cpu.has_virtualization);
}

static int try_vm(const struct kvm_host *host, const char **step)
{
	struct kvm_vm vm;
	struct kvm_vcpu vcpu;
	int err;

	*step = "create a VM";
	err = kvm_vm_create(&vm, host);
	if (err)
		return err;
	*step = "create the interrupt controllers";
	err = kvm_vm_create_irqchip(&vm);
	if (!err) {
		*step = "create a vCPU";
		err = kvm_vcpu_create(&vcpu, host, &vm, 0);
		kvm_vcpu_close(&vcpu);
	}
	kvm_vm_close(&vm);
	return err;
}

void doctor_check_kvm_vm(struct doctor *doctor, struct doctor_result *result)
{
	const char *step;
	int err;

	if (doctor->kvm.fd < 0) {
		doctor_say(result, DOCTOR_INFO, NOT_POSSIBLE);
		return;
	}
	err = try_vm(&doctor->kvm, &step);
	if (!err) {
		doctor_say(result, DOCTOR_PASS, "a VM with a vCPU can be made");
		return;
	}
	doctor_say(result, DOCTOR_FAIL, "cannot %s: %s", step, strerror(-err));
	doctor_advise(result, err == -EBUSY ? "another hypervisor holds the CPU's virtualization: stop it"
					    : "see what dmesg says about kvm, and the limits below");
}

void doctor_judge_vcpus(struct doctor_result *result, int max, int recommended)
{
	/* A kernel without the first capability allows what the second one says; without both, 4 (api.rst, 4.7). */
	if (max <= 0)
		max = recommended > 0 ? recommended : 4;
	doctor_say(result, DOCTOR_PASS, "up to %d in a VM (KVM allows %d and recommends %d)",
		   max < LAYOUT_MAX_CPUS ? max : LAYOUT_MAX_CPUS, max, recommended > 0 ? recommended : max);
}

void doctor_check_vcpus(struct doctor *doctor, struct doctor_result *result)
{
	if (doctor->kvm.fd < 0)
		doctor_say(result, DOCTOR_INFO, NOT_POSSIBLE);
	else
		doctor_judge_vcpus(result, kvm_host_capability(&doctor->kvm, KVM_CAP_MAX_VCPUS),
				   kvm_host_capability(&doctor->kvm, KVM_CAP_NR_VCPUS));
}

void doctor_judge_syscall(struct doctor_result *result, int err, bool stays_in_user)
{
	if (err) {
		doctor_say(result, DOCTOR_WARN, "`syscall` could not be tried: %s", strerror(-err));
		doctor_advise(result, "see what dmesg says about kvm; vmm will take it that `syscall` works");
	} else if (stays_in_user) {
		doctor_say(result, DOCTOR_INFO,
			   "`syscall` does not leave CPL 3 here: the assist repairs it with a trampoline");
		doctor_advise(result,
			      "nothing needs doing; with --assist off a guest's programs cannot call its kernel");
	} else {
		doctor_say(result, DOCTOR_PASS, "`syscall` enters a guest's kernel by itself");
	}
}

void doctor_check_syscall(struct doctor *doctor, struct doctor_result *result)
{
	bool stays_in_user = false;
	int err;

	if (doctor->kvm.fd < 0) {
		doctor_say(result, DOCTOR_INFO, NOT_POSSIBLE);
		return;
	}
	err = assist_probe_syscall(&doctor->kvm, &stays_in_user);
	doctor_judge_syscall(result, err, stays_in_user);
}
