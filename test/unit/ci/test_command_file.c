/* SPDX-License-Identifier: Apache-2.0 */
/* The file is read back as the guest's init reads it: by offsets of the ABI, string after string. */
#include "support/archive_members.h"

#include <errno.h>
#include <stdlib.h>

#include "base/endian.h"
#include "ci/command_file.h"

#define MAX_WORDS 8

struct fixture {
	char words[MAX_WORDS][64];
	char *arguments[MAX_WORDS];
	struct command_request request;
	uint8_t *file;
	size_t size;
	struct archive archive;
	struct error err;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (!f)
		return -1;
	for (unsigned i = 0; i < MAX_WORDS; i++)
		f->arguments[i] = f->words[i];
	strcpy(f->words[0], "/bin/true");
	f->request = (struct command_request){.arguments = f->arguments, .nr_arguments = 1};
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	free(f->file);
	archive_fini(&f->archive);
	free(f);
	return 0;
}

static void make(struct fixture *f)
{
	f->file = command_file_make(&f->request, &f->size, &f->err);
	assert_non_null(f->file);
}

/* The @index-th string behind the head. */
static const char *string_of(const struct fixture *f, unsigned index)
{
	size_t at = 64;

	while (index--)
		at += strnlen((const char *)f->file + at, f->size - at) + 1;
	assert_true(at < f->size);
	assert_non_null(memchr(f->file + at, 0, f->size - at));
	return (const char *)f->file + at;
}

static void the_head_is_what_was_asked_for(void **state)
{
	struct fixture *f = *state;

	f->request.flags = COMMAND_FLAG_TTY | COMMAND_FLAG_OUT;
	f->request.rows = 50;
	f->request.columns = 132;
	f->request.window_address = 0x123456789000;
	f->request.window_size = 65536;
	f->request.doorbell_port = 0x620;
	memcpy(f->request.token, "0123456789abcdef", COMMAND_TOKEN_SIZE);
	make(f);
	assert_memory_equal(f->file, "VMMCMD\0", 8);
	assert_int_equal(load_le32(f->file + 8), COMMAND_PROTO_VERSION);
	assert_int_equal(load_le32(f->file + 12), f->size);
	assert_memory_equal(f->file + 16, "0123456789abcdef", 16);
	assert_int_equal(load_le32(f->file + 32), 5);
	assert_int_equal(load_le32(f->file + 36), 1);
	assert_int_equal(load_le32(f->file + 40), 0);
	assert_int_equal(load_le16(f->file + 44), 50);
	assert_int_equal(load_le16(f->file + 46), 132);
	assert_int_equal(load_le64(f->file + 48), 0x123456789000);
	assert_int_equal(load_le32(f->file + 56), 65536);
	assert_int_equal(load_le16(f->file + 60), 0x620);
	assert_int_equal(load_le16(f->file + 62), 0);
}

/* Empty words, spaces, quotes, newlines, non-ASCII bytes: every byte but NUL is the user's own. */
static void words_arrive_as_they_are(void **state)
{
	static const char *const variables[] = {"EMPTY=", "TEXT=a b=c\n\"d\"", "\xff\xfe=\x01"};
	struct fixture *f = *state;

	strcpy(f->words[0], "/bin/sh");
	strcpy(f->words[1], "");
	strcpy(f->words[2], "echo \"$1\" 'x'\n\ttwo  lines\\");
	strcpy(f->words[3], "\xc3\xa4\xff\x80\x01\x7f");
	strcpy(f->words[4], "");
	f->request.nr_arguments = 5;
	f->request.variables = variables;
	f->request.nr_variables = 3;
	f->request.folder = "/a folder";
	make(f);
	assert_int_equal(load_le32(f->file + 36), 5);
	assert_int_equal(load_le32(f->file + 40), 3);
	for (unsigned i = 0; i < 5; i++)
		assert_string_equal(string_of(f, i), f->words[i]);
	for (unsigned i = 0; i < 3; i++)
		assert_string_equal(string_of(f, 5 + i), variables[i]);
	assert_string_equal(string_of(f, 8), "/a folder");
	assert_ptr_equal(string_of(f, 8) + sizeof("/a folder"), f->file + f->size);
}

static void no_folder_is_an_empty_string_at_the_end(void **state)
{
	struct fixture *f = *state;

	make(f);
	assert_int_equal(f->size, 64 + sizeof("/bin/true") + 1);
	assert_string_equal(string_of(f, 1), "");
}

static void the_largest_file_fits_and_one_byte_more_does_not(void **state)
{
	struct fixture *f = *state;
	const size_t room = COMMAND_FILE_MAX_SIZE - 64 - 2; /* two NULs */
	char *word = malloc(room + 2);

	assert_non_null(word);
	memset(word, 'x', room + 1);
	word[room + 1] = '\0';
	f->arguments[0] = word;
	assert_null(command_file_make(&f->request, &f->size, &f->err));
	assert_non_null(strstr(f->err.text, "1048577 bytes, more than 1048576"));
	assert_int_equal(command_archive_make(&f->archive, &f->request, "init", 4, &f->err), -E2BIG);
	word[room] = '\0';
	make(f);
	assert_int_equal(f->size, COMMAND_FILE_MAX_SIZE);
	assert_int_equal(load_le32(f->file + 12), COMMAND_FILE_MAX_SIZE);
	free(word);
}

/* Who reads the token can speak for the init: nobody but root may read the file, or list the folder. */
static void the_archive_holds_init_file_and_console(void **state)
{
	struct fixture *f = *state;
	struct cpio_entry entry;

	assert_int_equal(command_archive_make(&f->archive, &f->request, "the init", 8, &f->err), 0);
	make(f);
	assert_int_equal(member_count(&f->archive), 5);
	assert_true(member_find(&f->archive, "dev", &entry));
	assert_int_equal(entry.mode, S_IFDIR | 0755);
	assert_true(member_find(&f->archive, "dev/console", &entry));
	assert_int_equal(entry.mode, S_IFCHR | 0600);
	assert_int_equal(member_field(&entry, MEMBER_RDEV_MAJOR), 5);
	assert_int_equal(member_field(&entry, MEMBER_RDEV_MINOR), 1);
	assert_true(member_find(&f->archive, ".vmm", &entry));
	assert_int_equal(entry.mode, S_IFDIR | 0700);
	assert_true(member_find(&f->archive, ".vmm/init", &entry));
	assert_int_equal(entry.mode, S_IFREG | 0700);
	assert_int_equal(entry.data_size, 8);
	assert_memory_equal(member_data(&f->archive, &entry), "the init", 8);
	assert_true(member_find(&f->archive, ".vmm/command", &entry));
	assert_int_equal(entry.mode, S_IFREG | 0600);
	assert_int_equal(entry.data_size, f->size);
	assert_memory_equal(member_data(&f->archive, &entry), f->file, f->size);
}

/* Linux makes a file only where its folder is already. */
static void folders_come_before_what_is_in_them(void **state)
{
	struct fixture *f = *state;
	struct cpio_entry folder, file;

	assert_int_equal(command_archive_make(&f->archive, &f->request, "i", 1, &f->err), 0);
	assert_true(member_find(&f->archive, "dev", &folder) && member_find(&f->archive, "dev/console", &file));
	assert_true(folder.data_offset < file.data_offset);
	assert_true(member_find(&f->archive, ".vmm", &folder) && member_find(&f->archive, ".vmm/init", &file));
	assert_true(folder.data_offset < file.data_offset);
	assert_true(member_find(&f->archive, ".vmm/command", &file));
	assert_true(folder.data_offset < file.data_offset);
}

static void no_two_tokens_are_equal(void **state)
{
	struct fixture *f = *state;
	uint8_t tokens[8][COMMAND_TOKEN_SIZE] = {{0}};

	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(command_token_make(tokens[i], &f->err), 0);
		for (unsigned k = 0; k < i; k++)
			assert_memory_not_equal(tokens[i], tokens[k], COMMAND_TOKEN_SIZE);
	}
}

#define WITH_REQUEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_REQUEST(the_head_is_what_was_asked_for),
		WITH_REQUEST(words_arrive_as_they_are),
		WITH_REQUEST(no_folder_is_an_empty_string_at_the_end),
		WITH_REQUEST(the_largest_file_fits_and_one_byte_more_does_not),
		WITH_REQUEST(the_archive_holds_init_file_and_console),
		WITH_REQUEST(folders_come_before_what_is_in_them),
		WITH_REQUEST(no_two_tokens_are_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
