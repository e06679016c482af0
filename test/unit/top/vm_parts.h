/* SPDX-License-Identifier: Apache-2.0 */
/* A machine without KVM: configuration, loop, console on a pipe, devices, and what a command needs. Nothing runs. */
#ifndef VMM_TEST_VM_PARTS_H
#define VMM_TEST_VM_PARTS_H

#include "support/fake_root.h"
#include "support/ring_pipe.h"
#include "unit/devices/port_machine.h"

#include "vm.h"

#define VM_PARTS_WORDS 3

struct vm_parts {
	struct ring_pipe rp; /* what the console prints arrives here */
	struct fake_root root;
	char words[VM_PARTS_WORDS][64];
	char *arguments[VM_PARTS_WORDS];
	char console_path[32];
	struct config config;
	struct vm *vm;
	struct error err;
};

/* With the command "/bin/true", an initrd, and the console in the pipe. */
static inline int vm_parts_init(struct vm_parts *p)
{
	void *root;

	memset(&p->config, 0, sizeof(p->config));
	for (unsigned i = 0; i < VM_PARTS_WORDS; i++)
		p->arguments[i] = p->words[i];
	strcpy(p->words[0], "/bin/true");
	p->vm = calloc(1, sizeof(*p->vm));
	if (!p->vm || fake_root_setup(&root) || ring_pipe_init(&p->rp, false))
		return -1;
	p->root = *(struct fake_root *)root;
	snprintf(p->console_path, sizeof(p->console_path), "/dev/fd/%d", p->rp.fds[1]);
	p->config = (struct config){
		.kernel = "bzImage",
		.initrds = {{.path = "initrd"}},
		.nr_initrds = 1,
		.mem_size = 16 << 20,
		.nr_cpus = 1,
		.console = CONFIG_CONSOLE_FILE,
		.console_path = p->console_path,
		.command = {.arguments = p->arguments, .nr_arguments = 1, .out_limit = 1 << 20},
	};
	p->vm->config = &p->config;
	p->vm->wake_fd = p->rp.wake_fd;
	p->vm->ring = p->rp.ring;
	p->vm->kvm.fd = -1; /* interrupts go nowhere */
	pthread_mutex_init(&p->vm->dev_lock, NULL);
	pthread_mutex_init(&p->vm->notices.lock, NULL);
	return 0;
}

/* In the order of vm_load and vm_build. 0, or -errno with a line in p->err. */
static inline int vm_parts_build(struct vm_parts *p)
{
	const struct console_sink sink = {.report = vm_on_console_event, .opaque = p->vm};
	int ret = guest_mem_init(&p->vm->mem, p->config.mem_size);

	if (!ret)
		ret = vm_command_load(&p->vm->command, &p->config, &p->err);
	if (!ret)
		ret = console_init(&p->vm->console, &p->config, 0, p->rp.ring, p->rp.wake_fd, (struct console_keys){0},
				   sink, &p->err);
	if (!ret)
		ret = vm_command_build(p->vm, &p->err);
	if (!ret)
		ret = vm_add_devices(p->vm, &p->err);
	return ret;
}

/* What the I/O thread does when it was woken, for the streams only. */
static inline void vm_parts_step(struct vm_parts *p)
{
	console_on_wake(&p->vm->console);
	if (p->vm->command.out.stream.bytes)
		out_stream_pump(&p->vm->command.out.stream);
	ring_pipe_step(&p->rp);
}

static inline void close_stream(struct vm_parts *p, struct out_stream *stream)
{
	if (!stream->bytes)
		return;
	out_stream_close(stream);
	while (stream->op.in_flight)
		ring_pipe_step(&p->rp);
}

static inline int vm_parts_fini(struct vm_parts *p)
{
	void *root = &p->root;

	close_stream(p, &p->vm->console.out);
	close_stream(p, &p->vm->command.out.stream);
	archive_fini(&p->vm->command.root);
	archive_fini(&p->vm->command.own);
	if (p->vm->console.out.bytes)
		console_fini(&p->vm->console);
	vm_command_fini(&p->vm->command);
	guest_mem_fini(&p->vm->mem);
	free(p->vm);
	ring_pipe_fini(&p->rp);
	return fake_root_teardown(&root);
}

#endif
