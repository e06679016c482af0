/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of the machine goes in, event lines and notes come out: each once. */
#include "support/capture.h"
#include "unit/top/vm_parts.h"

#define START_NS 1000000000ULL
#define MS	 1000000ULL

struct fixture {
	struct vm_parts parts;
	struct vm *vm;
	struct vm_news news;
	char path[64];
	char text[65536]; /* the events since the last look */
	off_t seen;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;

	memset(f, 0, sizeof(*f));
	*state = f;
	if (vm_parts_init(&f->parts))
		return -1;
	f->vm = f->parts.vm;
	f->vm->start_ns = START_NS;
	f->vm->nr_vcpus = 1;
	snprintf(f->path, sizeof(f->path), "%.48s/events", f->parts.root.path);
	return events_init(&f->vm->events, f->path, START_NS, f->parts.rp.ring, f->parts.rp.wake_fd, &f->parts.err);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close_stream(&f->parts, &f->vm->events.out);
	events_fini(&f->vm->events);
	return vm_parts_fini(&f->parts);
}

/* The lines that came since the last call. */
static const char *read_events(struct fixture *f)
{
	int fd = open(f->path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	while (!out_stream_is_idle(&f->vm->events.out)) {
		out_stream_pump(&f->vm->events.out);
		ring_pipe_step(&f->parts.rp);
	}
	len = pread(fd, f->text, sizeof(f->text) - 1, f->seen);
	close(fd);
	assert_true(len >= 0);
	f->text[len] = '\0';
	f->seen += len;
	return f->text;
}

static void begin(struct fixture *f)
{
	vm_news_begin(&f->news, f->vm);
	read_events(f);
}

static void assert_told(struct fixture *f, const char *wanted)
{
	vm_news_tell(&f->news);
	assert_string_equal(read_events(f), wanted);
}

static void assert_holds(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in: %s", part, text);
}

static void the_first_event_describes_the_machine(void **state)
{
	struct fixture *f = *state;

	f->vm->assist.active = true;
	vm_news_begin(&f->news, f->vm);
	assert_holds(read_events(f), "{\"event\":\"started\",\"t\":");
	assert_holds(f->text, "\"version\":\"" VMM_VERSION "\",\"kernel\":\"bzImage\",\"format\":\"");
	assert_holds(f->text, "\"mem\":16777216,\"cpus\":1,\"assist\":true}\n");
}

static void no_news_is_no_event(void **state)
{
	struct fixture *f = *state;

	begin(f);
	assert_told(f, "");
}

static void each_step_is_told_once_with_its_own_time(void **state)
{
	struct fixture *f = *state;
	struct vm_notices *n = &f->vm->notices;

	begin(f);
	atomic_store(&f->vm->vcpus[0].first_entry_ns, START_NS + MS);
	assert_told(f, "{\"event\":\"first-instruction\",\"t\":0.001000}\n");
	n->console_up_ns = START_NS + 2 * MS;
	n->init_ns = START_NS + 3 * MS;
	strcpy(n->init_path, "/sbin/init");
	assert_told(f,
		    "{\"event\":\"console-up\",\"t\":0.002000}\n"
		    "{\"event\":\"kernel-booted\",\"t\":0.003000}\n"
		    "{\"event\":\"init-started\",\"t\":0.003000,\"path\":\"/sbin/init\"}\n");
	assert_told(f, "");
}

static void complaints_are_told_as_they_come(void **state)
{
	struct fixture *f = *state;
	struct vm_notices *n = &f->vm->notices;

	begin(f);
	n->complaints[n->nr_complaints++] = (struct vm_complaint){.at_ns = START_NS + MS, .line = "WARNING: \"a\""};
	assert_told(f,
		    "{\"event\":\"kernel-complaint\",\"t\":0.001000,\"severity\":\"warn\","
		    "\"line\":\"WARNING: \\\"a\\\"\"}\n");
	n->complaints[n->nr_complaints++] =
		(struct vm_complaint){.at_ns = START_NS + 2 * MS, .is_oops = true, .line = "BUG: b"};
	n->complaints[n->nr_complaints++] = (struct vm_complaint){.at_ns = START_NS + 3 * MS, .line = "WARNING: c"};
	assert_told(f,
		    "{\"event\":\"kernel-complaint\",\"t\":0.002000,\"severity\":\"oops\",\"line\":\"BUG: b\"}\n"
		    "{\"event\":\"kernel-complaint\",\"t\":0.003000,\"severity\":\"warn\",\"line\":\"WARNING: c\"}\n");
	assert_told(f, "");
}

static void the_channel_of_a_guest_without_a_window_is_told(void **state)
{
	struct fixture *f = *state;
	struct vm_command_news *c = &f->vm->command.news;

	begin(f);
	c->transport = COMMAND_BY_SERIAL;
	c->started_ns = START_NS + MS;
	assert_told(f, "{\"event\":\"command-started\",\"t\":0.001000,\"channel\":\"com2\"}\n");
}

static void a_commands_life_is_told(void **state)
{
	struct fixture *f = *state;
	struct vm_command_news *c = &f->vm->command.news;

	begin(f);
	c->hello_ns = START_NS + MS;
	assert_told(f,
		    "{\"event\":\"kernel-booted\",\"t\":0.001000}\n"
		    "{\"event\":\"init-started\",\"t\":0.001000,\"path\":\"/.vmm/init\"}\n");
	c->transport = COMMAND_BY_WINDOW;
	c->started_ns = START_NS + 2 * MS;
	assert_told(f, "{\"event\":\"command-started\",\"t\":0.002000,\"channel\":\"window\"}\n");
	c->ended_ns = START_NS + 3 * MS;
	c->end = (struct command_exit){.end = COMMAND_EXITED, .value = 77};
	assert_told(f, "{\"event\":\"command-exited\",\"t\":0.003000,\"status\":77}\n");
	c->done_ns = START_NS + 4 * MS;
	assert_told(f, "");
}

/* Console and channel may both tell that init runs. */
static void the_start_of_init_is_told_once(void **state)
{
	struct fixture *f = *state;

	begin(f);
	f->vm->notices.init_ns = START_NS + MS;
	strcpy(f->vm->notices.init_path, "/.vmm/init");
	f->vm->command.news.hello_ns = START_NS + 2 * MS;
	assert_told(f,
		    "{\"event\":\"kernel-booted\",\"t\":0.001000}\n"
		    "{\"event\":\"init-started\",\"t\":0.001000,\"path\":\"/.vmm/init\"}\n");
	assert_told(f, "");
}

static const struct {
	uint32_t end, value;
	const char *member;
} ends[] = {
	{COMMAND_EXITED, 0, "\"status\":0}"},
	{COMMAND_KILLED, 9, "\"signal\":9}"},
	{COMMAND_NOT_STARTED, 2, "\"errno\":2}"},
	{COMMAND_INIT_FAILED, 12, "\"init-errno\":12}"},
	{0, 1, "\"init-errno\":1}"},
	{5, 1, "\"init-errno\":1}"},
	{UINT32_MAX, UINT32_MAX, "\"init-errno\":4294967295}"},
};

static void every_end_of_a_command_has_its_member(void **state)
{
	struct fixture *f = *state;
	struct vm_command_news *c = &f->vm->command.news;

	for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
		begin(f);
		c->ended_ns = START_NS + MS;
		c->end = (struct command_exit){.end = ends[i].end, .value = ends[i].value};
		vm_news_tell(&f->news);
		assert_holds(read_events(f), ends[i].member);
	}
}

static void without_a_command_its_news_are_not_asked_for(void **state)
{
	struct fixture *f = *state;

	f->parts.config.command.nr_arguments = 0;
	begin(f);
	f->vm->command.news.hello_ns = START_NS + MS;
	assert_told(f, "");
}

/* What is printed on stderr while the news are told. */
static const char *tell_and_capture(struct fixture *f, char *text, size_t size)
{
	int saved = capture_redirect(STDERR_FILENO);

	vm_news_tell(&f->news);
	capture_take(STDERR_FILENO, saved, text, size);
	return text;
}

static void the_inits_notes_are_printed_once_and_not_without_end(void **state)
{
	struct fixture *f = *state;
	struct vm_command_news *c = &f->vm->command.news;
	char text[8192];

	begin(f);
	strcpy(c->notes[0], "no network");
	c->nr_notes = 1;
	assert_string_equal(tell_and_capture(f, text, sizeof(text)), "vmm: note: guest: no network\n");
	strcpy(c->notes[1], "no /proc");
	c->nr_notes = 2;
	assert_string_equal(tell_and_capture(f, text, sizeof(text)), "vmm: note: guest: no /proc\n");
	strcpy(c->notes[VM_COMMAND_MAX_NOTES - 1], "the last");
	c->nr_notes = 1000;
	assert_holds(tell_and_capture(f, text, sizeof(text)), "vmm: note: guest: the last\n");
	assert_string_equal(tell_and_capture(f, text, sizeof(text)), "");
}

static void the_last_event_sums_up(void **state)
{
	struct fixture *f = *state;
	const struct outcome outcome = {
		.cause = OUTCOME_COMMAND, .status = 3, .elapsed_ns = 5 * MS, .detail = "command exited with status 3"};

	begin(f);
	f->vm->notices.nr_warns = 200;
	f->vm->notices.nr_oopses = 1;
	vm_news_end(&f->news, &outcome);
	read_events(f);
	assert_holds(f->text,
		     "{\"event\":\"exit\",\"t\":0.005000,\"cause\":\"command\",\"code\":3,"
		     "\"detail\":\"command exited with status 3\",\"kernel-warnings\":200,\"kernel-oopses\":1,"
		     "\"events-dropped\":0,\"stats\":{");
	assert_ptr_equal(strchr(f->text, '\n'), f->text + strlen(f->text) - 1);
}

static void files_are_told_of_only_with_a_folder_for_them(void **state)
{
	struct fixture *f = *state;
	struct out_receiver *out = &f->vm->command.out;
	const struct outcome outcome = {.cause = OUTCOME_COMMAND};

	begin(f);
	out->result = (struct out_result){.files = 2, .folders = 1, .links = 4, .bytes = 9, .skipped = 1};
	vm_news_end(&f->news, &outcome);
	assert_null(strstr(read_events(f), "\"out\""));
	f->parts.config.command.out = "dir";
	vm_news_end(&f->news, &outcome);
	assert_holds(read_events(f),
		     "\"complete\":true,\"files\":2,\"bytes\":9,\"skipped\":1,\"lost\":0}\n{\"event\":\"exit\"");
	out->result.lost = 1;
	f->vm->command.news.lost_files = 2;
	vm_news_end(&f->news, &outcome);
	assert_holds(read_events(f), "\"complete\":false,\"files\":2,\"bytes\":9,\"skipped\":1,\"lost\":3}\n");
	out->result.lost = f->vm->command.news.lost_files = 0;
	out->code = -EFBIG;
	vm_news_end(&f->news, &outcome);
	assert_holds(read_events(f), "{\"event\":\"out\",\"t\":");
	assert_holds(f->text, "\"complete\":false");
}

static void a_panic_is_told_once_with_its_reason(void **state)
{
	struct fixture *f = *state;
	const struct outcome outcome = {.cause = OUTCOME_PANIC, .elapsed_ns = 7 * MS, .detail = "out of tea"};

	begin(f);
	vm_news_end(&f->news, &outcome); /* known by the device only */
	assert_holds(read_events(f), "{\"event\":\"guest-panic\",\"t\":0.007000,\"reason\":\"out of tea\"}\n");
	begin(f);
	f->vm->notices.has_panic = true;
	strcpy(f->vm->notices.panic, "out of tea");
	vm_news_tell(&f->news);
	assert_holds(read_events(f), "\"reason\":\"out of tea\"}\n");
	assert_told(f, "");
	vm_news_end(&f->news, &outcome);
	assert_null(strstr(read_events(f), "guest-panic\",\"t\""));
	assert_holds(f->text, "\"cause\":\"guest-panic\",\"code\":255");
}

static void a_reset_is_told_before_the_end(void **state)
{
	struct fixture *f = *state;
	const struct outcome outcome = {.cause = OUTCOME_RESET, .elapsed_ns = 7 * MS};

	begin(f);
	vm_news_end(&f->news, &outcome);
	assert_holds(read_events(f), "{\"event\":\"reset\",\"t\":0.007000}\n{\"event\":\"exit\",\"t\":0.007000,");
	assert_null(strstr(f->text, "\"detail\""));
}

/* Whatever the command is called and however much the assist counted: a script must see the end. */
static void the_last_event_always_fits(void **state)
{
	struct fixture *f = *state;
	struct outcome outcome = {.cause = OUTCOME_COMMAND, .elapsed_ns = UINT64_MAX >> 1};

	begin(f);
	memset(outcome.detail, 1, sizeof(outcome.detail) - 1);
	f->vm->notices.nr_warns = f->vm->notices.nr_oopses = UINT32_MAX;
	f->vm->assist.active = true;
	f->vm->vcpus[0].stats.exits = f->vm->vcpus[0].stats.pio = f->vm->vcpus[0].stats.mmio = UINT64_MAX;
	f->vm->vcpus[0].assist.syscalls = f->vm->vcpus[0].assist.exceptions = UINT64_MAX;
	for (unsigned k = 0; k < ASSIST_KINDS; k++)
		f->vm->vcpus[0].assist.counts[k] = UINT64_MAX;
	vm_news_end(&f->news, &outcome);
	assert_holds(read_events(f), "{\"event\":\"exit\"");
	assert_int_equal(f->vm->events.dropped, 0);
}

static void notices_are_copied(void **state)
{
	struct fixture *f = *state;
	struct vm_notices n;

	f->vm->notices.has_panic = true;
	f->vm->notices.outcome.status = 9;
	vm_get_notices(f->vm, &n);
	f->vm->notices.outcome.status = 10;
	assert_true(n.has_panic);
	assert_int_equal(n.outcome.status, 9);
	assert_int_equal(pthread_mutex_trylock(&f->vm->notices.lock), 0); /* was given back */
	pthread_mutex_unlock(&f->vm->notices.lock);
}

#define WITH_EVENTS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_EVENTS(the_first_event_describes_the_machine),
		WITH_EVENTS(no_news_is_no_event),
		WITH_EVENTS(each_step_is_told_once_with_its_own_time),
		WITH_EVENTS(complaints_are_told_as_they_come),
		WITH_EVENTS(a_commands_life_is_told),
		WITH_EVENTS(the_channel_of_a_guest_without_a_window_is_told),
		WITH_EVENTS(the_start_of_init_is_told_once),
		WITH_EVENTS(every_end_of_a_command_has_its_member),
		WITH_EVENTS(without_a_command_its_news_are_not_asked_for),
		WITH_EVENTS(the_inits_notes_are_printed_once_and_not_without_end),
		WITH_EVENTS(the_last_event_sums_up),
		WITH_EVENTS(files_are_told_of_only_with_a_folder_for_them),
		WITH_EVENTS(a_panic_is_told_once_with_its_reason),
		WITH_EVENTS(a_reset_is_told_before_the_end),
		WITH_EVENTS(the_last_event_always_fits),
		WITH_EVENTS(notices_are_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
