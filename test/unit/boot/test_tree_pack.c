/* SPDX-License-Identifier: Apache-2.0 */
/* The reference is GNU cpio 2.13 itself; without it that comparison is skipped. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/sysmacros.h>

#include "base/cpio.h"
#include "boot/tree_pack.h"
#include "support/temp_tree.h"

#define MIB    (1ULL << 20)
#define RAM    (64 * MIB)
#define AT     (2 * MIB + 4)
#define BLOCK  512 /* GNU cpio fills its last one with zeros */
#define MAX_ID 0xfffffffeU

struct packed {
	struct tree_pack *tree;
	struct guest_mem mem;
	struct error err;
	const uint8_t *bytes;
	uint64_t size;
	int code;
};

static void pack(struct packed *p, const struct temp_tree *files)
{
	*p = (struct packed){.code = 0};
	assert_int_equal(guest_mem_init(&p->mem, RAM), 0);
	p->code = tree_pack_scan(&p->tree, files->root, &p->err);
	if (p->code)
		return;
	p->size = tree_pack_size(p->tree);
	p->bytes = p->mem.regions[0].hva + AT;
	p->code = tree_pack_write(p->tree, &p->mem, gpa(AT), &p->err);
}

static void unpack(struct packed *p)
{
	tree_pack_free(p->tree);
	guest_mem_fini(&p->mem);
}

/* The archive that `cpio` makes of the sorted names, or NULL when there is no such program. */
static uint8_t *run_cpio(const struct temp_tree *files, uint64_t *size)
{
	char command[512], path[128];
	uint8_t *bytes;
	struct stat st;
	int fd;

	if (system("cpio --version 2>/dev/null | grep -q 'GNU cpio'"))
		return NULL;
	snprintf(path, sizeof(path), "%s/reference", files->folder);
	snprintf(command, sizeof(command),
		 "cd '%s' && find . -mindepth 1 -printf '%%P\\0' | LC_ALL=C sort -z |"
		 " cpio -0 --quiet -o -H newc --reproducible >'%s'",
		 files->root, path);
	assert_int_equal(system(command), 0);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	*size = (uint64_t)st.st_size;
	bytes = malloc(*size);
	assert_non_null(bytes);
	assert_int_equal(read_exact_at(fd, bytes, *size, 0), 0);
	close(fd);
	return bytes;
}

static void compare_with_cpio(const struct temp_tree *files)
{
	struct packed p;
	uint64_t size = 0, differ = 0;
	uint8_t *reference;

	pack(&p, files);
	if (p.code)
		fail_msg("%s", p.err.text);
	reference = run_cpio(files, &size);
	if (!reference) {
		unpack(&p);
		skip();
	}
	assert_in_range(size, p.size, p.size + BLOCK - 1);
	/* Guest memory behind the archive is zero, as the last block is. */
	while (differ < size && p.bytes[differ] == reference[differ])
		differ++;
	assert_int_equal(differ, size);
	free(reference);
	unpack(&p);
}

static void add_kinds(const struct temp_tree *t)
{
	static const mode_t modes[] = {0, 0400, 04755, 02755, 06711, 0777, 01777};
	char path[] = "modes/0", target[4096];

	temp_tree_folder(t, "modes");
	temp_tree_folder(t, "modes/sticky");
	assert_int_equal(fchmodat(t->fd, "modes/sticky", 01777, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++, path[6]++) {
		temp_tree_text(t, path, path);
		assert_int_equal(fchmodat(t->fd, path, geteuid() ? modes[i] | 0400 : modes[i], 0), 0);
	}
	temp_tree_text(t, "empty-file", "");
	temp_tree_folder(t, "empty-folder");
	temp_tree_symlink(t, "dangling", "nowhere");
	temp_tree_symlink(t, "absolute", "/etc/passwd");
	temp_tree_symlink(t, "to-folder", "empty-folder");
	temp_tree_symlink(t, "loop", "loop");
	memset(target, 'l', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	temp_tree_symlink(t, "long-link", target);
	temp_tree_link(t, "long-link-2", "long-link");
	assert_int_equal(mkfifoat(t->fd, "fifo", 0622), 0);
	temp_tree_link(t, "fifo-2", "fifo");
}

static void add_names(const struct temp_tree *t)
{
	static const char *const names[] = {" space",	"new\nline", "-dash", "--",  "\xff\xfe", "\xc3\xa9t\xc3\xa9",
					    "a",	"ab",	     "abc",   "a-b", "*",	 "'\"\\$",
					    "\x01\x7f", "a.b"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		temp_tree_text(t, names[i], names[i]);
	/* Sorted as paths, "folder-x" and "folder.x" stand before and "folder0" behind what is in "folder". */
	temp_tree_folder(t, "folder");
	temp_tree_text(t, "folder/x", "1");
	temp_tree_text(t, "folder-x", "12");
	temp_tree_text(t, "folder.x", "123");
	temp_tree_text(t, "folder0", "1234");
	temp_tree_folder(t, "folder/TRAILER!!!");
	temp_tree_deep(t, 3999);
}

static void add_links(const struct temp_tree *t)
{
	temp_tree_folder(t, "links");
	temp_tree_folder(t, "links/sub");
	temp_tree_text(t, "links/b", "all four are here");
	temp_tree_link(t, "links/sub/b", "links/b");
	temp_tree_link(t, "links/a", "links/b");
	temp_tree_link(t, "z-link", "links/b");
	temp_tree_text(t, "links/empty", "");
	temp_tree_link(t, "links/empty-2", "links/empty");
	temp_tree_text(t, "../outside", "one more is outside");
	temp_tree_link(t, "links/o1", "../outside");
	temp_tree_link(t, "links/o2", "../outside");
	temp_tree_link(t, "o3", "../outside");
	temp_tree_text(t, "../outside-too", "this has one name inside");
	temp_tree_link(t, "links/only", "../outside-too");
	temp_tree_text(t, "../third", "between the others");
	temp_tree_link(t, "links/o11", "../third");
	temp_tree_link(t, "n", "../third");
}

static void add_content(const struct temp_tree *t)
{
	static uint8_t big[3 * MIB + 1];

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 2654435761U >> 24);
	temp_tree_file(t, "big", big, sizeof(big));
	temp_tree_file(t, "page", big, 4096);
	temp_tree_sparse(t, "sparse", 5 * MIB + 3, 2 * MIB + 77, "in the middle");
	temp_tree_sparse(t, "sparse-begin", MIB, 0, "at the beginning");
	temp_tree_sparse(t, "sparse-end", MIB, MIB - 3, "end");
	temp_tree_sparse(t, "hole", 100000, 0, "");
}

static void add_owners_and_devices(const struct temp_tree *t)
{
	if (geteuid() != 0)
		return;
	temp_tree_text(t, "owned", "");
	assert_int_equal(fchownat(t->fd, "owned", 1000, 2000, 0), 0);
	temp_tree_symlink(t, "owned-link", "x");
	assert_int_equal(fchownat(t->fd, "owned-link", MAX_ID, MAX_ID, AT_SYMLINK_NOFOLLOW), 0);
	/* A container's root may not make devices. */
	if (mknodat(t->fd, "null", S_IFCHR | 0666, makedev(1, 3)))
		return;
	assert_int_equal(mknodat(t->fd, "disk", S_IFBLK | 0600, makedev(259, 70000)), 0);
	temp_tree_link(t, "null-2", "null");
}

static void an_awkward_tree_is_packed_as_cpio_does(void **state)
{
	const struct temp_tree *t = *state;
	const struct timespec times[] = {{.tv_sec = 1}, {.tv_sec = UINT32_MAX}};

	add_kinds(t);
	add_names(t);
	add_links(t);
	add_content(t);
	add_owners_and_devices(t);
	assert_int_equal(utimensat(t->fd, "big", times, 0), 0);
	compare_with_cpio(t);
}

static void an_empty_directory_is_packed_as_cpio_does(void **state)
{
	compare_with_cpio(*state);
}

static void times_outside_32_bits_are_clamped(void **state)
{
	const struct timespec before[2] = {{.tv_sec = -5}, {.tv_sec = -5}};
	const struct timespec after[2] = {{.tv_sec = 1LL << 33}, {.tv_sec = 1LL << 33}};
	const struct temp_tree *t = *state;
	struct cpio_entry entry;
	struct cpio cpio;
	struct packed p;
	struct stat st;

	temp_tree_text(t, "a", "");
	temp_tree_text(t, "b", "");
	assert_int_equal(utimensat(t->fd, "a", before, 0), 0);
	assert_int_equal(utimensat(t->fd, "b", after, 0), 0);
	/* Not every file system stores such a time. */
	if (fstatat(t->fd, "b", &st, 0) || st.st_mtim.tv_sec != 1LL << 33)
		skip();
	pack(&p, t);
	assert_int_equal(p.code, 0);
	cpio_init(&cpio, p.bytes, p.size);
	assert_int_equal(cpio_next(&cpio, &entry), 1);
	assert_int_equal(entry.mtime, 0);
	assert_int_equal(cpio_next(&cpio, &entry), 1);
	assert_int_equal(entry.mtime, UINT32_MAX);
	unpack(&p);
}

static void memory_outside_the_archive_stays_untouched(void **state)
{
	struct packed p;

	temp_tree_text(*state, "file", "content");
	pack(&p, *state);
	assert_int_equal(p.code, 0);
	for (uint64_t at = 0; at < 4096; at++) {
		assert_int_equal(p.bytes[p.size + at], 0);
		assert_int_equal(*(p.bytes - at - 1), 0);
	}
	unpack(&p);
}

static void a_place_outside_ram_is_refused(void **state)
{
	struct packed p;

	temp_tree_text(*state, "file", "content");
	pack(&p, *state);
	assert_int_equal(p.code, 0);
	assert_int_equal(tree_pack_write(p.tree, &p.mem, gpa(RAM - p.size + 4), &p.err), -EFAULT);
	assert_non_null(strstr(p.err.text, "is not RAM"));
	unpack(&p);
}

static void what_changes_after_the_scan_is_told(void **state)
{
	const struct temp_tree *t = *state;
	struct packed p;

	temp_tree_folder(t, "etc");
	temp_tree_text(t, "etc/empty", "");
	pack(&p, t);
	assert_int_equal(p.code, 0);
	temp_tree_text(t, "etc/empty", "not any more");
	assert_int_equal(tree_pack_write(p.tree, &p.mem, gpa(AT), &p.err), -ESTALE);
	assert_non_null(strstr(p.err.text, "/root: etc/empty: changed while it was packed; "));
	assert_int_equal(unlinkat(t->fd, "etc/empty", 0), 0);
	assert_int_equal(tree_pack_write(p.tree, &p.mem, gpa(AT), &p.err), -ENOENT);
	assert_non_null(strstr(p.err.text, "/root: etc/empty: vanished while "));
	unpack(&p);
}

static void what_no_guest_can_hold_is_refused(void **state)
{
	const struct temp_tree *t = *state;
	struct packed p;

	temp_tree_sparse(t, "a", 2048 * MIB, 0, "");
	temp_tree_sparse(t, "b", 1536 * MIB, 0, "");
	pack(&p, t);
	assert_int_equal(p.code, -EFBIG);
	assert_null(p.tree);
	assert_non_null(strstr(p.err.text, "/root: takes 3.5G as an archive, and 3 GiB is the most; "));
	unpack(&p);
}

static void what_is_no_directory_is_refused(void **state)
{
	const struct temp_tree *t = *state;
	struct tree_pack *tree;
	struct error err;
	char path[128];

	snprintf(path, sizeof(path), "%s/file", t->root);
	assert_int_equal(tree_pack_scan(&tree, path, &err), -ENOENT);
	assert_null(tree);
	temp_tree_text(t, "file", "");
	assert_int_equal(tree_pack_scan(&tree, path, &err), -ENOTDIR);
	assert_null(tree);
	tree_pack_free(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_tree_test(an_awkward_tree_is_packed_as_cpio_does),
		temp_tree_test(an_empty_directory_is_packed_as_cpio_does),
		temp_tree_test(times_outside_32_bits_are_clamped),
		temp_tree_test(memory_outside_the_archive_stays_untouched),
		temp_tree_test(a_place_outside_ram_is_refused),
		temp_tree_test(what_changes_after_the_scan_is_told),
		temp_tree_test(what_no_guest_can_hold_is_refused),
		temp_tree_test(what_is_no_directory_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
