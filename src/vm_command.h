/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command in the guest (`vmm run KERNEL -- COMMAND`), seen from the host: what is added to the initramfs, the channel
 * over which the guest's init answers, and what it said.
 */
#ifndef VMM_VM_COMMAND_H
#define VMM_VM_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ci/archive.h"
#include "ci/channel.h"
#include "ci/command_port.h"
#include "config.h"
#include "devices/serial.h"
#include "out_receiver.h"

#define VM_COMMAND_MAX_NOTES   16
#define VM_COMMAND_NOTE_SIZE   240
#define VM_COMMAND_RING_SIZE   65536u
#define VM_COMMAND_WINDOW_SIZE (COMMAND_WINDOW_PAGE + VM_COMMAND_RING_SIZE)

struct vm;

/* What the guest's init said. Under dev_lock. */
struct vm_command_news {
	uint64_t hello_ns, started_ns, ended_ns, done_ns; /* 0: not yet */
	enum command_transport transport;
	struct command_exit end; /* valid with ended_ns */
	uint32_t lost_files;	 /* of /out, on the guest's side; valid with done_ns */
	unsigned nr_notes;	 /* including those that found no room */
	char notes[VM_COMMAND_MAX_NOTES][VM_COMMAND_NOTE_SIZE];
};

struct vm_command {
	struct vm_command_news news;
	struct channel channel; /* under dev_lock */
	struct command_port port;
	bool serial_waits; /* under dev_lock: COM2 holds bytes that the channel did not take */
	uint8_t *window;   /* VM_COMMAND_WINDOW_SIZE bytes, a memory slot of its own; NULL without a command */
	struct out_receiver out;
	/* what is added to the initramfs; empty again once the guest's memory is filled */
	struct archive root, own;
	uint8_t token[COMMAND_TOKEN_SIZE];
};

/* Makes the window's memory and what is added to the initramfs. 0, or -errno with a line in @err; vm_command_fini is
 * due either way. Nothing happens, here and below, when @config has no command. */
MUST_CHECK int vm_command_load(struct vm_command *command, const struct config *config, struct error *err);

/* The channel and where files go. As vm_command_load. I/O thread. */
MUST_CHECK int vm_command_build(struct vm *vm, struct error *err);
void vm_command_fini(struct vm_command *command);

/* COM2's back-end: the channel, or nobody. */
struct serial_backend vm_command_serial(struct vm *vm);

/* What init said so far; a copy. Any thread, without dev_lock. */
void vm_command_get_news(struct vm *vm, struct vm_command_news *news);

/* How many files of /out should have come and did not, on either side. When the machine and the receiver have ended. */
uint64_t vm_command_lost_files(const struct vm_command *command);

#endif
