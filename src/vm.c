/* SPDX-License-Identifier: Apache-2.0 */
/* Assembly and tear-down. */
#include "vm.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/parse.h"
#include "boot/acpi.h"
#include "boot/initrd.h"
#include "boot/mptable.h"
#include "x86/cpuid.h"
#include "x86/vcpu_setup.h"

static int make_memory(struct vm *vm, struct error *err)
{
	char size[32];
	int ret = guest_mem_init(&vm->mem, vm->config->mem_size);

	if (ret)
		return error_set(
			err, ret,
			"--mem %s: cannot map guest memory: %s; give less, or raise the limit on address space",
			format_size(vm->config->mem_size, size, sizeof(size)), strerror(-ret));
	return 0;
}

/* The user's, between a root file system for a command that has none and what runs the command: later files win. */
static unsigned list_initrds(const struct vm *vm, struct initrd_item items[CONFIG_MAX_INITRDS + 2])
{
	const struct config *config = vm->config;
	const struct archive *root = &vm->command.root, *own = &vm->command.own;
	unsigned count = 0;

	if (root->size)
		items[count++] = (struct initrd_item){
			.kind = INITRD_BYTES, .path = "busybox", .bytes = root->bytes, .size = root->size};
	for (unsigned i = 0; i < config->nr_initrds; i++)
		items[count++] = (struct initrd_item){
			.kind = config->initrds[i].is_folder ? INITRD_FOLDER : INITRD_FILE,
			.path = config->initrds[i].path,
		};
	if (own->size)
		items[count++] = (struct initrd_item){
			.kind = INITRD_BYTES, .path = "command", .bytes = own->bytes, .size = own->size};
	return count;
}

static int load_image(struct vm *vm, struct error *err)
{
	struct initrd_item items[CONFIG_MAX_INITRDS + 2];
	struct image_request request = {
		.kernel_path = vm->config->kernel,
		.initrds = items,
		.nr_initrds = list_initrds(vm, items),
		.cmdline = vm->config->cmdline,
		.protocol = vm->config->protocol,
		.machine = &vm->machine,
	};
	int ret = acpi_write(&vm->machine, &vm->mem, &request.rsdp, err);

	if (!ret)
		ret = mptable_write(&vm->machine, &vm->mem, err);
	if (!ret)
		ret = image_load(&request, &vm->mem, &vm->entry, &vm->image, err);
	return ret;
}

int vm_load(struct vm *vm, const struct config *config, uint64_t start_ns, struct error *err)
{
	int ret;

	memset(vm, 0, sizeof(*vm));
	vm->config = config;
	vm->start_ns = start_ns;
	vm->wake_fd = vm->signal_fd = vm->host.fd = vm->kvm.fd = -1;
	vm->machine.nr_cpus = config->nr_cpus;
	ret = make_memory(vm, err);
	if (!ret)
		ret = vm_command_load(&vm->command, config, err);
	if (!ret)
		ret = load_image(vm, err);
	archive_fini(&vm->command.root);
	archive_fini(&vm->command.own);
	return ret;
}

static int failed(struct error *err, int code, const char *step)
{
	return error_set(err, code, "KVM: cannot %s: %s; see `vmm doctor`", step, strerror(-code));
}

static int add_memory_slots(struct vm *vm, struct error *err)
{
	for (unsigned i = 0; i < vm->mem.nr_regions; i++) {
		const struct guest_region *r = &vm->mem.regions[i];
		int ret = kvm_vm_set_memory(&vm->kvm, i, r->base.addr, r->size, r->hva);

		if (ret)
			return failed(err, ret, "give the VM its memory");
	}
	if (vm->command.window) {
		int ret = kvm_vm_set_memory(&vm->kvm, vm->mem.nr_regions, LAYOUT_COMMAND_WINDOW, VM_COMMAND_WINDOW_SIZE,
					    vm->command.window);

		if (ret)
			return failed(err, ret, "give the VM its command's window");
	}
	return 0;
}

static int make_interrupt_chips(struct vm *vm, struct error *err)
{
	int ret = kvm_vm_create_irqchip(&vm->kvm);

	if (ret)
		return failed(err, ret, "create the interrupt controllers");
	ret = kvm_vm_create_pit(&vm->kvm);
	return ret ? failed(err, ret, "create the timer") : 0;
}

/*
 * The order matters for the time it takes: the interrupt chips leave work for KVM's SRCU behind, and whatever waits for
 * that work (a memory slot, an MSR filter) then waits for several timer ticks.
 */
static int make_kvm_vm(struct vm *vm, struct error *err)
{
	int ret = kvm_host_supported_cpuid(&vm->host, &vm->supported_cpuid);

	if (ret)
		return failed(err, ret, "read the supported CPUID");
	ret = kvm_vm_create(&vm->kvm, &vm->host);
	if (ret)
		return failed(err, ret, "create a VM");
	ret = kvm_vm_set_helper_pages(&vm->kvm, LAYOUT_KVM_TSS, LAYOUT_KVM_IDENTITY_MAP);
	if (ret)
		return failed(err, ret, "place the VM's helper pages");
	ret = assist_vm_init(&vm->assist, assist_is_wanted(vm->config->assist), &vm->host, &vm->kvm, &vm->mem,
			     &vm->supported_cpuid, err);
	if (!ret)
		ret = add_memory_slots(vm, err);
	if (!ret)
		ret = make_interrupt_chips(vm, err);
	return ret;
}

static int make_vcpu(struct vm *vm, unsigned id, bool tsc_deadline, struct error *err)
{
	struct vcpu *vcpu = &vm->vcpus[id];
	struct kvm_cpuid_table cpuid = vm->supported_cpuid;
	const struct cpuid_request request = {
		.cpu = id, .nr_cpus = vm->config->nr_cpus, .tsc_deadline = tsc_deadline, .emulated = vm->assist.active};
	int ret;

	vcpu->id = id;
	vcpu->bus = &vm->bus;
	vcpu->dev_lock = &vm->dev_lock;
	vcpu->gate = &vm->gate;
	vcpu->hooks = &vm->hooks;
	ret = kvm_vcpu_create(&vcpu->kvm, &vm->host, &vm->kvm, id);
	if (ret)
		return failed(err, ret, "create a vCPU");
	vm->nr_vcpus++;
	assist_vcpu_init(&vcpu->assist, &vm->assist, &vcpu->kvm);
	cpuid_prepare(&cpuid, &request);
	ret = kvm_vcpu_set_cpuid(&vcpu->kvm, &cpuid);
	if (ret)
		return failed(err, ret, "set a vCPU's CPUID");
	ret = vcpu_setup_common(&vcpu->kvm);
	if (!ret && id == 0)
		ret = vcpu_setup_boot(&vcpu->kvm, &vm->entry);
	return ret ? failed(err, ret, "set a vCPU's registers") : 0;
}

static int make_vcpus(struct vm *vm, struct error *err)
{
	int max = kvm_host_capability(&vm->host, KVM_CAP_MAX_VCPUS);
	bool tsc_deadline = kvm_host_capability(&vm->host, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
	int ret = 0;

	if (max > 0 && vm->config->nr_cpus > (unsigned)max)
		return error_set(err, -EINVAL, "--cpus %u: this KVM allows %d; give at most that", vm->config->nr_cpus,
				 max);
	for (unsigned id = 0; !ret && id < vm->config->nr_cpus; id++)
		ret = make_vcpu(vm, id, tsc_deadline, err);
	return ret;
}

/* SIGINT and its kind are read from a descriptor on the ring; writes to a closed pipe, or beyond the limit of a file's
 * size, are an error, not a signal. */
static int prepare_signals(struct vm *vm)
{
	static const int ends[] = {SIGINT, SIGHUP, SIGQUIT};
	struct sigaction old;
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	/* What the caller ignores (nohup) stays ignored: blocked, it would arrive here all the same. */
	for (unsigned i = 0; i < ARRAY_SIZE(ends); i++)
		if (sigaction(ends[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaddset(&set, ends[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	vm->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	return vm->signal_fd < 0 ? -errno : 0;
}

static void on_quit(void *opaque)
{
	vm_stop(opaque, OUTCOME_QUIT, 0, "");
}

static void on_status(void *opaque)
{
	vm_print_status(opaque);
}

static int make_loop(struct vm *vm, struct error *err)
{
	const struct console_keys keys = {.quit = on_quit, .status = on_status, .opaque = vm};
	const struct console_sink sink = {.report = vm_on_console_event, .opaque = vm};
	int ret = prepare_signals(vm);

	vm->wake_fd = eventfd(0, EFD_CLOEXEC);
	if (!ret && vm->wake_fd < 0)
		ret = -errno;
	if (!ret)
		ret = uring_create_keeping(&vm->ring, vm->kvm.fd);
	if (ret)
		return error_set(err, ret, "cannot set up the I/O loop: %s", strerror(-ret));
	if (uring_fallback_reason(vm->ring))
		log_note("note: io_uring is unavailable (%s); using poll", uring_fallback_reason(vm->ring));
	ret = events_init(&vm->events, vm->config->events, vm->start_ns, vm->ring, vm->wake_fd, err);
	if (!ret)
		ret = console_init(&vm->console, vm->config, vm->start_ns, vm->ring, vm->wake_fd, keys, sink, err);
	if (!ret)
		ret = vm_command_build(vm, err);
	return ret;
}

static void on_vcpu_stop(void *opaque, enum outcome_cause cause, const char *detail)
{
	vm_stop(opaque, cause, 0, detail);
}

static void on_vcpu_enter(void *opaque)
{
	vm_wake(opaque);
}

int vm_build(struct vm *vm, struct error *err)
{
	int ret;

	pthread_mutex_init(&vm->dev_lock, NULL);
	pthread_mutex_init(&vm->notices.lock, NULL);
	vcpu_gate_init(&vm->gate);
	vcpu_prepare_kicks();
	vm->hooks = (struct vcpu_hooks){.stop = on_vcpu_stop, .enter = on_vcpu_enter, .opaque = vm};
	ret = kvm_host_open(&vm->host, "/dev/kvm", err);
	if (!ret)
		ret = make_kvm_vm(vm, err);
	if (!ret)
		ret = make_loop(vm, err); /* it keeps the VM's descriptor */
	if (!ret)
		ret = vm_add_devices(vm, err);
	if (!ret)
		ret = make_vcpus(vm, err);
	return ret;
}

void vm_destroy(struct vm *vm)
{
	for (unsigned i = vm->nr_vcpus; i-- > 0;)
		kvm_vcpu_close(&vm->vcpus[i].kvm);
	assist_vm_fini(&vm->assist);
	kvm_vm_close(&vm->kvm);
	kvm_host_close(&vm->host);
	vcpu_gate_fini(&vm->gate);
	console_fini(&vm->console);
	events_fini(&vm->events);
	vm_command_fini(&vm->command);
	uring_destroy(vm->ring);
	close_fd(&vm->wake_fd);
	close_fd(&vm->signal_fd);
	guest_mem_fini(&vm->mem);
}

void vm_wake(const struct vm *vm)
{
	wake_eventfd(vm->wake_fd);
}

void vm_stop(struct vm *vm, enum outcome_cause cause, uint32_t status, const char *detail)
{
	struct vm_notices *n = &vm->notices;

	pthread_mutex_lock(&n->lock);
	if (n->outcome.cause == OUTCOME_NONE) {
		n->outcome.cause = cause;
		n->outcome.status = status;
		n->outcome.elapsed_ns = monotonic_ns() - vm->start_ns;
		strncpy(n->outcome.detail, detail, sizeof(n->outcome.detail) - 1);
	}
	pthread_mutex_unlock(&n->lock);
	vm_wake(vm);
}
