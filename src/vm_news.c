/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "vm.h"

static void tell(const struct vm_news *news, const char *name, uint64_t at_ns, const char *key, const char *text)
{
	struct event event;

	event_begin(&event, &news->vm->events, name, at_ns);
	if (key)
		json_put_string(&event.json, key, text);
	event_end(&event, &news->vm->events);
}

/* Once: when @at_ns is known. */
static void tell_once(const struct vm_news *news, bool *told, const char *name, uint64_t at_ns, const char *key,
		      const char *text)
{
	if (!at_ns || *told)
		return;
	tell(news, name, at_ns, key, text);
	*told = true;
}

void vm_news_begin(struct vm_news *news, struct vm *vm)
{
	struct event event;

	*news = (struct vm_news){.vm = vm};
	event_begin(&event, &vm->events, "started", monotonic_ns());
	json_put_string(&event.json, "version", VMM_VERSION);
	json_put_string(&event.json, "kernel", vm->config->kernel);
	json_put_string(&event.json, "format", image_format_name(vm->image.format));
	json_put_u64(&event.json, "mem", vm->config->mem_size);
	json_put_u64(&event.json, "cpus", vm->config->nr_cpus);
	json_put_bool(&event.json, "assist", vm->assist.active);
	event_end(&event, &vm->events);
}

static void tell_complaints(struct vm_news *news, const struct vm_notices *n)
{
	while (news->told_complaints < n->nr_complaints) {
		const struct vm_complaint *c = &n->complaints[news->told_complaints++];
		struct event event;

		event_begin(&event, &news->vm->events, "kernel-complaint", c->at_ns);
		json_put_string(&event.json, "severity", c->is_oops ? "oops" : "warn");
		json_put_string(&event.json, "line", c->line);
		event_end(&event, &news->vm->events);
	}
}

static void tell_command_end(struct vm_news *news, const struct vm_command_news *c)
{
	static const char *const keys[] = {
		[COMMAND_EXITED] = "status", [COMMAND_KILLED] = "signal", [COMMAND_NOT_STARTED] = "errno"};
	struct event event;

	if (!c->ended_ns || news->told_command_end)
		return;
	news->told_command_end = true;
	event_begin(&event, &news->vm->events, "command-exited", c->ended_ns);
	json_put_u64(&event.json, c->end.end < ARRAY_SIZE(keys) && keys[c->end.end] ? keys[c->end.end] : "init-errno",
		     c->end.value);
	event_end(&event, &news->vm->events);
}

static void tell_notes(struct vm_news *news, const struct vm_command_news *c)
{
	unsigned kept = c->nr_notes < VM_COMMAND_MAX_NOTES ? c->nr_notes : VM_COMMAND_MAX_NOTES;

	while (news->told_notes < kept)
		log_note("note: guest: %s", c->notes[news->told_notes++]);
}

static void tell_command(struct vm_news *news)
{
	struct vm *vm = news->vm;
	struct vm_command_news c;

	if (!vm->config->command.nr_arguments)
		return;
	vm_command_get_news(vm, &c);
	tell_once(news, &news->told_booted, "kernel-booted", c.hello_ns, NULL, NULL);
	tell_once(news, &news->told_init, "init-started", c.hello_ns, "path", COMMAND_INIT);
	tell_once(news, &news->told_command_start, "command-started", c.started_ns, "channel",
		  c.transport == COMMAND_BY_WINDOW ? "window" : "com2");
	tell_command_end(news, &c);
	tell_notes(news, &c);
}

void vm_news_tell(struct vm_news *news)
{
	struct vm *vm = news->vm;
	struct vm_notices n;

	vm_get_notices(vm, &n);
	tell_once(news, &news->told_first_instruction, "first-instruction", atomic_load(&vm->vcpus[0].first_entry_ns),
		  NULL, NULL);
	tell_once(news, &news->told_console, "console-up", n.console_up_ns, NULL, NULL);
	tell_once(news, &news->told_booted, "kernel-booted", n.init_ns, NULL, NULL);
	tell_once(news, &news->told_init, "init-started", n.init_ns, "path", n.init_path);
	tell_once(news, &news->told_panic, "guest-panic", n.has_panic ? monotonic_ns() : 0, "reason", n.panic);
	tell_complaints(news, &n);
	tell_command(news);
}

static void tell_out(const struct vm_news *news, uint64_t at_ns)
{
	const struct out_receiver *out = &news->vm->command.out;
	const uint64_t lost = vm_command_lost_files(&news->vm->command);
	struct event event;

	if (!news->vm->config->command.out)
		return;
	event_begin(&event, &news->vm->events, "out", at_ns);
	json_put_bool(&event.json, "complete", out->code == 0 && lost == 0);
	json_put_u64(&event.json, "files", out->result.files);
	json_put_u64(&event.json, "bytes", out->result.bytes);
	json_put_u64(&event.json, "skipped", out->result.skipped);
	json_put_u64(&event.json, "lost", lost);
	event_end(&event, &news->vm->events);
}

static void put_complaints(const struct vm_news *news, struct json *json)
{
	struct vm_notices n;

	vm_get_notices(news->vm, &n);
	json_put_u64(json, "kernel-warnings", n.nr_warns);
	json_put_u64(json, "kernel-oopses", n.nr_oopses);
}

void vm_news_end(struct vm_news *news, const struct outcome *outcome)
{
	struct vm *vm = news->vm;
	struct event event;

	if (outcome->cause == OUTCOME_PANIC)
		tell_once(news, &news->told_panic, "guest-panic", vm->start_ns + outcome->elapsed_ns, "reason",
			  outcome->detail);
	if (outcome->cause == OUTCOME_RESET)
		tell(news, "reset", vm->start_ns + outcome->elapsed_ns, NULL, NULL);
	tell_out(news, vm->start_ns + outcome->elapsed_ns);
	event_begin(&event, &vm->events, "exit", vm->start_ns + outcome->elapsed_ns);
	json_put_string(&event.json, "cause", outcome_cause_name(outcome->cause));
	json_put_u64(&event.json, "code", (uint64_t)outcome_exit_code(outcome));
	if (outcome->detail[0])
		json_put_string(&event.json, "detail", outcome->detail);
	put_complaints(news, &event.json);
	json_put_u64(&event.json, "events-dropped", vm->events.dropped);
	vm_put_stats(vm, &event.json);
	event_end(&event, &vm->events);
}

void vm_get_notices(struct vm *vm, struct vm_notices *notices)
{
	pthread_mutex_lock(&vm->notices.lock);
	*notices = vm->notices;
	pthread_mutex_unlock(&vm->notices.lock);
}
