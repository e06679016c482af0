/* SPDX-License-Identifier: Apache-2.0 */
/* What the guest is given to run a command; test_vm_command_channel.c has what becomes of its answers. */
#include "support/archive_members.h"
#include "unit/top/vm_parts.h"

#include "ci/guest_init.h"

static int set_up(void **state)
{
	static struct vm_parts parts;

	*state = &parts;
	unsetenv("TERM");
	return vm_parts_init(&parts);
}

static int tear_down(void **state)
{
	struct vm_parts *p = *state;

	return vm_parts_fini(p);
}

static struct command_file load(struct vm_parts *p)
{
	struct vm_command *command = &p->vm->command;
	struct command_file head;
	struct cpio_entry entry;

	archive_fini(&command->own);
	archive_fini(&command->root);
	vm_command_fini(command);
	if (vm_command_load(command, &p->config, &p->err))
		fail_msg("%s", p->err.text);
	assert_true(member_find(&command->own, ".vmm/command", &entry));
	assert_true(entry.data_size > sizeof(head));
	memcpy(&head, member_data(&command->own, &entry), sizeof(head));
	assert_int_equal(head.size, entry.data_size);
	return head;
}

/* Is "@text" one of the file's strings? */
static bool has_string(const struct vm_parts *p, const char *text)
{
	const struct archive *own = &p->vm->command.own;
	struct cpio_entry entry;
	const char *at, *end;

	assert_true(member_find(own, ".vmm/command", &entry));
	at = (const char *)member_data(own, &entry) + sizeof(struct command_file);
	end = (const char *)member_data(own, &entry) + entry.data_size;
	for (; at < end; at += strlen(at) + 1)
		if (strcmp(at, text) == 0)
			return true;
	return false;
}

static void the_file_tells_where_window_and_doorbell_are(void **state)
{
	struct vm_parts *p = *state;
	struct command_file head = load(p);
	const struct vm_command *command = &p->vm->command;

	assert_int_equal(head.version, COMMAND_PROTO_VERSION);
	assert_int_equal(head.window_address, LAYOUT_COMMAND_WINDOW);
	assert_int_equal(head.window_size, VM_COMMAND_RING_SIZE);
	assert_int_equal(head.doorbell_port, LAYOUT_COMMAND_PORT);
	assert_memory_equal(head.token, command->token, COMMAND_TOKEN_SIZE);
	assert_int_equal(head.window_address % GUEST_PAGE_SIZE, 0);
	assert_true(head.window_address >= 3ULL << 30); /* no RAM of the guest's, whatever its size */
	for (size_t i = 0; i < VM_COMMAND_WINDOW_SIZE; i++)
		assert_int_equal(command->window[i], 0);
}

static void the_init_is_the_one_that_vmm_carries(void **state)
{
	struct vm_parts *p = *state;
	const struct archive *own = &p->vm->command.own;
	struct cpio_entry entry;

	load(p);
	assert_true(member_find(own, ".vmm/init", &entry));
	assert_int_equal(entry.data_size, guest_init_size());
	assert_memory_equal(member_data(own, &entry), guest_init, guest_init_size());
	assert_memory_equal(guest_init, "\177ELF\2\1", 6);
}

static void words_variables_and_folder_are_the_users(void **state)
{
	struct vm_parts *p = *state;
	struct config_command *wanted = &p->config.command;
	struct command_file head;

	wanted->nr_arguments = 3;
	strcpy(p->words[1], "two words");
	strcpy(p->words[2], "");
	wanted->variables[0] = "A=1";
	wanted->nr_variables = 1;
	wanted->folder = "/src";
	head = load(p);
	assert_int_equal(head.nr_arguments, 3);
	assert_int_equal(head.nr_variables, 1);
	assert_true(has_string(p, "/bin/true") && has_string(p, "two words") && has_string(p, "A=1"));
	assert_true(has_string(p, "/src"));
}

static void every_load_has_a_token_of_its_own(void **state)
{
	struct vm_parts *p = *state;
	struct command_file one = load(p), other = load(p);

	assert_memory_not_equal(one.token, other.token, COMMAND_TOKEN_SIZE);
}

static void a_users_initrd_is_the_root_file_system(void **state)
{
	struct vm_parts *p = *state;

	load(p);
	assert_int_equal(p->vm->command.root.size, 0);
}

static void without_an_initrd_there_is_a_root_with_busybox_or_a_remedy(void **state)
{
	struct vm_parts *p = *state;
	struct vm_command *command = &p->vm->command;
	struct cpio_entry entry;
	int ret;

	p->config.nr_initrds = 0;
	ret = vm_command_load(command, &p->config, &p->err);
	if (ret) {
		assert_non_null(strstr(p->err.text, "busybox-static"));
		return;
	}
	assert_true(member_find(&command->root, "bin/sh", &entry));
	assert_false(member_find(&command->root, ".vmm/init", &entry));
}

static uint32_t flags_for(struct vm_parts *p, enum config_tty tty, const char *out)
{
	p->config.command.tty = tty;
	p->config.command.out = out;
	return load(p).flags;
}

static void flags_say_what_there_is_of_terminal_input_and_files(void **state)
{
	struct vm_parts *p = *state;

	assert_int_equal(flags_for(p, CONFIG_TTY_AUTO, NULL), COMMAND_FLAG_NO_INPUT);
	assert_int_equal(flags_for(p, CONFIG_TTY_OFF, "d"), COMMAND_FLAG_NO_INPUT | COMMAND_FLAG_OUT);
	assert_int_equal(flags_for(p, CONFIG_TTY_ON, NULL), COMMAND_FLAG_NO_INPUT | COMMAND_FLAG_TTY);
}

/* The flags of a command whose stdin is @fd. */
static uint32_t flags_with_input(struct vm_parts *p, int fd)
{
	int saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	uint32_t flags;

	assert_true(fd >= 0);
	if (fd != STDIN_FILENO)
		dup2(fd, STDIN_FILENO);
	p->config.console = CONFIG_CONSOLE_STDIO;
	flags = flags_for(p, CONFIG_TTY_AUTO, NULL);
	if (saved >= 0)
		dup2(saved, STDIN_FILENO);
	else
		close(STDIN_FILENO);
	close_fd(&saved);
	return flags;
}

static void input_comes_from_a_pipe_and_not_from_dev_null(void **state)
{
	struct vm_parts *p = *state;
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_int_equal(flags_with_input(p, fd), COMMAND_FLAG_NO_INPUT);
	close(fd);
	assert_int_equal(flags_with_input(p, p->rp.fds[0]), 0);
	fd = open("/dev/zero", O_RDWR | O_CLOEXEC); /* also a character device */
	assert_int_equal(flags_with_input(p, fd), 0);
	close(fd);
}

static void input_is_quoted_for_a_command_without_a_terminal(void **state)
{
	struct vm_parts *p = *state;

	assert_int_equal(vm_parts_build(p), 0);
	assert_true(p->vm->console.quotes_input);
	assert_true(p->vm->console.holds_input && p->vm->console.sends_end);
}

static void input_is_not_quoted_for_a_terminal(void **state)
{
	struct vm_parts *p = *state;

	p->config.command.tty = CONFIG_TTY_ON;
	assert_int_equal(vm_parts_build(p), 0);
	assert_false(p->vm->console.quotes_input);
	assert_true(p->vm->console.holds_input && p->vm->console.sends_end);
}

static void the_terminals_kind_goes_with_the_terminal(void **state)
{
	struct vm_parts *p = *state;
	struct config_command *wanted = &p->config.command;

	setenv("TERM", "vt220", 1);
	load(p);
	assert_false(has_string(p, "TERM=vt220"));
	wanted->tty = CONFIG_TTY_ON;
	assert_int_equal(load(p).nr_variables, 1);
	assert_true(has_string(p, "TERM=vt220"));
	wanted->variables[0] = "TERM=dumb";
	wanted->variables[1] = "TERMINAL=1";
	wanted->nr_variables = 2;
	assert_int_equal(load(p).nr_variables, 2);
	assert_false(has_string(p, "TERM=vt220"));
	wanted->variables[0] = "A=b";
	assert_int_equal(load(p).nr_variables, 3);
	assert_true(has_string(p, "TERM=vt220"));
}

static void as_many_variables_as_there_may_be_leave_room_for_the_terminals(void **state)
{
	struct vm_parts *p = *state;
	struct config_command *wanted = &p->config.command;

	setenv("TERM", "vt220", 1);
	wanted->tty = CONFIG_TTY_ON;
	while (wanted->nr_variables < CONFIG_MAX_VARIABLES)
		wanted->variables[wanted->nr_variables++] = "A=b";
	assert_int_equal(load(p).nr_variables, CONFIG_MAX_VARIABLES + 1);
}

static void a_command_that_is_too_long_is_refused(void **state)
{
	struct vm_parts *p = *state;
	char *word = malloc(COMMAND_FILE_MAX_SIZE + 1);

	assert_non_null(word);
	memset(word, 'x', COMMAND_FILE_MAX_SIZE);
	word[COMMAND_FILE_MAX_SIZE] = '\0';
	p->arguments[0] = word;
	assert_int_equal(vm_command_load(&p->vm->command, &p->config, &p->err), -E2BIG);
	assert_non_null(strstr(p->err.text, "put the long part into a file"));
	free(word);
}

static void without_a_command_nothing_happens(void **state)
{
	struct vm_parts *p = *state;
	struct vm *vm = p->vm;

	p->config.command.nr_arguments = 0;
	p->config.nr_initrds = 0;
	assert_int_equal(vm_command_load(&vm->command, &p->config, &p->err), 0);
	assert_int_equal(vm_command_build(vm, &p->err), 0);
	assert_null(vm->command.window);
	assert_null(vm->command.out.stream.bytes);
	assert_int_equal(vm->command.own.size + vm->command.root.size, 0);
	assert_true(vm_command_serial(vm).write == NULL);
}

static void a_folder_for_files_that_cannot_be_used_is_refused(void **state)
{
	struct vm_parts *p = *state;

	p->config.command.out = "/nonexistent/out";
	assert_int_equal(vm_parts_build(p), -ENOENT);
	assert_non_null(strstr(p->err.text, "--out /nonexistent/out"));
}

#define WITH_PARTS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PARTS(the_file_tells_where_window_and_doorbell_are),
		WITH_PARTS(the_init_is_the_one_that_vmm_carries),
		WITH_PARTS(words_variables_and_folder_are_the_users),
		WITH_PARTS(every_load_has_a_token_of_its_own),
		WITH_PARTS(a_users_initrd_is_the_root_file_system),
		WITH_PARTS(without_an_initrd_there_is_a_root_with_busybox_or_a_remedy),
		WITH_PARTS(flags_say_what_there_is_of_terminal_input_and_files),
		WITH_PARTS(input_comes_from_a_pipe_and_not_from_dev_null),
		WITH_PARTS(input_is_quoted_for_a_command_without_a_terminal),
		WITH_PARTS(input_is_not_quoted_for_a_terminal),
		WITH_PARTS(the_terminals_kind_goes_with_the_terminal),
		WITH_PARTS(as_many_variables_as_there_may_be_leave_room_for_the_terminals),
		WITH_PARTS(a_command_that_is_too_long_is_refused),
		WITH_PARTS(without_a_command_nothing_happens),
		WITH_PARTS(a_folder_for_files_that_cannot_be_used_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
