/* SPDX-License-Identifier: Apache-2.0 */
/* What was added is read back twice: by our own reader, and by cpio(1) where it is installed. */
#include "support/archive_members.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cpio_write.h"
#include "base/file.h"

#define NOT_FOUND 127

static int set_up(void **state)
{
	static struct archive archive;

	archive_init(&archive);
	*state = &archive;
	return 0;
}

static int tear_down(void **state)
{
	archive_fini(*state);
	return 0;
}

static void find(const struct archive *archive, const char *name, struct cpio_entry *entry)
{
	assert_true(member_find(archive, name, entry));
}

static void an_empty_archive_is_a_trailer(void **state)
{
	struct archive *archive = *state;

	assert_int_equal(archive_finish(archive), 0);
	assert_int_equal(archive->size, cpio_member_size(strlen(CPIO_TRAILER), 0));
	assert_int_equal(member_count(archive), 0);
	assert_memory_equal(archive->bytes + CPIO_HEADER_SIZE, CPIO_TRAILER, sizeof(CPIO_TRAILER));
}

static void every_kind_of_member_is_read_back(void **state)
{
	struct archive *archive = *state;
	struct cpio_entry entry;

	archive_add_folder(archive, "tmp", 01777);
	archive_add_file(archive, "bin/tool", 04755, "bytes\0more", 10);
	archive_add_link(archive, "bin/sh", "/bin/busybox");
	archive_add_character_device(archive, "dev/console", 0600, 5, 1);
	assert_int_equal(archive_finish(archive), 0);
	assert_int_equal(member_count(archive), 4);
	find(archive, "tmp", &entry);
	assert_int_equal(entry.mode, S_IFDIR | 01777);
	assert_int_equal(entry.data_size, 0);
	assert_int_equal(entry.nlink, 2);
	find(archive, "bin/tool", &entry);
	assert_int_equal(entry.mode, S_IFREG | 04755);
	assert_int_equal(entry.data_size, 10);
	assert_int_equal(entry.nlink, 1);
	assert_memory_equal(member_data(archive, &entry), "bytes\0more", 10);
	find(archive, "bin/sh", &entry);
	assert_int_equal(entry.mode, S_IFLNK | 0777);
	assert_int_equal(entry.data_size, strlen("/bin/busybox"));
	assert_memory_equal(member_data(archive, &entry), "/bin/busybox", entry.data_size);
	find(archive, "dev/console", &entry);
	assert_int_equal(entry.mode, S_IFCHR | 0600);
	assert_int_equal(member_field(&entry, MEMBER_RDEV_MAJOR), 5);
	assert_int_equal(member_field(&entry, MEMBER_RDEV_MINOR), 1);
	assert_int_equal(member_field(&entry, MEMBER_DEV_MAJOR), 0);
}

static void all_belongs_to_root_and_no_two_members_are_one_file(void **state)
{
	struct archive *archive = *state;
	struct cpio_entry entry;
	struct cpio cpio;
	uint32_t last = 0;

	archive_add_folder(archive, "a", 0755);
	archive_add_file(archive, "b", 0644, "1", 1);
	archive_add_link(archive, "c", "b");
	archive_add_character_device(archive, "d", 0666, 1, 3);
	assert_int_equal(archive_finish(archive), 0);
	cpio_init(&cpio, archive->bytes, archive->size);
	while (cpio_next(&cpio, &entry) > 0) {
		assert_int_equal(entry.uid, 0);
		assert_int_equal(entry.gid, 0);
		assert_true(entry.ino > last);
		last = entry.ino;
	}
	assert_int_equal(last, 4);
}

/* Names and data of every length modulo 4, so that each padding occurs and none holds old bytes. */
static void whatever_the_lengths_the_padding_is_zero(void **state)
{
	struct archive *archive = *state;
	struct cpio_entry entry;
	struct cpio cpio;
	char name[16];

	for (int name_len = 1; name_len <= 8; name_len++)
		for (size_t size = 0; size <= 8; size++) {
			snprintf(name, sizeof(name), "%.*s", name_len, "nnnnnnnn");
			archive_add_file(archive, name, 0644, "\xff\xff\xff\xff\xff\xff\xff\xff", size);
		}
	assert_int_equal(archive_finish(archive), 0);
	assert_int_equal(archive->size % CPIO_ALIGNMENT, 0);
	assert_int_equal(member_count(archive), 8 * 9);
	cpio_init(&cpio, archive->bytes, archive->size);
	for (uint64_t end; cpio_next(&cpio, &entry) > 0;) {
		for (end = entry.data_offset + entry.data_size; end % CPIO_ALIGNMENT; end++)
			assert_int_equal(archive->bytes[end], 0);
		for (end = entry.data_offset; archive->bytes[end - 1] == 0; end--)
			;
		assert_in_range(entry.data_offset - end, 1, CPIO_ALIGNMENT); /* the NUL, and padding */
	}
}

/* Far beyond the first allocation: everything moves, and nothing changes. */
static void it_grows_without_changing_what_is_there(void **state)
{
	struct archive *archive = *state;
	const size_t size = 3u << 20;
	uint8_t *data = malloc(size);
	struct cpio_entry entry;
	char name[16];

	assert_non_null(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)(i * 7 >> 3);
	archive_add_file(archive, "first", 0600, "first", 5);
	archive_add_file(archive, "large", 0600, data, size);
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		archive_add_file(archive, name, 0600, name, strlen(name));
	}
	assert_int_equal(archive_finish(archive), 0);
	assert_int_equal(member_count(archive), 2002);
	find(archive, "first", &entry);
	assert_memory_equal(member_data(archive, &entry), "first", 5);
	find(archive, "large", &entry);
	assert_int_equal(entry.data_size, size);
	assert_memory_equal(member_data(archive, &entry), data, size);
	find(archive, "f1999", &entry);
	assert_memory_equal(member_data(archive, &entry), "f1999", 5);
	free(data);
}

/* Ends just before, at and behind the end of the first allocation; a sanitizer sees a byte beyond it. */
static void it_grows_in_time(void **state)
{
	static const uint8_t data[8192];
	struct archive *archive = *state;
	size_t first, header = cpio_header_size(1);

	archive_add_folder(archive, "a", 0755);
	first = archive->capacity;
	assert_in_range(first, 2 * header, sizeof(data));
	for (size_t end = first - 16; end <= first + 16; end += CPIO_ALIGNMENT) {
		archive_fini(archive);
		archive_add_file(archive, "a", 0600, data, end - header);
		assert_int_equal(archive->size, end);
		assert_true(archive->capacity >= end);
	}
}

static void a_member_that_found_no_memory_fails_the_whole_archive(void **state)
{
	struct archive *archive = *state;
	size_t size;

	archive_add_folder(archive, "a", 0755);
	size = archive->size;
	archive->failed = true;
	archive_add_file(archive, "b", 0644, "1", 1);
	assert_int_equal(archive->size, size);
	assert_int_equal(archive_finish(archive), -ENOMEM);
}

static void an_archive_can_be_used_again(void **state)
{
	struct archive *archive = *state;

	archive_add_folder(archive, "a", 0755);
	archive_fini(archive);
	assert_null(archive->bytes);
	archive_fini(archive);
	archive_add_folder(archive, "b", 0755);
	assert_int_equal(archive_finish(archive), 0);
	assert_int_equal(member_count(archive), 1);
}

/* What `cpio -itv` says of the archive into @text; its exit status, NOT_FOUND when it is not installed. */
static int list_with_cpio(const struct archive *archive, char *text, size_t size)
{
	static char program[] = "cpio", options[] = "-itv", numbers[] = "--numeric-uid-gid", quiet[] = "--quiet";
	static char locale[] = "LC_ALL=C", zone[] = "TZ=UTC";
	char *const argv[] = {program, options, numbers, quiet, NULL}, *const environment[] = {locale, zone, NULL};
	int in = memfd_create("archive", MFD_CLOEXEC), out = memfd_create("list", MFD_CLOEXEC), status;
	posix_spawn_file_actions_t actions;
	ssize_t len;
	pid_t pid;

	assert_true(in >= 0 && out >= 0);
	assert_int_equal(write_all(in, archive->bytes, archive->size), 0);
	assert_int_equal(lseek(in, 0, SEEK_SET), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
	status = posix_spawnp(&pid, program, &actions, NULL, argv, environment) ? NOT_FOUND << 8 : 0;
	posix_spawn_file_actions_destroy(&actions);
	if (!status)
		assert_int_equal(waitpid(pid, &status, 0), pid);
	len = pread(out, text, size - 1, 0);
	assert_true(len >= 0);
	text[len] = '\0';
	close(in);
	close(out);
	return WEXITSTATUS(status);
}

static void cpio_reads_the_same(void **state)
{
	static const char wanted[] =
		"drwxrwxrwt   2 0        0               0 Jan  1  1970 tmp\n"
		"-rwsr-xr-x   1 0        0              10 Jan  1  1970 bin/tool\n"
		"lrwxrwxrwx   1 0        0              12 Jan  1  1970 bin/sh -> /bin/busybox\n"
		"crw-------   1 0        0          5,   1 Jan  1  1970 dev/console\n";
	struct archive *archive = *state;
	char text[1024];
	int status;

	archive_add_folder(archive, "tmp", 01777);
	archive_add_file(archive, "bin/tool", 04755, "bytes\0more", 10);
	archive_add_link(archive, "bin/sh", "/bin/busybox");
	archive_add_character_device(archive, "dev/console", 0600, 5, 1);
	assert_int_equal(archive_finish(archive), 0);
	status = list_with_cpio(archive, text, sizeof(text));
	if (status == NOT_FOUND)
		skip();
	assert_string_equal(text, wanted);
	assert_int_equal(status, 0);
}

#define WITH_ARCHIVE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARCHIVE(an_empty_archive_is_a_trailer),
		WITH_ARCHIVE(every_kind_of_member_is_read_back),
		WITH_ARCHIVE(all_belongs_to_root_and_no_two_members_are_one_file),
		WITH_ARCHIVE(whatever_the_lengths_the_padding_is_zero),
		WITH_ARCHIVE(it_grows_without_changing_what_is_there),
		WITH_ARCHIVE(it_grows_in_time),
		WITH_ARCHIVE(a_member_that_found_no_memory_fails_the_whole_archive),
		WITH_ARCHIVE(an_archive_can_be_used_again),
		WITH_ARCHIVE(cpio_reads_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
