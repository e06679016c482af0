/* SPDX-License-Identifier: Apache-2.0 */
/* How an extraction ends: at its limit, with a broken stream, on a full disk. The rest: test_out_extract.c. */
#include "support/out_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>

static void data_over_the_limit_is_not_stored(void **state)
{
	struct fixture *f = *state;

	f->limit = 64 << 10;
	add_file(f, "small", "small");
	out_archive_add_header(&f->archive, FILE_MODE, "large", 5, UINT32_MAX);
	assert_int_equal(extract_part(f, f->archive.len), -EFBIG);
	assert_text(f->err.text, "--out ");
	assert_text(f->err.text, ": /out holds more than the limit of 64K; raise --out-limit");
	assert_file(f, "small", "small");
	assert_false(is_there(f, "large"));
}

static void the_limit_is_met_exactly(void **state)
{
	static const char data[8192] = {1};
	struct fixture *f = *state;

	out_archive_add(&f->archive, FILE_MODE, "a", data, sizeof(data));
	out_archive_end(&f->archive);
	f->limit = sizeof(data) + OUT_ENTRY_COST;
	assert_int_equal(extract_part(f, f->archive.len), 0);
	f->limit--;
	f->before = sizeof(data);
	assert_int_equal(extract_part(f, f->archive.len), -EFBIG);
	/* What was there before is not touched by what is not stored. */
	assert_int_equal(stat_of(f, "a").st_size, sizeof(data));
	f->limit = 0;
	assert_int_equal(extract_part(f, f->archive.len), -EFBIG);
}

static void entries_without_data_come_to_the_limit_too(void **state)
{
	struct fixture *f = *state;
	char name[16];

	f->limit = 100 * OUT_ENTRY_COST;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "%u", i);
		add_file(f, name, "");
	}
	assert_int_equal(extract(f), -EFBIG);
	assert_int_equal(f->result.files, 100);
	assert_true(is_there(f, "99"));
	assert_false(is_there(f, "100"));
}

static void what_is_left_out_counts_too(void **state)
{
	struct fixture *f = *state;

	f->limit = 1 << 20;
	out_archive_add_header(&f->archive, S_IFCHR, "null", 4, 2 << 20);
	assert_int_equal(extract_part(f, f->archive.len), -EFBIG);
	f->archive.len = 0;
	for (unsigned i = 0; i < 300; i++)
		add_file(f, "../x", "");
	assert_int_equal(extract(f), -EFBIG);
	assert_int_equal(f->result.skipped, 256);
}

static void zeros_are_stored_without_disk_space(void **state)
{
	static const char zeros[1 << 20];
	struct fixture *f = *state;

	out_archive_add(&f->archive, FILE_MODE, "sparse", zeros, sizeof(zeros));
	assert_int_equal(extract(f), 0);
	assert_int_equal(stat_of(f, "sparse").st_size, sizeof(zeros));
	assert_int_equal(stat_of(f, "sparse").st_blocks, 0);
	assert_int_equal(f->result.bytes, sizeof(zeros));
	f->limit = sizeof(zeros);
	assert_int_equal(extract(f), -EFBIG);
}

static void a_stream_cut_anywhere_leaves_only_what_is_complete(void **state)
{
	struct fixture *f = *state;
	size_t first, second, len;

	add_file(f, "first", "1");
	first = f->archive.len - 3;
	add_folder(f, "sub");
	add_file(f, "sub/second", "22222");
	second = f->archive.len - 3;
	add_link(f, "sub/link", "second");
	out_archive_end(&f->archive);
	len = f->archive.len;
	for (size_t cut = 0; cut <= len; cut++) {
		uint64_t files = (uint64_t)(cut >= first) + (cut >= second);
		char after[64];

		assert_int_equal(extract_part(f, cut), cut < len ? -ENODATA : 0);
		assert_int_equal(is_there(f, "first"), cut >= first);
		assert_int_equal(is_there(f, "sub/second"), cut >= second);
		assert_int_equal(f->result.files, files);
		snprintf(after, sizeof(after), ": the stream broke off after %u file%s; what is complete was kept",
			 (unsigned)files, files == 1 ? "" : "s");
		if (cut < len)
			assert_text(f->err.text, after);
		out_scratch_empty(f->scratch.out);
	}
}

static void what_is_no_archive_is_told(void **state)
{
	static const struct {
		size_t at;
		const char *text;
	} cases[] = {
		{0, "070707"},
		{0, "\x1f\x8b\x08\x01\x01\x01"},
		{6 + 8, "0000x1a4"},
		{6 + 11 * 8, "00000000"},
		{6 + 11 * 8, "00001001"},
		{6 + 11 * 8, "ffffffff"},
		{6 + 11 * 8, "00000004"}, /* ends before the name's NUL */
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		f->archive.len = 0;
		add_file(f, "good", "good");
		size_t at = f->archive.len;
		add_file(f, "broken", "b");
		memcpy(f->archive.bytes + at + cases[i].at, cases[i].text, strlen(cases[i].text));
		assert_int_equal(extract(f), -EINVAL);
		assert_text(f->err.text, ": the stream is damaged at byte ");
		assert_text(f->err.text, " after 1 file; what is complete was kept");
		assert_file(f, "good", "good");
		assert_false(is_there(f, "broken"));
	}
}

static void a_trailer_whose_name_does_not_end_is_none(void **state)
{
	struct fixture *f = *state;

	add_file(f, "good", "good");
	out_archive_add_header(&f->archive, 0, "TRAILER!!!", 9, 0);
	f->archive.bytes[f->archive.len - 1] = '!'; /* in the NUL's place */
	assert_int_equal(extract(f), -EINVAL);
	assert_text(f->err.text, ": the stream is damaged at byte ");
	assert_file(f, "good", "good");
}

static void a_missing_directory_is_made_and_a_file_in_its_place_told(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rmdir(f->scratch.out), 0);
	add_file(f, "a", "a");
	out_archive_end(&f->archive);
	struct out_request request = {
		.stream_fd = out_archive_open(&f->archive, f->archive.len), .dir = f->scratch.out, .limit = f->limit};
	assert_int_equal(out_extract(&request, &f->result, &f->err), 0);
	assert_file(f, "a", "a");
	char file[512];
	snprintf(file, sizeof(file), "%s", path_of(f, "a"));
	request.dir = file;
	assert_int_equal(out_extract(&request, &f->result, &f->err), -ENOTDIR);
	assert_text(f->err.text, "out/a: cannot open the folder: Not a directory");
	close(request.stream_fd);
}

/* Feeds a pipe one byte at a time. */
struct feeder {
	const struct out_archive *archive;
	int fd;
};

static void *feed(void *opaque)
{
	struct feeder *feeder = opaque;

	for (size_t i = 0; i < feeder->archive->len; i++)
		if (write_all(feeder->fd, feeder->archive->bytes + i, 1))
			break;
	close(feeder->fd);
	return NULL;
}

static void a_pipe_that_trickles_is_read_to_its_end(void **state)
{
	struct fixture *f = *state;
	struct feeder feeder = {.archive = &f->archive};
	struct out_request request = {.dir = f->scratch.out, .limit = f->limit};
	int fds[2];
	pthread_t thread;

	add_folder(f, "sub");
	add_file(f, "sub/a", "content");
	add_link(f, "sub/b", "a");
	out_archive_end(&f->archive);
	assert_int_equal(pipe(fds), 0);
	request.stream_fd = fds[0];
	feeder.fd = fds[1];
	assert_int_equal(pthread_create(&thread, NULL, feed, &feeder), 0);
	assert_int_equal(out_extract(&request, &f->result, &f->err), 0);
	pthread_join(thread, NULL);
	close(fds[0]);
	assert_file(f, "sub/a", "content");
	assert_link(f, "sub/b", "a");
}

struct remover {
	struct fixture *f;
	struct feeder feeder;
};

/* Takes the directory away as soon as something is in it, then feeds. */
static void *remove_and_feed(void *opaque)
{
	struct remover *remover = opaque;

	while (!is_there(remover->f, "first"))
		sched_yield();
	rmdir(path_of(remover->f, "first"));
	rmdir(remover->f->scratch.out);
	return feed(&remover->feeder);
}

static void a_directory_that_is_taken_away_is_told(void **state)
{
	struct fixture *f = *state;
	struct remover remover = {.f = f, .feeder.archive = &f->archive};
	struct out_request request = {.dir = f->scratch.out, .limit = f->limit};
	pthread_t thread;
	int fds[2], code;

	add_folder(f, "first");
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write_all(fds[1], f->archive.bytes, f->archive.len), 0);
	f->archive.len = 0;
	add_file(f, "second", "2");
	out_archive_end(&f->archive);
	request.stream_fd = fds[0];
	remover.feeder.fd = fds[1];
	assert_int_equal(pthread_create(&thread, NULL, remove_and_feed, &remover), 0);
	code = out_extract(&request, &f->result, &f->err);
	pthread_join(thread, NULL);
	close(fds[0]);
	assert_int_equal(code, -ENOENT);
	assert_text(f->err.text, ": cannot store second: No such file or directory");
}

/* A mount namespace of our own, with a small tmpfs over the directory. */
static void a_full_disk_is_told_and_the_cut_file_removed(void **state)
{
	static char data[128 << 10];
	struct fixture *f = *state;
	char path[128];
	int code;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("small", f->scratch.out, "tmpfs", 0, "size=64k,mode=755"))
		skip();
	memset(data, 'x', sizeof(data));
	add_file(f, "small", "small");
	out_archive_add(&f->archive, FILE_MODE, "large", data, sizeof(data));
	code = extract(f);
	bool small = is_there(f, "small"), large = is_there(f, "large");
	assert_int_equal(mount(NULL, f->scratch.out, NULL, MS_REMOUNT | MS_RDONLY, "size=64k"), 0);
	assert_int_equal(code, -ENOSPC);
	assert_text(f->err.text, ": cannot store large: No space left on device; what is complete was kept");
	assert_true(small);
	assert_false(large);
	code = extract_part(f, f->archive.len);
	snprintf(path, sizeof(path), "%s", f->scratch.out);
	assert_int_equal(umount(path), 0);
	assert_int_equal(code, -EROFS);
	assert_text(f->err.text, ": cannot store small: Read-only file system");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		out_test(data_over_the_limit_is_not_stored),
		out_test(the_limit_is_met_exactly),
		out_test(entries_without_data_come_to_the_limit_too),
		out_test(what_is_left_out_counts_too),
		out_test(zeros_are_stored_without_disk_space),
		out_test(a_stream_cut_anywhere_leaves_only_what_is_complete),
		out_test(what_is_no_archive_is_told),
		out_test(a_trailer_whose_name_does_not_end_is_none),
		out_test(a_missing_directory_is_made_and_a_file_in_its_place_told),
		out_test(a_pipe_that_trickles_is_read_to_its_end),
		out_test(a_directory_that_is_taken_away_is_told),
		out_test(a_full_disk_is_told_and_the_cut_file_removed),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
