/* SPDX-License-Identifier: Apache-2.0 */
/* What the guest's init says over COM2 or the window reaches the news, the console and the folder for files. */
#include "support/command_frames.h"
#include "support/out_archive.h"
#include "unit/top/vm_parts.h"

#include <linux/serial_reg.h>

#define COM2 LAYOUT_COM2_PORT

struct fixture {
	struct vm_parts parts;
	uint32_t sequence;
	size_t wire_len;
	uint8_t wire[4 * COMMAND_FRAME_MAX_PAYLOAD];
	struct out_archive archive;
};

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture.sequence = 0;
	fixture.wire_len = 0;
	fixture.archive.len = 0;
	*state = &fixture;
	return vm_parts_init(&fixture.parts);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	return vm_parts_fini(&f->parts);
}

static void build(struct fixture *f)
{
	if (vm_parts_build(&f->parts))
		fail_msg("%s", f->parts.err.text);
	(void)ring_pipe_wakes(&f->parts.rp);
}

static void add_frame(struct fixture *f, enum command_frame_type type, const void *payload, size_t len)
{
	assert_true(len <= COMMAND_FRAME_MAX_PAYLOAD && f->wire_len + 32 + len <= sizeof(f->wire));
	f->wire_len +=
		command_frame_put(f->wire + f->wire_len, f->parts.vm->command.token, f->sequence++, type, payload, len);
}

static void add_text(struct fixture *f, enum command_frame_type type, const char *text)
{
	add_frame(f, type, text, strlen(text));
}

static void add_hello(struct fixture *f, uint32_t transport)
{
	const struct command_hello hello = {.version = COMMAND_PROTO_VERSION, .transport = transport};

	add_frame(f, COMMAND_FRAME_HELLO, &hello, sizeof(hello));
}

static void add_exit(struct fixture *f, uint32_t end, uint32_t value)
{
	const struct command_exit message = {.end = end, .value = value};

	add_frame(f, COMMAND_FRAME_EXIT, &message, sizeof(message));
}

static void add_done(struct fixture *f, uint32_t lost)
{
	const struct command_done message = {.lost = lost};

	add_frame(f, COMMAND_FRAME_DONE, &message, sizeof(message));
}

/* As a driver that asks before each byte; returns how many the line took. What it did not take stays. */
static size_t send_while_there_is_room(struct fixture *f)
{
	struct vm *vm = f->parts.vm;
	size_t sent = 0;

	pthread_mutex_lock(&vm->dev_lock);
	while (sent < f->wire_len && (in8(&vm->bus, COM2 + UART_LSR) & UART_LSR_THRE))
		out8(&vm->bus, COM2 + UART_TX, f->wire[sent++]);
	pthread_mutex_unlock(&vm->dev_lock);
	memmove(f->wire, f->wire + sent, f->wire_len - sent);
	f->wire_len -= sent;
	return sent;
}

static void send_by_serial(struct fixture *f)
{
	send_while_there_is_room(f);
	assert_int_equal(f->wire_len, 0);
}

static void ring(struct fixture *f)
{
	pthread_mutex_lock(&f->parts.vm->dev_lock);
	out8(&f->parts.vm->bus, LAYOUT_COMMAND_PORT, 0);
	pthread_mutex_unlock(&f->parts.vm->dev_lock);
}

static void send_by_window(struct fixture *f)
{
	uint8_t *window = f->parts.vm->command.window;
	uint32_t head = load_le32(window);

	assert_true(f->wire_len <= VM_COMMAND_RING_SIZE - (head - load_le32(window + 64)));
	for (size_t i = 0; i < f->wire_len; i++)
		window[COMMAND_WINDOW_PAGE + (head + i) % VM_COMMAND_RING_SIZE] = f->wire[i];
	store_le32(window, head + (uint32_t)f->wire_len);
	f->wire_len = 0;
	ring(f);
}

static struct vm_command_news news_of(struct fixture *f)
{
	struct vm_command_news news;

	vm_command_get_news(f->parts.vm, &news);
	return news;
}

/* One life of a command, told by @send. */
static void tell_a_life(struct fixture *f, void (*send)(struct fixture *f), uint32_t transport)
{
	struct vm_command_news news;

	build(f);
	news = news_of(f);
	assert_int_equal(news.hello_ns + news.started_ns + news.ended_ns + news.done_ns, 0);
	add_hello(f, transport);
	send(f);
	news = news_of(f);
	assert_true(news.hello_ns > 0);
	assert_int_equal(news.transport, transport);
	assert_int_equal(news.started_ns, 0);
	assert_true(ring_pipe_wakes(&f->parts.rp) > 0);
	assert_true(f->parts.vm->console.holds_input && f->parts.vm->console.sends_end);
	add_frame(f, COMMAND_FRAME_STARTED, NULL, 0);
	add_text(f, COMMAND_FRAME_OUTPUT, "hello\n");
	send(f);
	assert_false(f->parts.vm->console.holds_input); /* before, the kernel's drivers would lose it */
	assert_true(news_of(f).started_ns >= news.hello_ns);
	assert_int_equal(news_of(f).ended_ns, 0);
	add_exit(f, COMMAND_KILLED, 9);
	send(f);
	news = news_of(f);
	assert_true(news.ended_ns >= news.started_ns);
	assert_int_equal(news.end.end, COMMAND_KILLED);
	assert_int_equal(news.end.value, 9);
	assert_int_equal(news.done_ns, 0);
	add_done(f, 0x01020304);
	send(f);
	assert_true(news_of(f).done_ns >= news.ended_ns);
	assert_int_equal(news.lost_files, 0);
	assert_int_equal(news_of(f).lost_files, 0x01020304);
	ring_pipe_start_reading(&f->parts.rp);
	while (f->parts.rp.len < 6)
		vm_parts_step(&f->parts);
	assert_int_equal(f->parts.rp.len, 6);
	assert_memory_equal(f->parts.rp.received, "hello\n", 6);
	assert_int_equal(f->parts.vm->command.channel.bad_frames + f->parts.vm->command.channel.lost_frames, 0);
}

static void a_life_is_told_by_the_serial_line(void **state)
{
	tell_a_life(*state, send_by_serial, COMMAND_BY_SERIAL);
}

static void a_life_is_told_by_the_window(void **state)
{
	tell_a_life(*state, send_by_window, COMMAND_BY_WINDOW);
}

/* The first word counts: an init speaks once, and what is said later is a mistake or worse. */
static void the_first_word_of_each_kind_counts(void **state)
{
	struct fixture *f = *state;
	struct vm_command_news first, second;

	build(f);
	add_hello(f, COMMAND_BY_WINDOW);
	add_frame(f, COMMAND_FRAME_STARTED, NULL, 0);
	add_exit(f, COMMAND_EXITED, 3);
	add_done(f, 2);
	send_by_window(f);
	first = news_of(f);
	add_hello(f, COMMAND_BY_SERIAL);
	add_frame(f, COMMAND_FRAME_STARTED, NULL, 0);
	add_exit(f, COMMAND_EXITED, 0);
	add_done(f, 0);
	send_by_window(f);
	second = news_of(f);
	assert_int_equal(second.lost_files, 2);
	assert_int_equal(second.end.value, 3);
	assert_memory_equal(&first, &second, sizeof(first));
}

static void short_and_unknown_messages_are_nothing(void **state)
{
	struct fixture *f = *state;
	struct vm_command_news news;

	build(f);
	add_frame(f, COMMAND_FRAME_HELLO, "1234567", 7);
	add_frame(f, COMMAND_FRAME_EXIT, "12345678901", 11);
	add_frame(f, (enum command_frame_type)99, "x", 1);
	send_by_window(f);
	news = news_of(f);
	assert_int_equal(news.hello_ns + news.ended_ns, 0);
	assert_int_equal(news.nr_notes, 0);
	add_frame(f, COMMAND_FRAME_DONE, "123", 3); /* the end is told, whatever it says */
	send_by_window(f);
	news = news_of(f);
	assert_true(news.done_ns > 0);
	assert_int_equal(news.lost_files, 0);
}

static void a_transport_that_nobody_knows_is_the_slow_one(void **state)
{
	struct fixture *f = *state;

	build(f);
	add_hello(f, 0xffffffff);
	send_by_window(f);
	assert_int_equal(news_of(f).transport, COMMAND_BY_SERIAL);
}

/* Text for the user's terminal, from a guest: one plain line each, and not too many. */
static void notes_are_cut_cleaned_and_bounded(void **state)
{
	struct fixture *f = *state;
	struct vm_command_news news;
	char text[1000];

	memset(text, 'x', sizeof(text));
	build(f);
	add_text(f, COMMAND_FRAME_NOTE, "a\n\x1b[2Jb\xff\x7f~ ");
	add_frame(f, COMMAND_FRAME_NOTE, text, sizeof(text));
	add_frame(f, COMMAND_FRAME_NOTE, text, VM_COMMAND_NOTE_SIZE);
	add_frame(f, COMMAND_FRAME_NOTE, "", 0);
	send_by_window(f);
	news = news_of(f);
	assert_int_equal(news.nr_notes, 4);
	assert_string_equal(news.notes[0], "a??[2Jb??~ ");
	assert_int_equal(strlen(news.notes[1]), VM_COMMAND_NOTE_SIZE - 1);
	assert_int_equal(strlen(news.notes[2]), VM_COMMAND_NOTE_SIZE - 1);
	assert_string_equal(news.notes[3], "");
	for (unsigned i = 4; i < 40; i++) {
		snprintf(text, sizeof(text), "note %u", i);
		add_text(f, COMMAND_FRAME_NOTE, text);
	}
	send_by_window(f);
	news = news_of(f);
	assert_int_equal(news.nr_notes, 40);
	assert_string_equal(news.notes[VM_COMMAND_MAX_NOTES - 1], "note 15");
	add_text(f, COMMAND_FRAME_OUTPUT, "x"); /* what lies behind the notes is as it was */
	add_exit(f, COMMAND_EXITED, 2);
	send_by_window(f);
	assert_int_equal(news_of(f).end.value, 2);
}

/* What a program prints cannot know the token. */
static void a_frame_with_another_token_is_nothing(void **state)
{
	struct fixture *f = *state;

	build(f);
	add_exit(f, COMMAND_EXITED, 0);
	f->wire[3] ^= 1;
	send_by_serial(f);
	f->sequence = 0;
	add_exit(f, COMMAND_EXITED, 5);
	send_by_serial(f);
	assert_int_equal(news_of(f).end.value, 5);
	assert_int_equal(f->parts.vm->command.channel.frames, 1);
}

/* A program may open COM2 too, while a frame is half sent through the window. */
static void other_words_on_com2_do_not_disturb_the_window(void **state)
{
	struct fixture *f = *state;
	uint8_t rest[16];

	build(f);
	add_hello(f, COMMAND_BY_WINDOW);
	send_by_window(f);
	add_exit(f, COMMAND_EXITED, 7);
	memcpy(rest, f->wire + 28, sizeof(rest)); /* the CRC and the payload */
	f->wire_len = 28;
	send_by_window(f);
	memcpy(f->wire, "getty", 5);
	f->wire_len = 5;
	send_by_serial(f);
	memcpy(f->wire, rest, sizeof(rest));
	f->wire_len = sizeof(rest);
	send_by_window(f);
	assert_int_equal(news_of(f).end.value, 7);
	assert_int_equal(f->parts.vm->command.channel.bad_frames, 0);
	assert_false(f->parts.vm->command.serial_waits);
}

static void files_arrive_in_the_folder(void **state)
{
	struct fixture *f = *state;
	struct out_receiver *out = &f->parts.vm->command.out;
	char dir[64], text[32] = "", path[96];
	int fd;

	snprintf(dir, sizeof(dir), "%s/out", f->parts.root.path);
	f->parts.config.command.out = dir;
	build(f);
	assert_int_equal(out_receiver_start(out), 0);
	out_archive_add(&f->archive, S_IFREG | 0644, "result", "all well", 8);
	out_archive_end(&f->archive);
	add_frame(f, COMMAND_FRAME_OUT, f->archive.bytes, 100);
	add_frame(f, COMMAND_FRAME_OUT, f->archive.bytes + 100, f->archive.len - 100);
	send_by_window(f);
	while (!out_receiver_is_idle(out))
		vm_parts_step(&f->parts);
	out_receiver_finish(out);
	assert_int_equal(out->code, 0);
	snprintf(path, sizeof(path), "%s/result", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	assert_string_equal(text, "all well");
}

static void files_that_nobody_wants_are_taken_and_lost(void **state)
{
	struct fixture *f = *state;
	static uint8_t noise[COMMAND_FRAME_MAX_PAYLOAD];

	build(f);
	for (unsigned i = 0; i < 10; i++) {
		add_frame(f, COMMAND_FRAME_OUT, noise, sizeof(noise));
		send_by_window(f);
	}
	add_exit(f, COMMAND_EXITED, 4);
	send_by_window(f);
	assert_int_equal(news_of(f).end.value, 4);
}

/* Fills queue and pipe behind the console with what the command prints, until the window keeps bytes. */
static size_t fill_the_console(struct fixture *f)
{
	const uint8_t *window = f->parts.vm->command.window;
	static uint8_t text[20000];
	size_t sent = 0;

	memset(text, 'x', sizeof(text));
	while (load_le32(window) == load_le32(window + 64)) {
		assert_true(sent < 20 * sizeof(text));
		add_frame(f, COMMAND_FRAME_OUTPUT, text, sizeof(text));
		send_by_window(f);
		sent += sizeof(text);
		vm_parts_step(&f->parts);
	}
	return sent;
}

static void a_console_that_is_not_read_holds_up_the_window_and_loses_nothing(void **state)
{
	struct fixture *f = *state;
	const uint8_t *window;
	size_t sent;

	build(f);
	window = f->parts.vm->command.window;
	sent = fill_the_console(f);
	add_exit(f, COMMAND_EXITED, 6);
	send_by_window(f);
	assert_int_equal(news_of(f).ended_ns, 0); /* it stands behind the output */
	ring_pipe_start_reading(&f->parts.rp);
	while (load_le32(window) != load_le32(window + 64)) {
		ring(f);
		vm_parts_step(&f->parts);
	}
	assert_int_equal(news_of(f).end.value, 6);
	while (f->parts.rp.len < sent)
		vm_parts_step(&f->parts);
	assert_int_equal(f->parts.rp.len, sent);
}

/* Nobody rings for a UART: the I/O thread must hear that bytes wait there. */
static void bytes_that_wait_in_the_uart_are_announced_and_come_later(void **state)
{
	struct fixture *f = *state;
	struct vm *vm = f->parts.vm;

	build(f);
	fill_the_console(f);
	(void)ring_pipe_wakes(&f->parts.rp);
	assert_false(vm->command.serial_waits);
	add_exit(f, COMMAND_EXITED, 8);
	assert_in_range(send_while_there_is_room(f), 1, SERIAL_FIFO_SIZE);
	assert_true(vm->command.serial_waits);
	assert_true(ring_pipe_wakes(&f->parts.rp) > 0);
	ring_pipe_start_reading(&f->parts.rp);
	while (!news_of(f).ended_ns) {
		ring(f); /* what the window holds is in front */
		vm_parts_step(&f->parts);
		pthread_mutex_lock(&vm->dev_lock);
		vm->command.serial_waits = false;
		serial_tx_resume(&vm->devices.com2);
		pthread_mutex_unlock(&vm->dev_lock);
		send_while_there_is_room(f);
	}
	assert_int_equal(news_of(f).end.value, 8);
	assert_int_equal(vm->devices.com2.tx_dropped, 0);
}

#define WITH_PARTS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PARTS(a_life_is_told_by_the_serial_line),
		WITH_PARTS(a_life_is_told_by_the_window),
		WITH_PARTS(the_first_word_of_each_kind_counts),
		WITH_PARTS(short_and_unknown_messages_are_nothing),
		WITH_PARTS(a_transport_that_nobody_knows_is_the_slow_one),
		WITH_PARTS(notes_are_cut_cleaned_and_bounded),
		WITH_PARTS(a_frame_with_another_token_is_nothing),
		WITH_PARTS(other_words_on_com2_do_not_disturb_the_window),
		WITH_PARTS(files_arrive_in_the_folder),
		WITH_PARTS(files_that_nobody_wants_are_taken_and_lost),
		WITH_PARTS(a_console_that_is_not_read_holds_up_the_window_and_loses_nothing),
		WITH_PARTS(bytes_that_wait_in_the_uart_are_announced_and_come_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
