/* SPDX-License-Identifier: Apache-2.0 */
/* The encoding of a whole small machine, byte for byte; test_acpi_iasl.c has the ASL compiler read larger ones. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "boot/acpi_dsdt.h"

static struct machine make_machine(unsigned nr_cpus, unsigned nr_virtio)
{
	struct machine machine = {.nr_cpus = nr_cpus, .nr_virtio = nr_virtio};

	for (unsigned i = 0; i < nr_virtio; i++)
		machine.virtio[i] = (struct machine_virtio_slot){
			.base = LAYOUT_VIRTIO_MMIO + i * LAYOUT_VIRTIO_MMIO_SIZE, .gsi = 5 + i};
	return machine;
}

static bool contains(const uint8_t *hay, size_t len, const void *needle, size_t needle_len)
{
	return memmem(hay, len, needle, needle_len) != NULL;
}

static void a_machine_without_virtio_is_encoded_exactly(void **state)
{
	/* clang-format off */
	static const uint8_t want[] = {
		0x08, '_', 'S', '5', '_', 0x12, 0x07, 0x04, 0x0a, 5, 0, 0, 0, /* Name (_S5, Package (4) {5, 0, 0, 0}) */
		0x10, 0x4a, 0x0c, '_', 'S', 'B', '_',			      /* Scope (_SB), 202 bytes */
		0x5b, 0x82, 0x1a, 'C', 'P', '0', '0',			      /* Device (CP00) */
		0x08, '_', 'H', 'I', 'D', 0x0d, 'A', 'C', 'P', 'I', '0', '0', '0', '7', 0,
		0x08, '_', 'U', 'I', 'D', 0,
		0x5b, 0x82, 0x2b, 'C', 'O', 'M', '1',			      /* Device (COM1) */
		0x08, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x05, 0x01,
		0x08, '_', 'U', 'I', 'D', 0x01,
		0x08, '_', 'C', 'R', 'S', 0x11, 0x10, 0x0a, 0x0d,
		0x47, 0x01, 0xf8, 0x03, 0xf8, 0x03, 0x01, 0x08, 0x22, 0x10, 0x00, 0x79, 0x00,
		0x5b, 0x82, 0x2c, 'C', 'O', 'M', '2',			      /* Device (COM2) */
		0x08, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x05, 0x01,
		0x08, '_', 'U', 'I', 'D', 0x0a, 0x02,
		0x08, '_', 'C', 'R', 'S', 0x11, 0x10, 0x0a, 0x0d,
		0x47, 0x01, 0xf8, 0x02, 0xf8, 0x02, 0x01, 0x08, 0x22, 0x08, 0x00, 0x79, 0x00,
		0x5b, 0x82, 0x22, 'R', 'T', 'C', '_',			      /* Device (RTC) */
		0x08, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x0b, 0x00,
		0x08, '_', 'C', 'R', 'S', 0x11, 0x0d, 0x0a, 0x0a,
		0x47, 0x01, 0x70, 0x00, 0x70, 0x00, 0x01, 0x02, 0x79, 0x00,
		0x5b, 0x82, 0x27, 'P', 'E', 'V', 'T',			      /* Device (PEVT) */
		0x08, '_', 'H', 'I', 'D', 0x0d, 'Q', 'E', 'M', 'U', '0', '0', '0', '1', 0,
		0x08, '_', 'C', 'R', 'S', 0x11, 0x0d, 0x0a, 0x0a,
		0x47, 0x01, 0x05, 0x05, 0x05, 0x05, 0x01, 0x01, 0x79, 0x00,
	};
	/* clang-format on */
	struct machine machine = make_machine(1, 0);
	uint8_t buf[1024];
	size_t len;

	(void)state;
	assert_int_equal(acpi_dsdt_encode(&machine, buf, sizeof(buf), &len), 0);
	assert_int_equal(len, sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
}

static void every_slot_has_its_window_and_line(void **state)
{
	struct machine machine = make_machine(1, 16);
	uint8_t buf[8192];
	size_t len;

	(void)state;
	assert_int_equal(acpi_dsdt_encode(&machine, buf, sizeof(buf), &len), 0);
	for (unsigned i = 0; i < 16; i++) {
		uint8_t resources[] = {0x86, 9, 0, 1, 0, (uint8_t)(i << 4), 0, 0xd0, 0, 0x10, 0, 0,
				       0x89, 6, 0, 3, 1, (uint8_t)(5 + i),  0, 0,    0, 0x79, 0};

		assert_true(contains(buf, len, resources, sizeof(resources)));
	}
}

static void only_a_line_with_several_slots_is_shared(void **state)
{
	static const uint8_t shared[] = {0x89, 6, 0, 0x0b, 1, 9, 0, 0, 0};
	static const uint8_t exclusive[] = {0x89, 6, 0, 0x03, 1, 5, 0, 0, 0};
	static const uint8_t exclusive_9[] = {0x89, 6, 0, 0x03, 1, 9, 0, 0, 0};
	struct machine machine = make_machine(1, 3);
	uint8_t buf[2048];
	size_t len;

	(void)state;
	machine.virtio[1].gsi = 9;
	machine.virtio[2].gsi = 9;
	assert_int_equal(acpi_dsdt_encode(&machine, buf, sizeof(buf), &len), 0);
	assert_true(contains(buf, len, shared, sizeof(shared)));
	assert_true(contains(buf, len, exclusive, sizeof(exclusive)));
	assert_false(contains(buf, len, exclusive_9, sizeof(exclusive_9)));
}

static void a_short_buffer_is_refused(void **state)
{
	struct machine machine = make_machine(2, 2);
	uint8_t full[2048];
	size_t need, len;

	(void)state;
	assert_int_equal(acpi_dsdt_encode(&machine, full, sizeof(full), &need), 0);
	for (size_t size = 0; size < need; size++) {
		uint8_t *buf = malloc(size ? size : 1);

		assert_non_null(buf);
		int err = acpi_dsdt_encode(&machine, buf, size, &len);

		free(buf);
		assert_int_equal(err, -ENOSPC);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_machine_without_virtio_is_encoded_exactly),
		cmocka_unit_test(every_slot_has_its_window_and_line),
		cmocka_unit_test(only_a_line_with_several_slots_is_shared),
		cmocka_unit_test(a_short_buffer_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
