/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/parse.h"

#define MAX_FD 1048576

static const char fd_prefix[] = "fd:";

static bool names_descriptor(const char *target)
{
	return strncmp(target, fd_prefix, strlen(fd_prefix)) == 0;
}

int events_check_target(const char *target, struct error *err)
{
	uint64_t fd;

	if (!names_descriptor(target))
		return 0;
	if (parse_u64(target + strlen(fd_prefix), MAX_FD, &fd) || fcntl((int)fd, F_GETFD) < 0)
		return error_set(err, -EBADF, "--events %s: is not an open file descriptor; open it in the caller",
				 target);
	return 0;
}

static int open_target(struct events *events, const char *target, struct error *err)
{
	uint64_t fd;

	if (names_descriptor(target) && parse_u64(target + strlen(fd_prefix), MAX_FD, &fd) == 0) {
		events->fd = (int)fd;
		return 0;
	}
	events->fd = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0666);
	if (events->fd < 0 && errno == ENXIO)
		return error_set(err, -ENXIO, "--events %s: is a FIFO that nobody reads; start its reader first",
				 target);
	if (events->fd < 0)
		return error_set(err, -errno, "--events %s: cannot open: %s; give a writable path or fd:N", target,
				 strerror(errno));
	events->owns_fd = true;
	return 0;
}

int events_init(struct events *events, const char *target, uint64_t start_ns, struct uring *ring, int wake_fd,
		struct error *err)
{
	int ret;

	*events = (struct events){.fd = -1, .start_ns = start_ns, .enabled = target != NULL};
	if (target) {
		ret = open_target(events, target, err);
		if (ret)
			return ret;
	}
	ret = out_stream_init(&events->out, ring, events->fd, wake_fd);
	if (ret)
		return error_set(err, ret, "--events: %s", strerror(-ret));
	return 0;
}

void events_fini(struct events *events)
{
	if (events->out.bytes)
		out_stream_fini(&events->out);
	if (events->owns_fd)
		close_fd(&events->fd);
}

void event_begin(struct event *event, const struct events *events, const char *name, uint64_t at_ns)
{
	json_init(&event->json, event->line, sizeof(event->line));
	json_open_object(&event->json, NULL);
	json_put_string(&event->json, "event", name);
	json_put_fixed(&event->json, "t", (double)(at_ns - events->start_ns) / 1e9, 6);
}

void event_end(struct event *event, struct events *events)
{
	size_t len;

	json_close(&event->json);
	if (!events->enabled)
		return;
	if (json_finish(&event->json, &len) || !out_stream_put_whole(&events->out, event->line, len))
		events->dropped++;
}
