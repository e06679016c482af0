/* SPDX-License-Identifier: Apache-2.0 */
#include "vm_command.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "ci/command_file.h"
#include "ci/default_root.h"
#include "ci/guest_init.h"
#include "vm.h"

/* /dev/null's numbers (Documentation/admin-guide/devices.txt). */
#define NULL_MAJOR 1
#define NULL_MINOR 3

static bool has_no_input(const struct config *config)
{
	struct stat st;

	if (config->console != CONFIG_CONSOLE_STDIO || fstat(STDIN_FILENO, &st))
		return true;
	return S_ISCHR(st.st_mode) && st.st_rdev == makedev(NULL_MAJOR, NULL_MINOR);
}

static bool wants_terminal(const struct config *config)
{
	if (config->command.tty != CONFIG_TTY_AUTO)
		return config->command.tty == CONFIG_TTY_ON;
	return config->console == CONFIG_CONSOLE_STDIO && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static void describe_terminal(struct command_request *request)
{
	struct winsize size;

	request->flags |= COMMAND_FLAG_TTY;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return;
	request->rows = size.ws_row;
	request->columns = size.ws_col;
}

static bool sets_variable(const struct config_command *command, const char *name)
{
	size_t len = strlen(name);

	for (unsigned i = 0; i < command->nr_variables; i++)
		if (strncmp(command->variables[i], name, len) == 0 && command->variables[i][len] == '=')
			return true;
	return false;
}

/* The terminal's kind goes with the terminal. */
static void add_terminal_kind(struct command_request *request, const char *variables[], const struct config *config,
			      char *buf, size_t size)
{
	const char *kind = getenv("TERM");

	memcpy(variables, config->command.variables, config->command.nr_variables * sizeof(variables[0]));
	request->variables = variables;
	request->nr_variables = config->command.nr_variables;
	if (!(request->flags & COMMAND_FLAG_TTY) || !kind || sets_variable(&config->command, "TERM"))
		return;
	snprintf(buf, size, "TERM=%s", kind);
	variables[request->nr_variables++] = buf;
}

static int make_default_root(struct vm_command *command, struct error *err)
{
	char path[PATH_MAX];

	default_root_path(path, sizeof(path));
	return default_root_make(&command->root, path, err);
}

int vm_command_load(struct vm_command *command, const struct config *config, struct error *err)
{
	const struct config_command *wanted = &config->command;
	const char *variables[CONFIG_MAX_VARIABLES + 1];
	char terminal[128];
	struct command_request request = {
		.arguments = wanted->arguments,
		.nr_arguments = wanted->nr_arguments,
		.folder = wanted->folder,
		.flags = (has_no_input(config) ? COMMAND_FLAG_NO_INPUT : 0) | (wanted->out ? COMMAND_FLAG_OUT : 0),
		.window_address = LAYOUT_COMMAND_WINDOW,
		.window_size = VM_COMMAND_RING_SIZE,
		.doorbell_port = LAYOUT_COMMAND_PORT,
	};
	int ret;

	if (!wanted->nr_arguments)
		return 0;
	if (wants_terminal(config))
		describe_terminal(&request);
	add_terminal_kind(&request, variables, config, terminal, sizeof(terminal));
	command->window =
		mmap(NULL, VM_COMMAND_WINDOW_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (command->window == MAP_FAILED) {
		command->window = NULL;
		return error_set(err, -ENOMEM, "cannot map the command's window: %s", strerror(errno));
	}
	ret = command_token_make(command->token, err);
	memcpy(request.token, command->token, sizeof(request.token));
	if (!ret && config->nr_initrds == 0)
		ret = make_default_root(command, err);
	if (!ret)
		ret = command_archive_make(&command->own, &request, guest_init, guest_init_size(), err);
	return ret;
}

static void take_note(struct vm_command_news *news, const uint8_t *text, size_t len)
{
	char *note;

	if (news->nr_notes++ >= VM_COMMAND_MAX_NOTES)
		return;
	note = news->notes[news->nr_notes - 1];
	if (len >= VM_COMMAND_NOTE_SIZE)
		len = VM_COMMAND_NOTE_SIZE - 1;
	for (size_t i = 0; i < len; i++)
		note[i] = text[i] >= 0x20 && text[i] < 0x7f ? (char)text[i] : '?';
}

static void take_done(struct vm_command_news *news, const uint8_t *payload, size_t len)
{
	struct command_done done = {.lost = 0};

	if (len >= sizeof(done))
		memcpy(&done, payload, sizeof(done));
	news->lost_files = done.lost;
	news->done_ns = monotonic_ns();
}

static void take_message(void *opaque, enum command_frame_type type, const uint8_t *payload, size_t len)
{
	struct vm *vm = opaque;
	struct vm_command_news *news = &vm->command.news;
	struct command_hello hello;

	switch (type) {
	case COMMAND_FRAME_HELLO:
		if (len < sizeof(hello) || news->hello_ns)
			return;
		memcpy(&hello, payload, sizeof(hello));
		news->transport = hello.transport == COMMAND_BY_WINDOW ? COMMAND_BY_WINDOW : COMMAND_BY_SERIAL;
		news->hello_ns = monotonic_ns();
		break;
	case COMMAND_FRAME_STARTED:
		if (!news->started_ns)
			news->started_ns = monotonic_ns();
		console_release_input(&vm->console);
		break;
	case COMMAND_FRAME_NOTE:
		take_note(news, payload, len);
		break;
	case COMMAND_FRAME_EXIT:
		if (len < sizeof(news->end) || news->ended_ns)
			return;
		memcpy(&news->end, payload, sizeof(news->end));
		news->ended_ns = monotonic_ns();
		break;
	case COMMAND_FRAME_DONE:
		if (news->done_ns)
			return;
		take_done(news, payload, len);
		break;
	default:
		return;
	}
	vm_wake(vm);
}

static size_t take_stream(void *opaque, enum command_frame_type type, const uint8_t *data, size_t len)
{
	struct vm *vm = opaque;

	if (type == COMMAND_FRAME_OUTPUT)
		return console_relay(&vm->console, data, len);
	return out_receiver_put(&vm->command.out, data, len);
}

static size_t take_from_window(void *opaque, const uint8_t *data, size_t len)
{
	struct vm *vm = opaque;

	return channel_feed(&vm->command.channel, data, len);
}

/* Who rings the doorbell rings again; a UART must be asked for the rest by us. Of an init that speaks through the
 * window nothing comes here: it would be somebody else's words in the midst of a frame. */
static size_t take_from_serial(void *opaque, const uint8_t *data, size_t len)
{
	struct vm *vm = opaque;
	size_t taken;

	if (vm->command.news.transport == COMMAND_BY_WINDOW)
		return len;
	taken = channel_feed(&vm->command.channel, data, len);
	if (taken < len && !vm->command.serial_waits) {
		vm->command.serial_waits = true;
		vm_wake(vm);
	}
	return taken;
}

struct serial_backend vm_command_serial(struct vm *vm)
{
	if (!vm->config->command.nr_arguments)
		return (struct serial_backend){0};
	return (struct serial_backend){.write = take_from_serial, .opaque = vm};
}

int vm_command_build(struct vm *vm, struct error *err)
{
	const struct channel_sink sink = {.stream = take_stream, .message = take_message, .opaque = vm};
	const struct config_command *wanted = &vm->config->command;
	struct vm_command *command = &vm->command;
	int ret;

	if (!wanted->nr_arguments)
		return 0;
	ret = out_receiver_init(&command->out, wanted->out, wanted->out_limit, vm->ring, vm->wake_fd, err);
	if (ret)
		return ret;
	console_hold_input(&vm->console);
	console_set_end_of_input(&vm->console, true);
	if (!wants_terminal(vm->config))
		console_quote_input(&vm->console);
	channel_init(&command->channel, command->token, sink);
	command_port_init(&command->port, LAYOUT_COMMAND_PORT, command->window, VM_COMMAND_RING_SIZE, take_from_window,
			  vm);
	return 0;
}

void vm_command_fini(struct vm_command *command)
{
	out_receiver_fini(&command->out);
	if (command->window)
		munmap(command->window, VM_COMMAND_WINDOW_SIZE);
	command->window = NULL;
}

void vm_command_get_news(struct vm *vm, struct vm_command_news *news)
{
	pthread_mutex_lock(&vm->dev_lock);
	*news = vm->command.news;
	pthread_mutex_unlock(&vm->dev_lock);
}

uint64_t vm_command_lost_files(const struct vm_command *command)
{
	return command->news.lost_files + command->out.result.lost;
}
