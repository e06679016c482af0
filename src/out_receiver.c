/* SPDX-License-Identifier: Apache-2.0 */
#include "out_receiver.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* Told before the guest starts, not after an hour of its work. */
static int prepare_folder(const char *dir, struct error *err)
{
	struct stat st;

	if (mkdir(dir, 0777) && errno != EEXIST)
		return error_set(err, -errno, "--out %s: cannot make the folder: %s; make it, or give another", dir,
				 strerror(errno));
	if (stat(dir, &st) || !S_ISDIR(st.st_mode))
		return error_set(err, -ENOTDIR, "--out %s: is not a folder; give one", dir);
	if (access(dir, W_OK | X_OK))
		return error_set(err, -errno, "--out %s: cannot write there: %s; give another folder", dir,
				 strerror(errno));
	return 0;
}

int out_receiver_init(struct out_receiver *receiver, const char *dir, uint64_t limit, struct uring *ring, int wake_fd,
		      struct error *err)
{
	int ret;

	*receiver = (struct out_receiver){
		.pipe_fds = {-1, -1}, .wake_fd = wake_fd, .request = {.dir = dir, .limit = limit}};
	if (dir) {
		ret = prepare_folder(dir, err);
		if (ret)
			return ret;
		/* Only our end must not block. */
		if (pipe2(receiver->pipe_fds, O_CLOEXEC) || fcntl(receiver->pipe_fds[1], F_SETFL, O_NONBLOCK))
			return error_set(err, -errno, "--out: cannot make a pipe: %s", strerror(errno));
		receiver->request.stream_fd = receiver->pipe_fds[0];
	}
	ret = out_stream_init(&receiver->stream, ring, receiver->pipe_fds[1], wake_fd);
	return ret ? error_set(err, ret, "--out: %s", strerror(-ret)) : 0;
}

static void *extract(void *opaque)
{
	struct out_receiver *receiver = opaque;

	receiver->code = out_extract(&receiver->request, &receiver->result, &receiver->err);
	/* Without a reader the stream discards the rest, and the guest does not wait. */
	close_fd(&receiver->pipe_fds[0]);
	atomic_store(&receiver->failed, receiver->code != 0);
	wake_eventfd(receiver->wake_fd);
	return NULL;
}

int out_receiver_start(struct out_receiver *receiver)
{
	int ret;

	if (!receiver->request.dir)
		return 0;
	ret = pthread_create(&receiver->thread, NULL, extract, receiver);
	receiver->running = ret == 0;
	if (ret) {
		receiver->code = -ret;
		close_fd(&receiver->pipe_fds[0]); /* nobody waits for a reader that never comes */
	}
	return -ret;
}

size_t out_receiver_put(struct out_receiver *receiver, const uint8_t *data, size_t len)
{
	receiver->received = true;
	return out_stream_put(&receiver->stream, data, len);
}

bool out_receiver_is_idle(struct out_receiver *receiver)
{
	return out_stream_is_idle(&receiver->stream);
}

void out_receiver_finish(struct out_receiver *receiver)
{
	ASSERT(!receiver->stream.op.in_flight);
	close_fd(&receiver->pipe_fds[1]);
	if (receiver->running)
		pthread_join(receiver->thread, NULL);
	receiver->running = false;
}

void out_receiver_fini(struct out_receiver *receiver)
{
	if (!receiver->stream.bytes)
		return;
	out_receiver_finish(receiver);
	close_fd(&receiver->pipe_fds[0]);
	out_stream_fini(&receiver->stream);
}
