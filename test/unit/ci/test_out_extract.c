/* SPDX-License-Identifier: Apache-2.0 */
/* What is stored, and what a hostile archive cannot do. Limits and errors: test_out_extract_ends.c. */
#include "support/out_fixture.h"

static void a_tree_is_stored(void **state)
{
	struct fixture *f = *state;

	add_folder(f, ".");
	add_file(f, "one", "first");
	add_folder(f, "sub");
	add_folder(f, "sub/deep");
	add_file(f, "sub/deep/two", "second");
	add_file(f, "./sub/empty", "");
	add_link(f, "sub/deep/up", "../../one");
	add_link(f, "here", "sub/deep/two");
	add_file(f, "TRAILER!!!", "a file may be called so");
	assert_int_equal(extract(f), 0);
	assert_file(f, "one", "first");
	assert_file(f, "sub/deep/two", "second");
	assert_file(f, "sub/empty", "");
	assert_link(f, "sub/deep/up", "../../one");
	assert_link(f, "here", "sub/deep/two");
	assert_file(f, "TRAILER!!!", "a file may be called so");
	assert_int_equal(f->result.files, 4);
	assert_int_equal(f->result.folders, 2);
	assert_int_equal(f->result.links, 2);
	assert_int_equal(f->result.bytes, 5 + 6 + 23);
	assert_int_equal(f->result.skipped, 0);
	assert_int_equal(f->result.lost, 0);
	assert_string_equal(f->notes, "");
}

static void modes_keep_only_permissions_and_the_time_is_kept(void **state)
{
	struct fixture *f = *state;

	out_archive_add(&f->archive, S_IFREG | 07755, "setuid", "x", 1);
	out_archive_add(&f->archive, S_IFREG | 0400, "read-only", "x", 1);
	out_archive_add(&f->archive, S_IFDIR | 07000, "folder", NULL, 0);
	out_archive_add(&f->archive, FILE_MODE, "folder/file", "x", 1);
	assert_int_equal(extract(f), 0);
	assert_int_equal(stat_of(f, "setuid").st_mode, S_IFREG | 0755);
	assert_int_equal(stat_of(f, "read-only").st_mode, S_IFREG | 0400);
	assert_int_equal(stat_of(f, "folder").st_mode, S_IFDIR | 0700);
	assert_int_equal(stat_of(f, "setuid").st_uid, geteuid());
	assert_int_equal(stat_of(f, "setuid").st_mtim.tv_sec, OUT_ARCHIVE_MTIME);
	assert_file(f, "folder/file", "x");
}

static void folders_are_never_writable_for_others(void **state)
{
	struct fixture *f = *state;
	mode_t mask = umask(0);
	int code;

	out_archive_add(&f->archive, S_IFDIR | 07777, "folder", NULL, 0);
	code = extract(f);
	umask(mask);
	assert_int_equal(code, 0);
	assert_int_equal(stat_of(f, "folder").st_mode, S_IFDIR | 0755);
}

static void a_second_run_replaces_files_and_links(void **state)
{
	struct fixture *f = *state;

	add_folder(f, "sub");
	add_file(f, "sub/a", "old and long");
	add_link(f, "b", "sub/a");
	assert_int_equal(extract(f), 0);
	f->archive.len = 0;
	add_folder(f, "sub");
	add_file(f, "sub/a", "new");
	add_file(f, "b", "a file now");
	assert_int_equal(extract(f), 0);
	assert_int_equal(f->result.skipped, 0);
	assert_int_equal(f->result.lost, 0);
	assert_file(f, "sub/a", "new");
	assert_file(f, "b", "a file now");
}

static void names_that_are_not_below_are_left_out(void **state)
{
	struct fixture *f = *state;

	add_file(f, "../beside/secret", "x");
	add_file(f, "/tmp/vmm-absolute", "x");
	add_file(f, "..", "x");
	add_file(f, "a/../../beside/secret", "x");
	add_file(f, ".", "x");
	out_archive_add_header(&f->archive, FILE_MODE, "a\0b", 3, 0);
	add_folder(f, "..");
	add_link(f, "../beside/new", "x");
	add_file(f, "good", "good");
	assert_int_equal(extract(f), 0);
	assert_int_equal(f->result.skipped, 8);
	assert_int_equal(f->result.lost, 0);
	assert_int_equal(f->result.files, 1);
	assert_int_equal(access("/tmp/vmm-absolute", F_OK), -1);
	assert_file(f, "good", "good");
	assert_false(is_there(f, "a"));
}

static void links_that_lead_outside_are_left_out(void **state)
{
	struct fixture *f = *state;

	add_folder(f, "sub");
	add_link(f, "absolute", "/etc/passwd");
	add_link(f, "up", "../beside/secret");
	add_link(f, "sub/up", "../../beside");
	add_link(f, "sub/inside", "..");
	add_link(f, "sub/through", "inside/../beside/secret");
	add_link(f, "empty", "");
	out_archive_add(&f->archive, LINK_MODE, "nul", "a\0/../..", 8);
	add_link(f, "dangling", "nowhere/yet");
	assert_int_equal(extract(f), 0);
	assert_int_equal(f->result.skipped, 6);
	assert_int_equal(f->result.lost, 0);
	assert_int_equal(f->result.links, 2);
	assert_link(f, "sub/inside", "..");
	assert_link(f, "dangling", "nowhere/yet");
	assert_false(is_there(f, "up"));
	assert_false(is_there(f, "nul"));
}

static void a_very_long_link_target_is_left_out(void **state)
{
	static char target[70000];
	struct fixture *f = *state;

	memset(target, 'x', sizeof(target));
	out_archive_add(&f->archive, LINK_MODE, "4095", target, 4095);
	out_archive_add(&f->archive, LINK_MODE, "4096", target, 4096);
	out_archive_add(&f->archive, LINK_MODE, "long", target, sizeof(target));
	add_file(f, "good", "good");
	assert_int_equal(extract(f), 0);
	assert_int_equal(f->result.links, 1);
	assert_int_equal(f->result.skipped, 2);
	assert_int_equal(f->result.lost, 0);
	assert_file(f, "good", "good");
}

static void nothing_is_written_through_a_link_of_the_stream(void **state)
{
	struct fixture *f = *state;

	add_folder(f, "real");
	add_folder(f, "real/sub");
	add_file(f, "real/file", "file");
	add_link(f, "a", "real");
	add_file(f, "a/x", "x");
	add_folder(f, "a/folder");
	add_link(f, "a/link", "x");
	add_file(f, "a/sub/x", "x");
	/* In the place of a link to a file there is a file then. */
	add_link(f, "b", "real/file");
	add_file(f, "b", "b");
	/* What is a folder stays one, so that what is in it stays below. */
	add_link(f, "real", "real/sub");
	add_file(f, "real/y", "y");
	/* What is a link stays one when it should be a folder. */
	add_folder(f, "a");
	assert_int_equal(extract(f), 0);
	assert_false(is_there(f, "real/x"));
	assert_false(is_there(f, "real/folder"));
	assert_false(is_there(f, "real/sub/x"));
	assert_file(f, "real/file", "file");
	assert_file(f, "real/y", "y");
	assert_file(f, "b", "b");
	assert_link(f, "a", "real");
	assert_int_equal(f->result.skipped, 6);
	assert_int_equal(f->result.lost, 6);
}

static void nothing_is_written_through_a_link_of_the_user(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(symlink("../beside", path_of(f, "out-of-it")), 0);
	assert_int_equal(symlink("../beside/secret", path_of(f, "a-file")), 0);
	add_file(f, "out-of-it/secret", "overwritten");
	add_file(f, "out-of-it/new", "new");
	add_folder(f, "out-of-it");
	add_file(f, "out-of-it/folder/new", "new");
	add_file(f, "a-file", "mine");
	out_archive_end(&f->archive);
	/* Only the user's own link leads out. */
	struct out_request request = {
		.stream_fd = out_archive_open(&f->archive, f->archive.len), .dir = f->scratch.out, .limit = f->limit};
	assert_int_equal(out_extract(&request, &f->result, &f->err), 0);
	close(request.stream_fd);
	assert_null(out_scratch_check_beside(&f->scratch));
	assert_link(f, "out-of-it", "../beside");
	assert_file(f, "a-file", "mine");
	assert_int_equal(f->result.skipped, 4);
	assert_int_equal(f->result.lost, 4);
}

static void folders_are_not_replaced(void **state)
{
	struct fixture *f = *state;

	add_folder(f, "a");
	add_file(f, "a/file", "file");
	add_file(f, "a", "in the way");
	add_link(f, "a", "b");
	add_file(f, "file", "file");
	add_folder(f, "file");
	add_file(f, "file/below", "x");
	add_file(f, "no-folder/file", "x");
	assert_int_equal(extract(f), 0);
	assert_file(f, "a/file", "file");
	assert_file(f, "file", "file");
	assert_int_equal(f->result.skipped, 5);
	assert_int_equal(f->result.lost, 5);
	assert_text(f->notes, "a is left out: there is a folder of that name");
	assert_text(f->notes, "file is left out: there is something else of that name");
	assert_text(f->notes, "file/below is left out: a link or a file is where its folder should be");
	assert_text(f->notes, "no-folder/file is left out: its folder did not come before it");
}

static void what_is_lost_is_told_from_what_is_left_out_on_purpose(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdir(path_of(f, "users"), 0755), 0);
	add_file(f, "users", "a file of the guest");
	out_archive_add(&f->archive, S_IFIFO | 0644, "pipe", NULL, 0);
	add_link(f, "up", "../beside/secret");
	add_link(f, "users", "good");
	add_file(f, "good", "good");
	assert_int_equal(extract(f), 0);
	assert_file(f, "good", "good");
	assert_int_equal(f->result.files, 1);
	assert_int_equal(f->result.links, 0);
	assert_int_equal(f->result.skipped, 4);
	assert_int_equal(f->result.lost, 2);
}

static void special_files_are_left_out_with_their_data(void **state)
{
	static const unsigned modes[] = {S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK, 0, 0170000};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		out_archive_add(&f->archive, modes[i] | 0666, "special", "data", 4);
	out_archive_add(&f->archive, FOLDER_MODE, "folder", "data that a folder has not", 26);
	add_file(f, "folder/good", "good");
	assert_int_equal(extract(f), 0);
	assert_int_equal(f->result.skipped, ARRAY_SIZE(modes));
	assert_int_equal(f->result.lost, 0);
	assert_false(is_there(f, "special"));
	assert_file(f, "folder/good", "good");
}

static void notes_are_few_and_harmless(void **state)
{
	struct fixture *f = *state;
	unsigned lines = 0;

	for (unsigned i = 0; i < 1000; i++)
		add_file(f, "../\x1b[2J\nvmm: forged", "");
	assert_int_equal(extract(f), 0);
	assert_int_equal(f->result.skipped, 1000);
	for (const char *c = f->notes; *c; c++) {
		lines += *c == '\n';
		assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
	}
	assert_int_equal(lines, 6);
	assert_text(f->notes, "vmm: --out: ../\\x1b[2J\\x0avmm: forged is left out: ");
	assert_text(f->notes, "vmm: --out: 995 more were left out\n");
}

static void what_comes_behind_the_trailer_is_not_looked_at(void **state)
{
	struct fixture *f = *state;

	add_file(f, "a", "a");
	out_archive_end(&f->archive);
	out_archive_add_bytes(&f->archive, "garbage", 7);
	add_file(f, "b", "b");
	assert_int_equal(extract(f), 0);
	assert_true(is_there(f, "a"));
	assert_false(is_there(f, "b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		out_test(a_tree_is_stored),
		out_test(modes_keep_only_permissions_and_the_time_is_kept),
		out_test(folders_are_never_writable_for_others),
		out_test(a_second_run_replaces_files_and_links),
		out_test(names_that_are_not_below_are_left_out),
		out_test(links_that_lead_outside_are_left_out),
		out_test(a_very_long_link_target_is_left_out),
		out_test(nothing_is_written_through_a_link_of_the_stream),
		out_test(nothing_is_written_through_a_link_of_the_user),
		out_test(folders_are_not_replaced),
		out_test(what_is_lost_is_told_from_what_is_left_out_on_purpose),
		out_test(special_files_are_left_out_with_their_data),
		out_test(notes_are_few_and_harmless),
		out_test(what_comes_behind_the_trailer_is_not_looked_at),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
