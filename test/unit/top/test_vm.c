/* SPDX-License-Identifier: Apache-2.0 */
/* Loading needs no KVM; building does. */
#include "support/tiny_guest.h"

#include <errno.h>

#include "support/need_kvm.h"
#include "vm.h"

static struct vm *load(const struct config *config, int wanted, struct error *err)
{
	struct vm *vm = malloc(sizeof(*vm));

	assert_non_null(vm);
	memset(vm, 0xa5, sizeof(*vm));
	assert_int_equal(vm_load(vm, config, 1, err), wanted);
	return vm;
}

static void destroy(struct vm *vm)
{
	vm_destroy(vm);
	free(vm);
}

static struct config config_for(const char *kernel)
{
	return (struct config){.kernel = kernel,
			       .mem_size = 32 << 20,
			       .nr_cpus = 2,
			       .cmdline = "quiet",
			       .console = CONFIG_CONSOLE_NULL};
}

static void a_kernel_is_loaded_with_its_tables(void **state)
{
	const struct config config = config_for(tiny_guest_create(*state, "vmlinux", "\xf4", 1));
	struct error err;
	struct vm *vm = load(&config, 0, &err);
	uint8_t code = 0;
	char text[8] = {0};

	assert_int_equal(vm->entry.rip, TINY_GUEST_ENTRY);
	assert_int_equal(vm->machine.nr_cpus, 2);
	assert_int_equal(guest_mem_read(&vm->mem, gpa(TINY_GUEST_ENTRY), &code, 1), 0);
	assert_int_equal(code, 0xf4);
	assert_int_equal(guest_mem_read(&vm->mem, gpa(LAYOUT_ACPI), text, 8), 0);
	assert_memory_equal(text, "RSD PTR ", 8);
	assert_int_equal(guest_mem_read(&vm->mem, gpa(LAYOUT_MPTABLE_FLOAT), text, 4), 0);
	assert_memory_equal(text, "_MP_", 4);
	assert_int_equal(guest_mem_read(&vm->mem, gpa(LAYOUT_CMDLINE), text, 6), 0);
	assert_memory_equal(text, "quiet", 6);
	destroy(vm);
}

static void a_missing_kernel_leaves_nothing_behind(void **state)
{
	const struct config config = config_for("/nonexistent/vmlinux");
	struct error err = {0};
	struct vm *vm = load(&config, -ENOENT, &err);

	(void)state;
	assert_non_null(strstr(err.text, "/nonexistent/vmlinux"));
	destroy(vm);
}

static void memory_that_cannot_be_mapped_is_an_error(void **state)
{
	struct config config = config_for("vmlinux");
	struct error err = {0};
	struct vm *vm;

	(void)state;
	config.mem_size = 1ULL << 50; /* beyond the address space */
	vm = load(&config, -ENOMEM, &err);
	assert_non_null(strstr(err.text, "cannot map guest memory"));
	destroy(vm);
}

static void the_first_cause_of_the_end_counts(void **state)
{
	const struct config config = config_for(tiny_guest_create(*state, "vmlinux", "\xf4", 1));
	char detail[2 * OUTCOME_DETAIL_SIZE];
	struct error err;
	struct vm *vm = load(&config, 0, &err);

	memset(detail, 'x', sizeof(detail) - 1);
	detail[sizeof(detail) - 1] = 0;
	pthread_mutex_init(&vm->notices.lock, NULL);
	vm_stop(vm, OUTCOME_STATUS, 42, detail);
	vm_stop(vm, OUTCOME_PANIC, 1, "later");
	assert_int_equal(vm->notices.outcome.cause, OUTCOME_STATUS);
	assert_int_equal(vm->notices.outcome.status, 42);
	assert_int_equal(strlen(vm->notices.outcome.detail), OUTCOME_DETAIL_SIZE - 1);
	assert_true(vm->notices.outcome.elapsed_ns > 0);
	destroy(vm);
}

static unsigned count_fds(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void a_machine_is_built_and_taken_down_again(void **state)
{
	struct config config = config_for(tiny_guest_create(*state, "vmlinux", "\xf4", 1));
	unsigned fds = count_fds();
	struct error err;

	for (unsigned cpus = 1; cpus <= 64; cpus *= 8) {
		struct vm *vm;
		struct kvm_sregs sregs;

		config.nr_cpus = cpus;
		vm = load(&config, 0, &err);
		assert_int_equal(vm_build(vm, &err), 0);
		assert_int_equal(vm->nr_vcpus, cpus);
		assert_int_equal(kvm_vcpu_get_sregs(&vm->vcpus[0].kvm, &sregs), 0);
		assert_int_equal(sregs.cr3, LAYOUT_PAGE_TABLES);
		assert_true(vm->bus.count[BUS_PIO] > 5);
		destroy(vm);
		assert_int_equal(count_fds(), fds);
	}
}

static void a_machine_that_cannot_be_built_is_taken_down_too(void **state)
{
	struct config config = config_for(tiny_guest_create(*state, "vmlinux", "\xf4", 1));
	unsigned fds = count_fds();
	struct error err = {0};
	struct vm *vm;

	config.events = "/nonexistent/events";
	vm = load(&config, 0, &err);
	assert_int_equal(vm_build(vm, &err), -ENOENT);
	assert_non_null(strstr(err.text, "--events"));
	destroy(vm);
	config.events = NULL;
	config.console = CONFIG_CONSOLE_FILE;
	config.console_path = "/nonexistent/console";
	vm = load(&config, 0, &err);
	assert_int_equal(vm_build(vm, &err), -ENOENT);
	assert_non_null(strstr(err.text, "--console"));
	destroy(vm);
	assert_int_equal(count_fds(), fds);
}

int main(void)
{
	const struct CMUnitTest loading[] = {
		image_files_test(a_kernel_is_loaded_with_its_tables),
		image_files_test(a_missing_kernel_leaves_nothing_behind),
		image_files_test(memory_that_cannot_be_mapped_is_an_error),
		image_files_test(the_first_cause_of_the_end_counts),
	};
	const struct CMUnitTest building[] = {
		image_files_test(a_machine_is_built_and_taken_down_again),
		image_files_test(a_machine_that_cannot_be_built_is_taken_down_too),
	};
	int failed = cmocka_run_group_tests(loading, NULL, NULL), missing = without_kvm();

	if (failed || missing)
		return failed ? failed : missing;
	return cmocka_run_group_tests(building, NULL, NULL);
}
