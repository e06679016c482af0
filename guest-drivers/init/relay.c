/* SPDX-License-Identifier: Apache-2.0 */
#include "relay.h"

#include <linux/wait.h>

#include "sigchld.h"
#include "sys.h"

#define REMIND_MS 1
/* So much output in so many cycles (some 50 ms) is a flood: each of a writer's small pieces would cost a switch to init
 * and back. The pipe then gets time to fill. All else is forwarded at once, before a crash can lose it. */
#define FLOOD_BYTES   32768u
#define FLOOD_CYCLES  (1ull << 27)
#define FLOOD_REST_MS 10
/* For processes that a signal cannot end, in a system call that never returns. */
#define QUIET_MS     500
#define QUIET_ROUNDS 8

static void reap(struct relay *relay)
{
	for (;;) {
		int status;
		long pid = sys_call6(__NR_wait4, -1, (long)&status, WNOHANG, 0, 0, 0);

		relay->has_children = pid != -ECHILD;
		if (pid <= 0)
			return;
		if (pid == relay->command) {
			relay->status = status;
			relay->has_ended = true;
		}
	}
}

static uint64_t read_cycles(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static bool is_flood(struct relay *relay, size_t fresh)
{
	uint64_t now = read_cycles();

	if (now - relay->burst_begin > FLOOD_CYCLES) {
		relay->burst_begin = now;
		relay->burst_bytes = 0;
	}
	relay->burst_bytes += fresh;
	return relay->burst_bytes >= FLOOD_BYTES;
}

/* There is something to read. */
static void forward(struct relay *relay)
{
	size_t room;
	uint8_t *payload = sender_reserve(relay->sender, COMMAND_FRAME_MAX_PAYLOAD, &room);
	long n = sys_read(relay->output, payload, room);

	if (n > 0) {
		sender_commit(relay->sender, COMMAND_FRAME_OUTPUT, payload, (size_t)n);
		if (!relay->has_ended && (size_t)n < room && is_flood(relay, (size_t)n))
			sigchld_wait(-1, FLOOD_REST_MS);
	} else if (n != -EINTR) {
		sys_close(relay->output);
		relay->output = -1;
	}
}

void relay_run(struct relay *relay)
{
	for (;;) {
		bool is_pending = sender_is_pending(relay->sender);

		if (sigchld_take())
			reap(relay);
		if (relay->has_ended)
			return;
		if (sigchld_wait(relay->output, is_pending ? REMIND_MS : SIGCHLD_FOREVER))
			forward(relay);
		else if (is_pending)
			sender_remind(relay->sender);
	}
}

static void end_others(struct relay *relay)
{
	sys_call3(__NR_kill, -1, SIGKILL, 0);
	for (unsigned quiet = 0; quiet < QUIET_ROUNDS;) {
		if (!sigchld_take())
			quiet++;
		reap(relay);
		if (!relay->has_children)
			return;
		sigchld_wait(-1, QUIET_MS);
	}
}

static bool has_output(const struct relay *relay)
{
	struct pollfd poll = {.fd = relay->output, .events = POLLIN};
	const struct __kernel_timespec at_once = {.tv_sec = 0};
	long n = relay->output < 0 ? 0 : sys_call6(__NR_ppoll, (long)&poll, 1, (long)&at_once, 0, 0, 0);

	return n > 0 && (poll.revents & POLLIN);
}

void relay_finish(struct relay *relay)
{
	if (relay->has_children)
		end_others(relay);
	while (has_output(relay))
		forward(relay);
}
