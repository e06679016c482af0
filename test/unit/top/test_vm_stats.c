/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "vm.h"

static int set_up(void **state)
{
	struct vm *vm = calloc(1, sizeof(*vm));

	*state = vm;
	if (!vm)
		return -1;
	vm->nr_vcpus = 2;
	for (unsigned i = 0; i < 2; i++) {
		vm->vcpus[i].stats.exits = 100 + i;
		vm->vcpus[i].stats.pio = 10;
		vm->vcpus[i].stats.mmio = i;
		vm->vcpus[i].assist.syscalls = 7;
		vm->vcpus[i].assist.exceptions = 1;
		vm->vcpus[i].assist.counts[ASSIST_CLAC] = 3;
	}
	vm->vcpus[1].assist.counts[ASSIST_INT3] = 1;
	vm->devices.com1.tx_bytes = 55;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void put(const struct vm *vm, char *text, size_t size)
{
	struct json json;
	size_t len;

	json_init(&json, text, size);
	json_open_object(&json, NULL);
	vm_put_stats(vm, &json);
	json_close(&json);
	assert_int_equal(json_finish(&json, &len), 0);
}

static void all_vcpus_are_added_up(void **state)
{
	char text[1024];

	put(*state, text, sizeof(text));
	assert_string_equal(text, "{\"stats\":{\"exits\":201,\"pio\":20,\"mmio\":1,\"console-bytes\":55}}\n");
}

static void the_assist_tells_only_what_happened(void **state)
{
	struct vm *vm = *state;
	char text[1024];

	vm->assist.active = true;
	put(vm, text, sizeof(text));
	assert_string_equal(text,
			    "{\"stats\":{\"exits\":201,\"pio\":20,\"mmio\":1,\"console-bytes\":55,"
			    "\"assist\":{\"syscalls\":14,\"exceptions\":2,\"clac\":6,\"int3\":1}}}\n");
}

/* The exit event has one bounded line for everything. */
static void the_largest_numbers_fit_into_an_event(void **state)
{
	struct vm *vm = *state;
	struct event event;
	size_t len;

	vm->assist.active = true;
	vm->nr_vcpus = 1;
	vm->vcpus[0].stats.exits = vm->vcpus[0].stats.pio = vm->vcpus[0].stats.mmio = UINT64_MAX;
	vm->vcpus[0].assist.syscalls = vm->vcpus[0].assist.exceptions = UINT64_MAX;
	for (unsigned k = 0; k < ASSIST_KINDS; k++)
		vm->vcpus[0].assist.counts[k] = UINT64_MAX;
	event_begin(&event, &vm->events, "exit", UINT64_MAX);
	vm_put_stats(vm, &event.json);
	json_close(&event.json);
	assert_int_equal(json_finish(&event.json, &len), 0);
	assert_true(len + OUTCOME_DETAIL_SIZE + 128 < sizeof(event.line));
}

static void print(const struct vm *vm, char *text, size_t size)
{
	char path[] = "/tmp/test_vm_stats.XXXXXX";
	int fd = mkstemp(path), saved = dup(STDERR_FILENO);
	ssize_t len;

	assert_true(fd >= 0 && saved >= 0);
	unlink(path);
	dup2(fd, STDERR_FILENO);
	vm_print_stats(vm);
	dup2(saved, STDERR_FILENO);
	len = pread(fd, text, size - 1, 0);
	assert_true(len >= 0);
	text[len] = 0;
	close(saved);
	close(fd);
}

static void people_get_the_same_in_words(void **state)
{
	struct vm *vm = *state;
	char text[2048];

	print(vm, text, sizeof(text));
	assert_string_equal(text, "vmm: exits: 201 (port 20, MMIO 1)\n");
	vm->assist.active = true;
	print(vm, text, sizeof(text));
	assert_string_equal(text,
			    "vmm: exits: 201 (port 20, MMIO 1)\n"
			    "vmm: assist: 7 instructions, 14 system calls, 2 exceptions\n"
			    "vmm: assist: clac 6 int3 1\n");
}

static void many_kinds_are_cut_to_one_line(void **state)
{
	struct vm *vm = *state;
	char text[4096];

	vm->assist.active = true;
	for (unsigned k = 0; k < ASSIST_KINDS; k++)
		vm->vcpus[0].assist.counts[k] = UINT64_MAX;
	print(vm, text, sizeof(text));
	assert_true(strlen(text) < 1024);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_vcpus_are_added_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_assist_tells_only_what_happened, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_largest_numbers_fit_into_an_event, set_up, tear_down),
		cmocka_unit_test_setup_teardown(people_get_the_same_in_words, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_kinds_are_cut_to_one_line, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
