/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "support/kvm_machine.h"
#include "support/need_kvm.h"
#include "vcpu_report.h"

struct fixture {
	struct kvm_machine machine;
	struct assist_vm assist;
	struct vcpu vcpu;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;

	memset(f, 0, sizeof(*f));
	*state = f;
	if (kvm_machine_init(&f->machine) || kvm_machine_load(&f->machine, "\xeb\xfe", 2))
		return -1;
	f->vcpu.kvm = f->machine.vcpu;
	f->vcpu.assist.vm = &f->assist;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	return kvm_machine_fini(&f->machine);
}

/* Reports with stderr in a file; what was printed goes to @printed. */
static void report(struct fixture *f, char *why, size_t size, char *printed, size_t printed_size)
{
	char path[] = "/tmp/test_vcpu_report.XXXXXX";
	int fd = mkstemp(path), saved = dup(STDERR_FILENO);
	ssize_t len;

	assert_true(fd >= 0 && saved >= 0);
	unlink(path);
	dup2(fd, STDERR_FILENO);
	vcpu_report_stuck(&f->vcpu, why, size);
	dup2(saved, STDERR_FILENO);
	len = pread(fd, printed, printed_size - 1, 0);
	assert_true(len >= 0);
	printed[len] = 0;
	close(saved);
	close(fd);
}

static void a_position_has_rip_and_cpl(void **state)
{
	struct fixture *f = *state;
	char text[160];

	assert_string_equal(vcpu_report_position(&f->vcpu, text, sizeof(text)), "vCPU 0: RIP 0x1000 CPL 0");
}

static void a_processor_that_waits_says_so(void **state)
{
	struct fixture *f = *state;
	struct vcpu second = {.id = 1};
	char text[160];

	assert_int_equal(kvm_vcpu_create(&second.kvm, &f->machine.host, &f->machine.vm, 1), 0);
	vcpu_report_position(&second, text, sizeof(text));
	assert_memory_equal(text, "vCPU 1: RIP 0x", 14);
	assert_non_null(strstr(text, "(not started)"));
	kvm_vcpu_close(&second.kvm);
}

static void unreadable_registers_are_admitted(void **state)
{
	const struct vcpu gone = {.id = 7, .kvm = {.fd = -1}};
	char text[160];

	(void)state;
	assert_string_equal(vcpu_report_position(&gone, text, sizeof(text)), "vCPU 7: registers cannot be read");
}

static void an_emulation_failure_shows_its_bytes(void **state)
{
	struct fixture *f = *state;
	struct kvm_run *run = f->vcpu.kvm.run;
	char why[OUTCOME_DETAIL_SIZE], printed[2048];

	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
	run->emulation_failure.ndata = 4;
	run->emulation_failure.flags = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
	run->emulation_failure.insn_size = 3;
	memcpy(run->emulation_failure.insn_bytes, "\x0f\x01\xca", 3);
	report(f, why, sizeof(why), printed, sizeof(printed));
	assert_string_equal(why,
			    "vCPU 0: KVM cannot emulate the instruction at RIP 0x1000, CPL 0, bytes 0f 01 ca; "
			    "--assist on may complete it");
	assert_non_null(strstr(printed, "rip 0000000000001000"));
	assert_non_null(strstr(printed, "rflags"));
	assert_non_null(strstr(printed, "cr0"));
}

/* KVM says how many bytes; a size that cannot be is cut. */
static void too_many_bytes_are_cut(void **state)
{
	struct fixture *f = *state;
	struct kvm_run *run = f->vcpu.kvm.run;
	char why[OUTCOME_DETAIL_SIZE], printed[2048];

	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
	run->emulation_failure.ndata = 4;
	run->emulation_failure.flags = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
	run->emulation_failure.insn_size = 255;
	memset(run->emulation_failure.insn_bytes, 0x66, sizeof(run->emulation_failure.insn_bytes));
	report(f, why, sizeof(why), printed, sizeof(printed));
	assert_non_null(strstr(why, "bytes 66 66 66 66 66 66 66 66 66 66 66 66 66 66 66;"));
}

static void without_bytes_it_says_unknown(void **state)
{
	struct fixture *f = *state;
	char why[OUTCOME_DETAIL_SIZE], printed[2048];

	f->vcpu.kvm.run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	f->vcpu.kvm.run->emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
	f->vcpu.kvm.run->emulation_failure.ndata = 0;
	report(f, why, sizeof(why), printed, sizeof(printed));
	assert_non_null(strstr(why, "bytes unknown"));
}

static void with_the_assist_its_decoder_has_the_bytes(void **state)
{
	struct fixture *f = *state;
	char why[OUTCOME_DETAIL_SIZE], printed[2048];

	f->assist.active = true;
	f->vcpu.assist.last.insn_len = 2;
	memcpy(f->vcpu.assist.last.insn, "\x0f\x37", 2);
	f->vcpu.kvm.run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	f->vcpu.kvm.run->emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
	report(f, why, sizeof(why), printed, sizeof(printed));
	assert_non_null(strstr(why, "bytes 0f 37, and --assist does not know it"));
}

static void other_exits_are_named_with_their_numbers(void **state)
{
	static const struct {
		uint32_t reason;
		const char *text;
	} cases[] = {
		{KVM_EXIT_FAIL_ENTRY, "the CPU refused to enter the guest (KVM exit reason 9"},
		{KVM_EXIT_UNKNOWN, "unknown hardware exit (KVM exit reason 0"},
		{KVM_EXIT_X86_WRMSR, "MSR write (KVM exit reason 30"},
		{4242, "unexpected exit (KVM exit reason 4242"},
	};
	struct fixture *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		char why[OUTCOME_DETAIL_SIZE], printed[2048];

		f->vcpu.kvm.run->exit_reason = cases[i].reason;
		report(f, why, sizeof(why), printed, sizeof(printed));
		assert_non_null(strstr(why, cases[i].text));
		assert_non_null(strstr(why, "RIP 0x1000, CPL 0"));
	}
}

#define WITH_VCPU(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_VCPU(a_position_has_rip_and_cpl),
		WITH_VCPU(a_processor_that_waits_says_so),
		WITH_VCPU(unreadable_registers_are_admitted),
		WITH_VCPU(an_emulation_failure_shows_its_bytes),
		WITH_VCPU(too_many_bytes_are_cut),
		WITH_VCPU(without_bytes_it_says_unknown),
		WITH_VCPU(with_the_assist_its_decoder_has_the_bytes),
		WITH_VCPU(other_exits_are_named_with_their_numbers),
	};
	int missing = without_kvm();

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
