/* SPDX-License-Identifier: Apache-2.0 */
/* What the command leaves in /out comes as one well-formed archive. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cpio.h"
#include "guest_run.h"

#define FLAGS	    (COMMAND_FLAG_NO_INPUT | COMMAND_FLAG_OUT)
#define MAX_MEMBERS 1024

struct member {
	const char *name;
	struct cpio_header header;
	const uint8_t *data;
};

struct listing {
	struct guest_result result;
	struct member members[MAX_MEMBERS];
	unsigned count;
};

static uint32_t read_field(const uint8_t *header, unsigned index)
{
	char digits[9] = "";
	char *end;
	unsigned long value;

	memcpy(digits, header + 6 + 8 * index, 8);
	value = strtoul(digits, &end, 16);
	assert_ptr_equal(end, digits + 8);
	return (uint32_t)value;
}

/* A reader of its own, so that none of the program's code is needed to judge it. Returns where the next member begins.
 */
static size_t read_member(const uint8_t *archive, size_t at, size_t size, struct member *member)
{
	const uint8_t *header = archive + at;

	assert_true(at % 4 == 0 && size - at >= CPIO_HEADER_SIZE);
	assert_memory_equal(header, "070701", 6);
	member->header = (struct cpio_header){
		.ino = read_field(header, 0),
		.mode = read_field(header, 1),
		.nlink = read_field(header, 4),
		.mtime = read_field(header, 5),
		.data_size = read_field(header, 6),
		.name_size = read_field(header, 11),
	};
	member->name = (const char *)header + CPIO_HEADER_SIZE;
	at += (CPIO_HEADER_SIZE + member->header.name_size + 3) & ~3ULL;
	member->data = archive + at;
	at += (member->header.data_size + 3ULL) & ~3ULL;
	assert_true(at <= size);
	assert_int_equal(strlen(member->name) + 1, member->header.name_size);
	return at;
}

static void run(const char *script, struct listing *listing)
{
	const uint8_t *archive;
	size_t at = 0, size;

	guest_run_script(script, FLAGS, &listing->result);
	archive = listing->result.frames.out;
	size = listing->result.frames.out_len;
	for (listing->count = 0;; listing->count++) {
		struct member *member = &listing->members[listing->count];

		assert_true(listing->count < MAX_MEMBERS);
		at = read_member(archive, at, size, member);
		if (strcmp(member->name, "TRAILER!!!") == 0)
			break;
	}
	assert_int_equal(at, size);
}

static const struct member *find(const struct listing *listing, const char *name)
{
	for (unsigned i = 0; i < listing->count; i++) {
		if (strcmp(listing->members[i].name, name) == 0)
			return &listing->members[i];
	}
	fail_msg("no %s in the archive", name);
	return NULL;
}

static void assert_content(const struct listing *listing, const char *name, const char *content)
{
	const struct member *member = find(listing, name);

	assert_int_equal(member->header.data_size, strlen(content));
	assert_memory_equal(member->data, content, strlen(content));
}

static void assert_note(const struct listing *listing, const char *note)
{
	if (!strstr(listing->result.frames.notes, note))
		fail_msg("no \"%s\" in: %s", note, listing->result.frames.notes);
}

static void assert_lost(const struct listing *listing, unsigned lost)
{
	assert_int_equal(listing->result.frames.done.lost, lost);
}

static void nothing_left_is_an_empty_archive(void **state)
{
	static struct listing listing;

	(void)state;
	run("echo output; exit 3", &listing);
	guest_assert_exited(&listing.result, 3);
	assert_int_equal(listing.count, 0);
	assert_non_null(strstr(listing.result.frames.order, "EFG"));
	assert_lost(&listing, 0);
	guest_fini(&listing.result);
}

static void archive_comes_also_when_the_command_cannot_start(void **state)
{
	const struct guest_request request = {.arguments = {"missing"}, .flags = FLAGS};
	struct guest_result result;
	struct member member;

	(void)state;
	guest_run(&request, &result);
	guest_assert_not_started(&result, ENOENT, COMMAND_STEP_EXEC);
	assert_int_equal(read_member(result.frames.out, 0, result.frames.out_len, &member), result.frames.out_len);
	assert_string_equal(member.name, "TRAILER!!!");
	guest_fini(&result);
}

static void tree_comes_with_modes_names_and_content(void **state)
{
	static const char script[] =
		"cd /out; mkdir -p a/b/c; echo deep >a/b/c/file; printf 12345 >five; : >empty; chmod 4751 five;"
		"ln -s ../../etc/passwd link; ln five hard; printf x >\"$(printf 'odd \\n\\377\\042\\047*')\";"
		"busybox touch -d @1000000000 five; chmod 700 a; printf y >-dash; mkdir ...; printf z >.hidden";
	static struct listing listing;

	(void)state;
	run(script, &listing);
	guest_assert_exited(&listing.result, 0);
	assert_content(&listing, "a/b/c/file", "deep\n");
	assert_content(&listing, "five", "12345");
	assert_content(&listing, "hard", "12345");
	assert_content(&listing, "empty", "");
	assert_content(&listing, "link", "../../etc/passwd");
	assert_content(&listing, "odd \n\377\"'*", "x");
	assert_content(&listing, "-dash", "y");
	assert_content(&listing, ".hidden", "z");
	assert_content(&listing, "...", "");
	assert_int_equal(find(&listing, "five")->header.mode, S_IFREG | 04751);
	assert_int_equal(find(&listing, "five")->header.mtime, 1000000000);
	assert_int_equal(find(&listing, "five")->header.nlink, 1);
	assert_int_equal(find(&listing, "a")->header.mode, S_IFDIR | 0700);
	assert_int_equal(find(&listing, "link")->header.mode, S_IFLNK | 0777);
	assert_true(find(&listing, "a") < find(&listing, "a/b"));
	assert_true(find(&listing, "a/b") < find(&listing, "a/b/c"));
	assert_int_equal(listing.count, 12);
	for (unsigned i = 0; i < listing.count; i++)
		assert_int_equal(listing.members[i].header.ino, i + 1);
	assert_lost(&listing, 0);
	guest_fini(&listing.result);
}

static void content_survives_frames_and_padding(void **state)
{
	/* Sizes around the padding, the frame and the sum of both; the content tells where each byte belongs. */
	static const char script[] =
		"cd /out; for n in 1 2 3 4 5 911 912 1023 1024 1025 2048 70001; do"
		" busybox seq 1 20000 | busybox head -c $n >f$n; done; busybox seq 1 100000 | busybox head -c 500000 "
		">big";
	static const unsigned sizes[] = {1, 2, 3, 4, 5, 911, 912, 1023, 1024, 1025, 2048, 70001};
	static char expected[600000];
	static struct listing listing;
	size_t len = 0;
	char name[16];

	(void)state;
	for (unsigned i = 1; len < 500000; i++)
		len += (size_t)snprintf(expected + len, 16, "%u\n", i);
	run(script, &listing);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(name, sizeof(name), "f%u", sizes[i]);
		assert_int_equal(find(&listing, name)->header.data_size, sizes[i]);
		assert_memory_equal(find(&listing, name)->data, expected, sizes[i]);
	}
	assert_int_equal(find(&listing, "big")->header.data_size, 500000);
	assert_memory_equal(find(&listing, "big")->data, expected, 500000);
	guest_fini(&listing.result);
}

static void many_entries_come_once_each(void **state)
{
	static struct listing listing;
	char name[32];

	(void)state;
	run("cd /out; mkdir d; i=0; while [ $i -lt 400 ]; do echo $i >d/a-rather-long-name-$i; i=$((i + 1)); done; "
	    "mkdir e;"
	    "echo last >e/z",
	    &listing);
	assert_int_equal(listing.count, 403);
	for (unsigned i = 0; i < 400; i++) {
		char content[16];

		snprintf(name, sizeof(name), "d/a-rather-long-name-%u", i);
		snprintf(content, sizeof(content), "%u\n", i);
		assert_content(&listing, name, content);
	}
	assert_content(&listing, "e/z", "last\n");
	guest_fini(&listing.result);
}

static void what_is_no_file_is_left_with_a_note(void **state)
{
	static struct listing listing;

	(void)state;
	run("cd /out; busybox mkfifo \"$(printf 'pi\\npe')\"; echo kept >kept; echo x >TRAILER!!!; mkdir s; echo y "
	    ">s/TRAILER!!!",
	    &listing);
	assert_note(&listing, "/out/pi?pe is not brought out: neither a file");
	assert_note(&listing, "/out/TRAILER!!! is not brought out");
	assert_content(&listing, "kept", "kept\n");
	assert_content(&listing, "s/TRAILER!!!", "y\n");
	assert_int_equal(listing.count, 3);
	assert_lost(&listing, 0);
	guest_fini(&listing.result);
}

static void notes_are_few(void **state)
{
	static struct listing listing;

	(void)state;
	run("cd /out; i=0; while [ $i -lt 50 ]; do busybox mkfifo p$i; i=$((i + 1)); done", &listing);
	assert_note(&listing, "/out: 40 more entries could not be brought out");
	assert_int_equal(listing.count, 0);
	assert_lost(&listing, 0);
	guest_fini(&listing.result);
}

static void depth_is_bounded(void **state)
{
	static struct listing listing;

	(void)state;
	run("cd /out; i=0; while [ $i -lt 70 ]; do mkdir d; cd d; i=$((i + 1)); done; echo lost >lost; echo kept "
	    ">/out/kept",
	    &listing);
	assert_note(&listing, "too deep");
	assert_content(&listing, "kept", "kept\n");
	/* The folders below /out, in the 64 that were opened, and what could not be entered. */
	assert_int_equal(listing.count, 64 + 1);
	assert_lost(&listing, 1);
	guest_fini(&listing.result);
}

static void paths_are_bounded(void **state)
{
	/* In the 16th folder a name of 78 bytes is the last that has room. */
	static const char script[] =
		"cd /out; n=$(printf %0250d 0); i=0; while [ $i -lt 20 ]; do mkdir $n && cd $n; i=$((i + 1));"
		"if [ $i = 16 ]; then : >$(printf %078d 0); : >$(printf %079d 0); fi;"
		"done; cd /out; echo kept >kept";
	static struct listing listing;

	(void)state;
	run(script, &listing);
	assert_note(&listing, "too long to be brought out");
	assert_content(&listing, "kept", "kept\n");
	assert_int_equal(listing.count, 16 + 1 + 1);
	for (unsigned i = 0; i < listing.count; i++)
		assert_true(listing.members[i].header.name_size <= CPIO_MAX_NAME);
	assert_lost(&listing, 2);
	guest_fini(&listing.result);
}

static void other_file_systems_are_not_entered(void **state)
{
	static struct listing listing;

	(void)state;
	run("mkdir /out/mnt /out/own; busybox mount -t tmpfs none /out/mnt; echo x >/out/mnt/file; echo y "
	    ">/out/own/file",
	    &listing);
	assert_note(&listing, "/out/mnt is not brought out: another file system");
	assert_content(&listing, "own/file", "y\n");
	assert_int_equal(listing.count, 2);
	assert_lost(&listing, 0);
	guest_fini(&listing.result);
}

static void huge_files_are_left_with_a_note(void **state)
{
	static struct listing listing;

	(void)state;
	run("cd /out; busybox truncate -s 4294967296 huge; mkdir d; busybox truncate -s 8589934592 d/more; echo kept "
	    ">kept",
	    &listing);
	assert_note(&listing, "/out/huge is not brought out: 4 GiB or larger");
	assert_content(&listing, "kept", "kept\n");
	assert_int_equal(listing.count, 2);
	assert_lost(&listing, 2);
	guest_fini(&listing.result);
}

static void lost_entries_are_counted_beyond_the_notes(void **state)
{
	static struct listing listing;

	(void)state;
	run("cd /out; i=0; while [ $i -lt 30 ]; do busybox truncate -s 4294967296 f$i; busybox mkfifo p$i; i=$((i + "
	    "1)); done",
	    &listing);
	assert_note(&listing, "/out: 50 more entries could not be brought out");
	assert_lost(&listing, 30);
	guest_fini(&listing.result);
}

/* A file of sysfs claims a page and has less. */
static void file_that_ends_early_is_lost(void **state)
{
	static struct listing listing;
	const struct member *member;

	(void)state;
	run("echo content >/out/kept; [ -s /sys/kernel/uevent_seqnum ] || exit 1; : >/out/short;"
	    "busybox mount -o bind /sys/kernel/uevent_seqnum /out/short || exit 1",
	    &listing);
	if (listing.result.frames.exit.value != 0) {
		guest_fini(&listing.result);
		skip();
	}
	assert_note(&listing, "/out/short could not be read to its end");
	assert_content(&listing, "kept", "content\n");
	member = find(&listing, "short");
	assert_true(member->header.data_size > 0);
	assert_int_equal(member->data[member->header.data_size - 1], 0);
	assert_lost(&listing, 1);
	guest_fini(&listing.result);
}

static void removed_folder_is_told(void **state)
{
	static struct listing listing;

	(void)state;
	run("busybox umount /out && busybox rmdir /out", &listing);
	guest_assert_exited(&listing.result, 0);
	assert_note(&listing, "/out is gone");
	assert_int_equal(listing.count, 0);
	assert_lost(&listing, 1);
	guest_fini(&listing.result);
}

static void folder_that_became_a_link_is_not_followed(void **state)
{
	static struct listing listing;

	(void)state;
	run("busybox umount /out && busybox rmdir /out && ln -s /bin /out", &listing);
	assert_int_equal(listing.count, 0);
	assert_lost(&listing, 1);
	guest_fini(&listing.result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_left_is_an_empty_archive),
		cmocka_unit_test(archive_comes_also_when_the_command_cannot_start),
		cmocka_unit_test(tree_comes_with_modes_names_and_content),
		cmocka_unit_test(content_survives_frames_and_padding),
		cmocka_unit_test(many_entries_come_once_each),
		cmocka_unit_test(what_is_no_file_is_left_with_a_note),
		cmocka_unit_test(notes_are_few),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(paths_are_bounded),
		cmocka_unit_test(other_file_systems_are_not_entered),
		cmocka_unit_test(huge_files_are_left_with_a_note),
		cmocka_unit_test(lost_entries_are_counted_beyond_the_notes),
		cmocka_unit_test(file_that_ends_early_is_lost),
		cmocka_unit_test(removed_folder_is_told),
		cmocka_unit_test(folder_that_became_a_link_is_not_followed),
	};
	int missing = guest_missing();

	return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
