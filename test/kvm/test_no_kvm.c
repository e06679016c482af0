/* SPDX-License-Identifier: Apache-2.0 */
/* A host without KVM, or a user without the right to it: one line with the remedy; and what works all the same. In a
 * mount namespace of the child's own, so that the host's /dev stays as it is. */
#include "kvm_test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define NOBODY 65534

static int enter_own_namespace(void)
{
	int flags = CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER);

	if (unshare(flags) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return errno;
	return 0;
}

/* A /dev with nothing in it. */
static int hide_kvm(void)
{
	int err = enter_own_namespace();

	if (err)
		return err;
	return mount("none", "/dev", "tmpfs", 0, "size=64k") < 0 ? errno : 0;
}

static int cover_kvm(mode_t mode)
{
	int err = hide_kvm(), fd;

	if (err)
		return err;
	fd = open("/dev/kvm", O_WRONLY | O_CREAT | O_CLOEXEC, mode);
	return fd < 0 ? errno : 0;
}

static int replace_kvm(void)
{
	return cover_kvm(0666);
}

static int forbid_kvm(void)
{
	int err = cover_kvm(0);

	if (err)
		return err;
	return geteuid() == 0 && setuid(NOBODY) < 0 ? errno : 0;
}

static void run_without_kvm(struct run_result *r, int (*before_exec)(void), const char *option)
{
	struct run_request request = {.words = {"run", run_guest("minimal"), option}, .before_exec = before_exec};

	/* The guest's image must be readable for everybody. */
	run_one(&request, r);
	if (r->not_begun) {
		print_message("SKIPPED a /dev of its own: %s\n", strerror(r->not_begun));
		run_free(r);
		skip();
	}
}

static void missing_kvm_is_named_with_a_remedy(void **state)
{
	struct run_result r;

	(void)state;
	run_without_kvm(&r, hide_kvm, NULL);
	run_expect(&r, 125, "vmm: /dev/kvm: No such file or directory; load the kvm module*vmm doctor*");
	assert_int_equal(r.err_lines, 1);
	run_free(&r);
}

static void forbidden_kvm_is_named_with_a_remedy(void **state)
{
	struct run_result r;

	(void)state;
	run_without_kvm(&r, forbid_kvm, NULL);
	run_expect(&r, 125, "vmm: /dev/kvm: Permission denied; add yourself to group kvm*vmm doctor*");
	assert_int_equal(r.err_lines, 1);
	run_free(&r);
}

static void file_in_place_of_kvm_is_named(void **state)
{
	struct run_result r;

	(void)state;
	run_without_kvm(&r, replace_kvm, NULL);
	run_expect(&r, 125, "vmm: /dev/kvm: is not the KVM device; see `vmm doctor`");
	assert_int_equal(r.err_lines, 1);
	run_free(&r);
}

static void describing_the_machine_needs_no_kvm(void **state)
{
	struct run_result r;

	(void)state;
	run_without_kvm(&r, hide_kvm, "--dry-run");
	run_expect_status(&r, 0);
	assert_int_equal(r.err.len, 0);
	assert_non_null(strstr(r.out.bytes, "vcpus       1\n"));
	run_free(&r);
	run_without_kvm(&r, hide_kvm, "--dump-fdt=-");
	run_expect_status(&r, 0);
	assert_memory_equal(r.out.bytes, "\xd0\x0d\xfe\xed", 4);
	run_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(missing_kvm_is_named_with_a_remedy),
		IN_SCRATCH(forbidden_kvm_is_named_with_a_remedy),
		IN_SCRATCH(file_in_place_of_kvm_is_named),
		IN_SCRATCH(describing_the_machine_needs_no_kvm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
