/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --events: one JSON object a line, for programs that watch a run. Every line has "event" and "t", the seconds since
 * vmm started. I/O thread. A reader that stalls loses whole lines, which the exit event counts.
 */
#ifndef VMM_EVENTS_H
#define VMM_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "out_stream.h"

struct events {
	bool enabled;
	bool owns_fd;
	int fd;
	uint64_t start_ns;
	uint64_t dropped;
	struct out_stream out;
};

/* Is @target a path, or an fd:N that is open now? Asked before vmm opens anything, whose descriptor it could be later.
 * 0, or -EBADF with a line in @err. */
MUST_CHECK int events_check_target(const char *target, struct error *err);

/* @target: a path (created, truncated), "fd:N", or NULL for none. 0, or -errno with a line in @err. */
MUST_CHECK int events_init(struct events *events, const char *target, uint64_t start_ns, struct uring *ring,
			   int wake_fd, struct error *err);
void events_fini(struct events *events);

/* One event: open with its name and time, add members with json_put_*, close. events_end sends it. */
struct event {
	struct json json;
	char line[4096];
};

void event_begin(struct event *event, const struct events *events, const char *name, uint64_t at_ns);
void event_end(struct event *event, struct events *events);

#endif
