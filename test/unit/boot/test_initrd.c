/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/cpio.h"
#include "boot/initrd.h"
#include "support/image_files.h"
#include "support/temp_tree.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

static const struct image_kernel low_kernel = {
	.start = MIB, .end = 4 * MIB, .working_end = 4 * MIB, .initrd_end = GUEST_MMIO_HOLE_START};

static int load_items(struct initrd_set *set, const struct initrd_item *items, unsigned count, uint64_t alignment,
		      const struct image_kernel *kernel, struct guest_mem *mem, uint64_t ram, struct error *err)
{
	int code;

	assert_int_equal(guest_mem_init(mem, ram), 0);
	code = initrd_load(set, items, count, alignment, kernel, mem, err);
	if (code)
		guest_mem_fini(mem);
	return code;
}

/* Files alone. */
static int load(struct initrd_set *set, const char *const *paths, unsigned count, uint64_t alignment,
		const struct image_kernel *kernel, struct guest_mem *mem, uint64_t ram, struct error *err)
{
	struct initrd_item items[INITRD_MAX_ITEMS + 1];

	assert_true(count <= ARRAY_SIZE(items));
	for (unsigned i = 0; i < count; i++)
		items[i] = (struct initrd_item){.kind = INITRD_FILE, .path = paths[i]};
	return load_items(set, items, count, alignment, kernel, mem, ram, err);
}

static void initrd_ends_at_the_end_of_ram(void **state)
{
	const char *path = image_files_create(*state, "a", "archive", 7, 0);
	struct initrd_set set;
	struct guest_mem mem;
	struct error err;

	assert_int_equal(load(&set, &path, 1, INITRD_ALIGN_CPIO, &low_kernel, &mem, 16 * MIB, &err), 0);
	assert_int_equal(set.start, 16 * MIB - 4096);
	assert_int_equal(set.size, 7);
	assert_memory_equal(mem.regions[0].hva + set.start, "archive", 7);
	initrd_close(&set);
	guest_mem_fini(&mem);
}

static void several_are_joined_at_multiples_of_four(void **state)
{
	const char *paths[] = {image_files_create(*state, "a", "12345", 5, 0),
			       image_files_create(*state, "b", "67", 2, 0),
			       image_files_create(*state, "c", "89abc", 5, 0)};
	struct initrd_set set;
	struct guest_mem mem;
	struct error err;

	assert_int_equal(load(&set, paths, 3, INITRD_ALIGN_CPIO, &low_kernel, &mem, 16 * MIB, &err), 0);
	assert_int_equal(set.size, 17);
	assert_memory_equal(mem.regions[0].hva + set.start,
			    "12345\0\0\0"
			    "67\0\0"
			    "89abc",
			    17);
	initrd_close(&set);
	guest_mem_fini(&mem);
}

static void modules_start_at_pages(void **state)
{
	const char *paths[] = {image_files_create(*state, "a", "12345", 5, 4097),
			       image_files_create(*state, "b", "67", 2, 0)};
	struct initrd_set set;
	struct guest_mem mem;
	struct error err;

	assert_int_equal(load(&set, paths, 2, INITRD_ALIGN_MODULE, &low_kernel, &mem, 16 * MIB, &err), 0);
	assert_int_equal(set.parts[1].offset, 8192);
	assert_memory_equal(mem.regions[0].hva + set.start + 8192, "67", 2);
	initrd_close(&set);
	guest_mem_fini(&mem);
}

static void kernels_limit_and_the_mmio_hole_are_respected(void **state)
{
	const char *path = image_files_create(*state, "a", "1", 1, 5000);
	struct image_kernel kernel = low_kernel;
	struct initrd_set set;
	struct guest_mem mem;
	struct error err;

	kernel.initrd_end = 8 * MIB;
	assert_int_equal(load(&set, &path, 1, INITRD_ALIGN_CPIO, &kernel, &mem, 16 * MIB, &err), 0);
	assert_int_equal(set.start, 8 * MIB - 8192);
	initrd_close(&set);
	guest_mem_fini(&mem);
	assert_int_equal(load(&set, &path, 1, INITRD_ALIGN_CPIO, &low_kernel, &mem, 8 * GIB, &err), 0);
	assert_int_equal(set.start, 3 * GIB - 8192);
	initrd_close(&set);
	guest_mem_fini(&mem);
}

static void kernels_working_memory_is_kept_free(void **state)
{
	const char *path = image_files_create(*state, "a", "1", 1, 3 * MIB);
	struct image_kernel kernel = low_kernel;
	struct initrd_set set;
	struct guest_mem mem;
	struct error err;

	kernel.working_end = 13 * MIB;
	assert_int_equal(load(&set, &path, 1, INITRD_ALIGN_CPIO, &kernel, &mem, 16 * MIB, &err), 0);
	assert_int_equal(set.start, 13 * MIB);
	initrd_close(&set);
	guest_mem_fini(&mem);
	kernel.working_end = 13 * MIB + 1;
	assert_int_equal(load(&set, &path, 1, INITRD_ALIGN_CPIO, &kernel, &mem, 16 * MIB, &err), -ENOMEM);
	initrd_close(&set);
}

static void kernel_linked_high_has_its_initrd_below(void **state)
{
	const char *path = image_files_create(*state, "a", "1", 1, 3 * MIB);
	struct image_kernel kernel = {
		.start = 12 * MIB, .end = 15 * MIB, .working_end = 15 * MIB, .initrd_end = GUEST_MMIO_HOLE_START};
	struct initrd_set set;
	struct guest_mem mem;
	struct error err;

	assert_int_equal(load(&set, &path, 1, INITRD_ALIGN_CPIO, &kernel, &mem, 16 * MIB, &err), 0);
	assert_int_equal(set.start, 9 * MIB);
	initrd_close(&set);
	guest_mem_fini(&mem);
}

static void too_large_initrd_is_told_with_what_would_do(void **state)
{
	const char *path = image_files_create(*state, "a", "1", 1, 310 * MIB);
	struct image_kernel kernel = low_kernel;
	struct initrd_set set;
	struct guest_mem mem;
	struct error err;

	assert_int_equal(load(&set, &path, 1, INITRD_ALIGN_CPIO, &kernel, &mem, 256 * MIB, &err), -ENOMEM);
	assert_string_equal(err.text, "initrd 310M does not fit in 256M guest memory; use -m 512M");
	initrd_close(&set);
	kernel.initrd_end = 128 * MIB;
	assert_int_equal(load(&set, &path, 1, INITRD_ALIGN_CPIO, &kernel, &mem, 256 * MIB, &err), -EFBIG);
	assert_string_equal(err.text, "initrd 310M is too large: with the kernel it must end below 128M");
	initrd_close(&set);
}

static void suggested_memory_is_enough(void **state)
{
	const char *path = image_files_create(*state, "a", "1", 1, 12 * MIB + 1);
	struct initrd_set set;
	struct guest_mem mem;
	struct error err;

	assert_int_equal(load(&set, &path, 1, INITRD_ALIGN_CPIO, &low_kernel, &mem, 16 * MIB, &err), -ENOMEM);
	assert_non_null(strstr(err.text, "use -m 32M"));
	initrd_close(&set);
	assert_int_equal(load(&set, &path, 1, INITRD_ALIGN_CPIO, &low_kernel, &mem, 32 * MIB, &err), 0);
	initrd_close(&set);
	guest_mem_fini(&mem);
}

static void hostile_kernel_limits_are_refused(void **state)
{
	static const uint64_t limits[] = {0, 1, 4096, MIB, MIB + 4095};
	const char *path = image_files_create(*state, "a", "1", 1, 0);

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct image_kernel kernel = low_kernel;
		struct initrd_set set;
		struct guest_mem mem;
		struct error err;

		kernel.initrd_end = limits[i];
		assert_int_equal(load(&set, &path, 1, INITRD_ALIGN_CPIO, &kernel, &mem, 16 * MIB, &err), -EFBIG);
		initrd_close(&set);
	}
}

static void bad_files_are_refused(void **state)
{
	const char *paths[INITRD_MAX_ITEMS + 1] = {image_files_create(*state, "a", "1", 1, 0),
						   image_files_create(*state, "b", "", 0, 0)};
	const char *huge = image_files_create(*state, "c", "", 0, 4 * GIB), *missing = "/nonexistent/i";
	struct initrd_set set;
	struct guest_mem mem;
	struct error err;

	assert_int_equal(load(&set, paths, 2, INITRD_ALIGN_CPIO, &low_kernel, &mem, 16 * MIB, &err), -EINVAL);
	assert_non_null(strstr(err.text, "/b: is an empty file"));
	initrd_close(&set);
	assert_int_equal(load(&set, &huge, 1, INITRD_ALIGN_CPIO, &low_kernel, &mem, 16 * MIB, &err), -EFBIG);
	initrd_close(&set);
	assert_int_equal(load(&set, &missing, 1, INITRD_ALIGN_CPIO, &low_kernel, &mem, 16 * MIB, &err), -ENOENT);
	initrd_close(&set);
	assert_int_equal(load(&set, paths, INITRD_MAX_ITEMS + 1, INITRD_ALIGN_CPIO, &low_kernel, &mem, 16 * MIB, &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "at most 40"));
	initrd_close(&set);
}

static void files_folders_and_bytes_are_joined_in_order(void **state)
{
	const struct temp_tree *t = *state;
	struct initrd_item items[] = {{.kind = INITRD_BYTES, .path = "our own", .bytes = "12345", .size = 5},
				      {.kind = INITRD_FOLDER, .path = t->root},
				      {.kind = INITRD_FILE},
				      {.kind = INITRD_BYTES, .path = "empty", .bytes = "", .size = 0}};
	struct cpio_entry entry;
	struct initrd_set set;
	struct guest_mem mem;
	const uint8_t *start;
	struct cpio cpio;
	struct error err;
	char path[96];

	snprintf(path, sizeof(path), "%s/file", t->folder);
	items[2].path = path;
	temp_tree_text(t, "../file", "6789");
	temp_tree_text(t, "init", "#!");
	assert_int_equal(load_items(&set, items, 4, INITRD_ALIGN_CPIO, &low_kernel, &mem, 16 * MIB, &err), 0);
	start = mem.regions[0].hva + set.start;
	assert_memory_equal(start, "12345\0\0", 8);
	cpio_init(&cpio, start + 8, set.parts[1].size);
	assert_int_equal(cpio_next(&cpio, &entry), 1);
	assert_string_equal(entry.name, "init");
	assert_memory_equal(start + 8 + entry.data_offset, "#!", 2);
	assert_int_equal(cpio_next(&cpio, &entry), 0);
	assert_int_equal(set.size, 8 + set.parts[1].size + 4);
	assert_memory_equal(start + set.size - 4, "6789", 4);
	initrd_close(&set);
	guest_mem_fini(&mem);
	assert_int_equal(load_items(&set, items, 4, INITRD_ALIGN_MODULE, &low_kernel, &mem, 16 * MIB, &err), 0);
	assert_int_equal(set.parts[1].offset, 4096);
	assert_int_equal(set.parts[2].offset, 8192);
	assert_memory_equal(mem.regions[0].hva + set.start + 8192, "6789", 4);
	initrd_close(&set);
	guest_mem_fini(&mem);
}

static void folder_that_does_not_fit_is_told_before_its_files_are_read(void **state)
{
	const struct temp_tree *t = *state;
	const struct initrd_item item = {.kind = INITRD_FOLDER, .path = t->root};
	struct initrd_set set;
	struct guest_mem mem;
	struct error err;

	temp_tree_sparse(t, "big", 310 * MIB, 0, "x");
	assert_int_equal(fchmodat(t->fd, "big", 0, 0), 0);
	temp_tree_drop_rights(t);
	/* Nobody may read it, which is found out only where there is room. */
	assert_int_equal(load_items(&set, &item, 1, INITRD_ALIGN_CPIO, &low_kernel, &mem, 256 * MIB, &err), -ENOMEM);
	assert_string_equal(err.text, "initrd 310.0M does not fit in 256M guest memory; use -m 512M");
	initrd_close(&set);
	assert_int_equal(load_items(&set, &item, 1, INITRD_ALIGN_CPIO, &low_kernel, &mem, 512 * MIB, &err), -EACCES);
	initrd_close(&set);
}

static void folder_that_cannot_be_listed_is_told(void **state)
{
	const struct initrd_item items[] = {{.kind = INITRD_BYTES, .path = "x", .bytes = "1", .size = 1},
					    {.kind = INITRD_FOLDER, .path = "/nonexistent/rootfs"}};
	struct initrd_set set;
	struct guest_mem mem;
	struct error err;

	(void)state;
	assert_int_equal(load_items(&set, items, 2, INITRD_ALIGN_CPIO, &low_kernel, &mem, 16 * MIB, &err), -ENOENT);
	assert_string_equal(err.text, "--initrd-dir /nonexistent/rootfs: no such directory; check the path");
	initrd_close(&set);
}

static void no_initrd_is_nothing(void **state)
{
	struct initrd_set set;
	struct guest_mem mem;
	struct error err;

	(void)state;
	assert_int_equal(load(&set, NULL, 0, INITRD_ALIGN_CPIO, &low_kernel, &mem, 16 * MIB, &err), 0);
	assert_int_equal(set.start, 0);
	assert_int_equal(set.size, 0);
	initrd_close(&set);
	guest_mem_fini(&mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		image_files_test(initrd_ends_at_the_end_of_ram),
		image_files_test(several_are_joined_at_multiples_of_four),
		image_files_test(modules_start_at_pages),
		image_files_test(kernels_limit_and_the_mmio_hole_are_respected),
		image_files_test(kernels_working_memory_is_kept_free),
		image_files_test(kernel_linked_high_has_its_initrd_below),
		image_files_test(too_large_initrd_is_told_with_what_would_do),
		image_files_test(suggested_memory_is_enough),
		image_files_test(hostile_kernel_limits_are_refused),
		image_files_test(bad_files_are_refused),
		temp_tree_test(files_folders_and_bytes_are_joined_in_order),
		temp_tree_test(folder_that_does_not_fit_is_told_before_its_files_are_read),
		cmocka_unit_test(folder_that_cannot_be_listed_is_told),
		cmocka_unit_test(no_initrd_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
