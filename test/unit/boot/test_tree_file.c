/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/mman.h>

#include "boot/tree_file.h"
#include "support/temp_tree.h"

#define MIB  (1ULL << 20)
#define AT   12345 /* of no alignment */
#define MARK 0x55

struct reading {
	struct tree tree;
	struct guest_mem mem;
	struct error err;
	const uint8_t *bytes;
};

/* With one entry, for @path as it is now. */
static void begin(struct reading *r, const struct temp_tree *t, const char *path)
{
	struct stat st;

	assert_int_equal(guest_mem_init(&r->mem, 8 * MIB), 0);
	memset(r->mem.regions[0].hva, MARK, 8 * MIB);
	r->bytes = r->mem.regions[0].hva + AT;
	assert_int_equal(tree_init(&r->tree, t->root, &r->err), 0);
	assert_int_equal(fstatat(t->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(tree_add(&r->tree, path, NULL, &st), 0);
}

static int read_it(struct reading *r)
{
	return tree_file_read(&r->tree, &r->tree.entries[0], &r->mem, gpa(AT), &r->err);
}

static void end(struct reading *r)
{
	guest_mem_fini(&r->mem);
	tree_fini(&r->tree);
}

static void set_old_time(const struct temp_tree *t, const char *path)
{
	const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

	assert_int_equal(utimensat(t->fd, path, times, 0), 0);
}

static void a_file_is_read_and_nothing_else_written(void **state)
{
	const struct temp_tree *t = *state;
	struct reading r;

	temp_tree_folder(t, "a");
	temp_tree_text(t, "a/file", "content");
	begin(&r, t, "a/file");
	assert_int_equal(read_it(&r), 0);
	assert_memory_equal(r.bytes, "content", 7);
	assert_int_equal(r.bytes[-1], MARK);
	assert_int_equal(r.bytes[7], MARK);
	end(&r);
}

static void an_empty_file_is_nothing(void **state)
{
	const struct temp_tree *t = *state;
	struct reading r;

	temp_tree_text(t, "file", "");
	begin(&r, t, "file");
	assert_int_equal(read_it(&r), 0);
	assert_int_equal(r.bytes[0], MARK);
	end(&r);
}

static void holes_are_not_touched(void **state)
{
	static const struct {
		uint64_t size, offset;
	} cases[] = {{4 * MIB, 0}, {4 * MIB, 2 * MIB + 5}, {4 * MIB + 3, 4 * MIB}, {4 * MIB, 4 * MIB - 3}};
	const struct temp_tree *t = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t kept = 0;
		struct reading r;
		struct stat st;

		temp_tree_sparse(t, "file", cases[i].size, cases[i].offset, "abc");
		begin(&r, t, "file");
		assert_int_equal(fstatat(t->fd, "file", &st, 0), 0);
		assert_int_equal(read_it(&r), 0);
		assert_memory_equal(r.bytes + cases[i].offset, "abc", 3);
		assert_int_equal(r.bytes[cases[i].size], MARK);
		for (uint64_t at = 0; at < cases[i].size; at++) {
			kept += r.bytes[at] == MARK;
			assert_true(r.bytes[at] == MARK || r.bytes[at] == 0 || at - cases[i].offset < 3);
		}
		/* Unless this file system has no holes. */
		if (st.st_blocks < 1024)
			assert_true(kept >= 4 * MIB - 512 * 1024);
		assert_int_equal(unlinkat(t->fd, "file", 0), 0);
		end(&r);
	}
}

static void a_file_of_one_hole_is_not_touched(void **state)
{
	const struct temp_tree *t = *state;
	struct reading r;

	temp_tree_sparse(t, "file", MIB, 0, "");
	begin(&r, t, "file");
	assert_int_equal(read_it(&r), 0);
	assert_int_equal(r.bytes[0], MARK);
	assert_int_equal(r.bytes[MIB - 1], MARK);
	end(&r);
}

static void grow(const struct temp_tree *t)
{
	temp_tree_text(t, "file", "longer content");
}

static void shrink(const struct temp_tree *t)
{
	temp_tree_text(t, "file", "con");
}

/* As long as before, and with its old time. */
static void rewrite(const struct temp_tree *t)
{
	temp_tree_text(t, "file", "CONTENT");
	set_old_time(t, "file");
}

static void replace(const struct temp_tree *t)
{
	temp_tree_text(t, "new", "content");
	set_old_time(t, "new");
	assert_int_equal(renameat(t->fd, "new", t->fd, "file"), 0);
}

static void replace_by_link(const struct temp_tree *t)
{
	assert_int_equal(renameat(t->fd, "file", t->fd, "other"), 0);
	temp_tree_symlink(t, "file", "other");
}

static void replace_by_fifo(const struct temp_tree *t)
{
	assert_int_equal(unlinkat(t->fd, "file", 0), 0);
	assert_int_equal(mkfifoat(t->fd, "file", 0644), 0);
}

static void replace_by_folder(const struct temp_tree *t)
{
	assert_int_equal(unlinkat(t->fd, "file", 0), 0);
	temp_tree_folder(t, "file");
}

static void what_changed_since_the_scan_is_told(void **state)
{
	static void (*const changes[])(const struct temp_tree *t) = {
		grow, shrink, rewrite, replace, replace_by_link, replace_by_fifo, replace_by_folder};
	const struct temp_tree *t = *state;

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		struct reading r;

		if (unlinkat(t->fd, "file", 0))
			(void)unlinkat(t->fd, "file", AT_REMOVEDIR);
		temp_tree_text(t, "file", "content");
		set_old_time(t, "file");
		begin(&r, t, "file");
		usleep(20000); /* above the step of the file system's clock */
		changes[i](t);
		assert_int_equal(read_it(&r), -ESTALE);
		assert_non_null(strstr(r.err.text, "/root: file: changed while it was packed; "));
		end(&r);
	}
}

static void what_vanished_since_the_scan_is_told(void **state)
{
	const struct temp_tree *t = *state;
	struct reading r;

	temp_tree_folder(t, "a");
	temp_tree_text(t, "a/file", "content");
	begin(&r, t, "a/file");
	assert_int_equal(renameat(t->fd, "a", t->fd, "b"), 0);
	assert_int_equal(read_it(&r), -ENOENT);
	assert_non_null(strstr(r.err.text, "/root: a/file: vanished while the directory was packed; "));
	end(&r);
}

static void what_may_not_be_read_is_told(void **state)
{
	const struct temp_tree *t = *state;
	struct reading r;

	temp_tree_text(t, "shadow", "content");
	assert_int_equal(fchmodat(t->fd, "shadow", 0, 0), 0);
	begin(&r, t, "shadow");
	temp_tree_drop_rights(t);
	assert_int_equal(read_it(&r), -EACCES);
	assert_non_null(strstr(r.err.text, "/root: shadow: cannot read it: Permission denied; make it readable"));
	end(&r);
}

/* The guest's memory is a mapping of the file itself, so that reading it changes it. */
static void what_changes_while_it_is_read_is_told(void **state)
{
	const struct temp_tree *t = *state;
	static uint8_t content[65536];
	struct reading r;
	struct stat st;
	void *own;
	int fd;

	temp_tree_file(t, "file", content, sizeof(content));
	set_old_time(t, "file");
	begin(&r, t, "file");
	fd = openat(t->fd, "file", O_RDWR | O_CLOEXEC);
	own = mmap(NULL, sizeof(content), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(own != MAP_FAILED);
	struct guest_mem mem = {.nr_regions = 1, .ram_size = sizeof(content)};
	mem.regions[0] = (struct guest_region){.base = gpa(0), .size = sizeof(content), .hva = own};
	int code = tree_file_read(&r.tree, &r.tree.entries[0], &mem, gpa(0), &r.err);
	assert_int_equal(fstat(fd, &st), 0);
	munmap(own, sizeof(content));
	close(fd);
	end(&r);
	if (st.st_mtim.tv_sec == 1000)
		skip(); /* tmpfs does not tell when a mapping is written */
	assert_int_equal(code, -ESTALE);
	assert_non_null(strstr(r.err.text, "/root: file: changed while it was packed; "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_tree_test(a_file_is_read_and_nothing_else_written),
		temp_tree_test(an_empty_file_is_nothing),
		temp_tree_test(holes_are_not_touched),
		temp_tree_test(a_file_of_one_hole_is_not_touched),
		temp_tree_test(what_changed_since_the_scan_is_told),
		temp_tree_test(what_vanished_since_the_scan_is_told),
		temp_tree_test(what_may_not_be_read_is_told),
		temp_tree_test(what_changes_while_it_is_read_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
