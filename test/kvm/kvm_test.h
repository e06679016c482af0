/* SPDX-License-Identifier: Apache-2.0 */
/* What every test program of this folder includes: cmocka's prerequisites, the runner, the test's frame. */
#ifndef VMM_TEST_KVM_KVM_TEST_H
#define VMM_TEST_KVM_KVM_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/run_vmm.h"

/* A test with its own scratch folder. */
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, run_make_scratch, run_remove_scratch)

/* The test guest by PVH, told to run @test ("NAME" or "NAME option=value"). */
#define GUEST(test) "run", run_guest("guest-pvh"), "--mem", "16M", "--append", "test=" test

#endif
