/* SPDX-License-Identifier: Apache-2.0 */
/* An archive goes in as the channel puts it, a folder with files comes out. */
#include "support/fake_root.h"
#include "support/out_archive.h"
#include "support/ring_pipe.h"

#include <sys/wait.h>

#include "out_receiver.h"

#define LIMIT (64u << 20)

struct fixture {
	struct fake_root root;
	char dir[64]; /* below the root; not made */
	struct ring_pipe rp;
	struct out_receiver receiver;
	struct out_archive archive;
	struct error err;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;
	void *root;

	f->archive.len = 0;
	memset(&f->receiver, 0, sizeof(f->receiver));
	*state = f;
	if (fake_root_setup(&root))
		return -1;
	f->root = *(struct fake_root *)root;
	snprintf(f->dir, sizeof(f->dir), "%.48s/out", f->root.path);
	return ring_pipe_init(&f->rp, false);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	void *root = &f->root;

	if (f->receiver.stream.bytes) {
		out_stream_close(&f->receiver.stream);
		while (f->receiver.stream.op.in_flight)
			ring_pipe_step(&f->rp);
	}
	out_receiver_fini(&f->receiver);
	ring_pipe_fini(&f->rp);
	return fake_root_teardown(&root);
}

static int init(struct fixture *f, const char *dir, uint64_t limit)
{
	return out_receiver_init(&f->receiver, dir, limit, f->rp.ring, f->rp.wake_fd, &f->err);
}

static void start(struct fixture *f, uint64_t limit)
{
	if (init(f, f->dir, limit))
		fail_msg("%s", f->err.text);
	assert_int_equal(out_receiver_start(&f->receiver), 0);
}

/* What the I/O thread does when it was woken. */
static void step(struct fixture *f)
{
	out_stream_pump(&f->receiver.stream);
	ring_pipe_step(&f->rp);
}

/* Puts all of it, in pieces of @piece bytes, as a channel does: what is refused is offered again. */
static void put(struct fixture *f, const uint8_t *data, size_t len, size_t piece)
{
	while (len) {
		size_t taken = out_receiver_put(&f->receiver, data, len < piece ? len : piece);

		data += taken;
		len -= taken;
		if (!taken)
			step(f);
	}
}

/* What the machine's end does. */
static void finish(struct fixture *f)
{
	while (!out_receiver_is_idle(&f->receiver))
		step(f);
	out_receiver_finish(&f->receiver);
}

static void assert_file(const struct fixture *f, const char *name, const char *wanted)
{
	char path[128], text[64] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	close(fd);
	assert_string_equal(text, wanted);
}

static void files_arrive_in_a_folder_that_is_made(void **state)
{
	struct fixture *f = *state;

	out_archive_add(&f->archive, S_IFDIR | 0755, "logs", NULL, 0);
	out_archive_add(&f->archive, S_IFREG | 0644, "logs/make", "all well\n", 9);
	out_archive_add(&f->archive, S_IFREG | 0644, "empty", NULL, 0);
	out_archive_end(&f->archive);
	start(f, LIMIT);
	assert_false(f->receiver.received);
	put(f, f->archive.bytes, f->archive.len, 7);
	assert_true(f->receiver.received);
	finish(f);
	assert_int_equal(f->receiver.code, 0);
	assert_int_equal(f->receiver.result.files, 2);
	assert_int_equal(f->receiver.result.bytes, 9);
	assert_file(f, "logs/make", "all well\n");
	assert_file(f, "empty", "");
}

static void an_existing_folder_keeps_what_is_in_it(void **state)
{
	struct fixture *f = *state;

	fake_root_write(&f->root, "/out/old", "as it was");
	out_archive_add(&f->archive, S_IFREG | 0644, "new", "n", 1);
	out_archive_end(&f->archive);
	start(f, LIMIT);
	put(f, f->archive.bytes, f->archive.len, SIZE_MAX);
	finish(f);
	assert_int_equal(f->receiver.code, 0);
	assert_file(f, "old", "as it was");
	assert_file(f, "new", "n");
}

/* Many times what queue and pipe hold together. */
static void more_than_fits_into_queue_and_pipe_arrives_in_order(void **state)
{
	struct fixture *f = *state;
	const size_t size = 1500000;
	uint8_t *data = malloc(size), *stored = malloc(size);
	char path[128];
	int fd;

	assert_true(data && stored);
	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)(i * 7 ^ i >> 11);
	out_archive_add(&f->archive, S_IFREG | 0600, "large", data, size);
	out_archive_end(&f->archive);
	start(f, LIMIT);
	put(f, f->archive.bytes, f->archive.len, 32768);
	finish(f);
	assert_int_equal(f->receiver.code, 0);
	assert_int_equal(f->receiver.result.bytes, size);
	snprintf(path, sizeof(path), "%s/large", f->dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(read_exact_at(fd, stored, size, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), size);
	close(fd);
	assert_memory_equal(stored, data, size);
	free(data);
	free(stored);
}

/* The I/O thread waits nowhere but in its loop; the other one has nothing else to do. */
static void only_the_reader_of_the_pipe_blocks(void **state)
{
	struct fixture *f = *state;

	start(f, LIMIT);
	assert_true(fcntl(f->receiver.pipe_fds[1], F_GETFL) & O_NONBLOCK);
	assert_false(fcntl(f->receiver.request.stream_fd, F_GETFL) & O_NONBLOCK);
}

struct sender {
	struct fixture *f;
	pthread_mutex_t dev_lock;
	bool done;
};

/* A vCPU: puts under the lock, and offers again what was refused. */
static void *send_archive(void *opaque)
{
	struct sender *sender = opaque;
	struct fixture *f = sender->f;

	for (size_t sent = 0; sent < f->archive.len;) {
		size_t len = f->archive.len - sent < 5000 ? f->archive.len - sent : 5000;

		pthread_mutex_lock(&sender->dev_lock);
		sent += out_receiver_put(&f->receiver, f->archive.bytes + sent, len);
		sender->done = sent == f->archive.len;
		pthread_mutex_unlock(&sender->dev_lock);
	}
	return NULL;
}

static void another_thread_may_put_while_this_one_writes(void **state)
{
	struct fixture *f = *state;
	struct sender sender = {.f = f, .dev_lock = PTHREAD_MUTEX_INITIALIZER};
	static uint8_t data[3 * OUT_STREAM_SIZE];
	pthread_t thread;
	bool done = false;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i >> 3 | 1);
	for (char name[] = "a"; name[0] <= 'e'; name[0]++)
		out_archive_add(&f->archive, S_IFREG | 0600, name, data, sizeof(data));
	out_archive_end(&f->archive);
	start(f, LIMIT);
	assert_int_equal(pthread_create(&thread, NULL, send_archive, &sender), 0);
	while (!done) {
		step(f);
		pthread_mutex_lock(&sender.dev_lock);
		done = sender.done;
		pthread_mutex_unlock(&sender.dev_lock);
	}
	pthread_join(thread, NULL);
	finish(f);
	assert_int_equal(f->receiver.code, 0);
	assert_int_equal(f->receiver.result.files, 5);
	assert_int_equal(f->receiver.result.bytes, 5 * sizeof(data));
}

/* The guest is not held up by a folder that takes no more, and the user hears why. */
static void beyond_the_limit_the_rest_is_taken_and_lost(void **state)
{
	struct fixture *f = *state;
	static uint8_t data[1 << 20];

	for (unsigned i = 0; i < 8; i++)
		data[i << 17] = 1;
	out_archive_add(&f->archive, S_IFREG | 0600, "large", data, sizeof(data));
	out_archive_end(&f->archive);
	start(f, 100000);
	put(f, f->archive.bytes, f->archive.len, 32768);
	put(f, f->archive.bytes, f->archive.len, 32768);
	finish(f);
	assert_true(f->receiver.code < 0);
	assert_non_null(strstr(f->receiver.err.text, "--out-limit"));
	assert_int_equal(f->receiver.result.files, 0);
}

/* A guest that ended in the middle: what was complete stays. */
static void a_stream_that_breaks_off_is_an_error(void **state)
{
	struct fixture *f = *state;

	out_archive_add(&f->archive, S_IFREG | 0644, "whole", "w", 1);
	out_archive_add(&f->archive, S_IFREG | 0644, "half", "0123456789", 10);
	start(f, LIMIT);
	put(f, f->archive.bytes, f->archive.len - 8, SIZE_MAX);
	finish(f);
	assert_true(f->receiver.code < 0);
	assert_int_not_equal(f->receiver.err.text[0], 0);
	assert_file(f, "whole", "w");
}

static void a_guest_that_sent_nothing_is_an_error_without_bytes(void **state)
{
	struct fixture *f = *state;

	start(f, LIMIT);
	finish(f);
	assert_true(f->receiver.code < 0);
	assert_false(f->receiver.received);
	assert_int_equal(f->receiver.result.files, 0);
}

static void what_is_no_archive_is_an_error_and_does_not_stall(void **state)
{
	struct fixture *f = *state;
	static uint8_t noise[1 << 20];

	memset(noise, 'x', sizeof(noise));
	start(f, LIMIT);
	put(f, noise, sizeof(noise), 32768);
	finish(f);
	assert_true(f->receiver.code < 0);
}

static void without_a_folder_everything_is_taken_and_forgotten(void **state)
{
	struct fixture *f = *state;
	static uint8_t noise[4 * OUT_STREAM_SIZE];

	assert_int_equal(init(f, NULL, LIMIT), 0);
	assert_int_equal(out_receiver_start(&f->receiver), 0);
	assert_false(f->receiver.running);
	assert_int_equal(out_receiver_put(&f->receiver, noise, sizeof(noise)), sizeof(noise));
	assert_true(out_receiver_is_idle(&f->receiver));
	finish(f);
	assert_int_equal(f->receiver.code, 0);
}

/* So large a stack that no thread can be made. */
static int start_without_memory(struct out_receiver *receiver)
{
	pthread_attr_t usual, huge;
	int ret;

	assert_int_equal(pthread_getattr_default_np(&usual), 0);
	assert_int_equal(pthread_getattr_default_np(&huge), 0);
	assert_int_equal(pthread_attr_setstacksize(&huge, (size_t)1 << 46), 0);
	assert_int_equal(pthread_setattr_default_np(&huge), 0);
	ret = out_receiver_start(receiver);
	assert_int_equal(pthread_setattr_default_np(&usual), 0);
	pthread_attr_destroy(&usual);
	pthread_attr_destroy(&huge);
	return ret;
}

static void without_a_thread_everything_is_taken_and_lost(void **state)
{
	struct fixture *f = *state;
	static uint8_t noise[4 * OUT_STREAM_SIZE];

	assert_int_equal(init(f, f->dir, LIMIT), 0);
	assert_int_equal(start_without_memory(&f->receiver), -EAGAIN);
	assert_int_equal(f->receiver.pipe_fds[0], -1);
	put(f, noise, sizeof(noise), 32768);
	finish(f);
	assert_int_equal(f->receiver.code, -EAGAIN);
}

static void a_folder_that_cannot_be_used_is_refused_at_once(void **state)
{
	struct fixture *f = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/missing/out", f->root.path);
	assert_int_equal(init(f, path, LIMIT), -ENOENT);
	assert_non_null(strstr(f->err.text, "cannot make the folder: No such file or directory"));
	assert_non_null(strstr(f->err.text, path));
	out_receiver_fini(&f->receiver);
	fake_root_write(&f->root, "/file", "");
	snprintf(path, sizeof(path), "%s/file", f->root.path);
	assert_int_equal(init(f, path, LIMIT), -ENOTDIR);
	assert_non_null(strstr(f->err.text, "is not a folder"));
	out_receiver_fini(&f->receiver);
	snprintf(path, sizeof(path), "%s/file/out", f->root.path);
	assert_int_equal(init(f, path, LIMIT), -ENOTDIR);
	out_receiver_fini(&f->receiver);
}

/* Root may write anywhere: somebody else asks. */
static int init_as_nobody(struct fixture *f)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (geteuid() == 0 && setresuid(65534, 65534, 65534))
			_exit(1);
		_exit(init(f, f->dir, LIMIT) == -EACCES && strstr(f->err.text, "cannot write there") ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void a_folder_that_may_not_be_written_is_refused_at_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(chmod(f->root.path, 0755), 0);
	assert_int_equal(mkdir(f->dir, 0555), 0);
	assert_int_equal(init_as_nobody(f), 0);
}

static unsigned count_fds(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void no_descriptor_stays_open(void **state)
{
	struct fixture *f = *state;
	unsigned before = count_fds();

	out_archive_end(&f->archive);
	start(f, LIMIT);
	put(f, f->archive.bytes, f->archive.len, SIZE_MAX);
	finish(f);
	out_receiver_fini(&f->receiver);
	assert_int_equal(count_fds(), before);
	start(f, LIMIT); /* ends without a finish */
	out_receiver_fini(&f->receiver);
	assert_int_equal(count_fds(), before);
	assert_int_equal(init(f, f->dir, LIMIT), 0); /* was never started */
	out_receiver_fini(&f->receiver);
	out_receiver_fini(&f->receiver);
	assert_int_equal(count_fds(), before);
}

#define WITH_RECEIVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_RECEIVER(files_arrive_in_a_folder_that_is_made),
		WITH_RECEIVER(an_existing_folder_keeps_what_is_in_it),
		WITH_RECEIVER(more_than_fits_into_queue_and_pipe_arrives_in_order),
		WITH_RECEIVER(only_the_reader_of_the_pipe_blocks),
		WITH_RECEIVER(another_thread_may_put_while_this_one_writes),
		WITH_RECEIVER(beyond_the_limit_the_rest_is_taken_and_lost),
		WITH_RECEIVER(a_stream_that_breaks_off_is_an_error),
		WITH_RECEIVER(a_guest_that_sent_nothing_is_an_error_without_bytes),
		WITH_RECEIVER(what_is_no_archive_is_an_error_and_does_not_stall),
		WITH_RECEIVER(without_a_folder_everything_is_taken_and_forgotten),
		WITH_RECEIVER(without_a_thread_everything_is_taken_and_lost),
		WITH_RECEIVER(a_folder_that_cannot_be_used_is_refused_at_once),
		WITH_RECEIVER(a_folder_that_may_not_be_written_is_refused_at_once),
		WITH_RECEIVER(no_descriptor_stays_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
