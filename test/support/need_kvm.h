/* SPDX-License-Identifier: Apache-2.0 */
/* For tests that need the real /dev/kvm: a machine without it skips them, unless VMM_REQUIRE_KVM=1 says it must be
 * there. */
#ifndef VMM_TEST_NEED_KVM_H
#define VMM_TEST_NEED_KVM_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/kvm.h"

#define EXIT_SKIPPED 77

/* 0 when KVM is there, else the status the test program ends with. */
static inline int without_kvm(void)
{
	const char *required = getenv("VMM_REQUIRE_KVM");
	struct kvm_host host;
	struct error err;

	if (kvm_host_open(&host, "/dev/kvm", &err) == 0) {
		kvm_host_close(&host);
		return 0;
	}
	fprintf(stderr, "needs KVM: %s\n", err.text);
	return required && strcmp(required, "1") == 0 ? 1 : EXIT_SKIPPED;
}

#endif
