/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the vmm program as a user would and keeps what came out. Everything that is started ends with the call, also
 * when a test fails or is killed. The program is $VMM_BINARY, else the one of this build.
 */
#ifndef VMM_TEST_SUPPORT_RUN_VMM_H
#define VMM_TEST_SUPPORT_RUN_VMM_H

#include <stdbool.h>
#include <stddef.h>

#define RUN_MAX_WORDS	  40
#define RUN_MAX_AT_ONCE	  4
#define RUN_EVENTS_FD	  9 /* give "fd:9" to --events with request.events */
#define RUN_DEFAULT_LIMIT 90

/* A test program's exit status when the machine lacks what it needs. */
#define RUN_SKIP 77

enum run_input {
	RUN_INPUT_NULL,	    /* /dev/null */
	RUN_INPUT_PIPE,	    /* request.data, then end of file */
	RUN_INPUT_HELD,	    /* request.data, then the pipe stays open and silent */
	RUN_INPUT_FILE,	    /* a file with request.data */
	RUN_INPUT_CLOSED,   /* no descriptor 0 */
	RUN_INPUT_TERMINAL, /* input and output are a terminal of its own */
};

enum run_output {
	RUN_OUTPUT_PIPE,
	RUN_OUTPUT_STALLED, /* a pipe that nobody reads until a step says so */
	RUN_OUTPUT_BROKEN,  /* a pipe whose reader is gone */
	RUN_OUTPUT_CLOSED,  /* no descriptor 1 */
};

/* What to do once @after was seen on stdout, stderr or among the events (NULL: at once). Steps run in order. */
struct run_step {
	const char *after;
	bool when_stuck;  /* not before a stalled output's pipe has taken nothing for a while */
	int signal;	  /* 0: none */
	const char *keys; /* written to the input */
	bool read_output; /* ends RUN_OUTPUT_STALLED */
};

#define RUN_MAX_STEPS 8

struct run_request {
	const char *words[RUN_MAX_WORDS]; /* behind the program's name, up to the first NULL */
	enum run_input input;
	const char *data;
	enum run_output output;
	struct run_step steps[RUN_MAX_STEPS]; /* up to the first without an action */
	bool events;			      /* a pipe at descriptor RUN_EVENTS_FD */
	unsigned creates;		      /* files that the run leaves in the scratch folder */
	unsigned limit_s;		      /* 0: RUN_DEFAULT_LIMIT */
	int (*before_exec)(void);	      /* in the child, root's rights still there; 0, or an errno */
};

struct run_text {
	char *bytes; /* NUL-terminated */
	size_t len;
};

struct run_result {
	int status;	/* exit status, or 128 + the signal that killed it */
	bool killed;	/* by a signal */
	int not_begun;	/* before_exec's errno: the program was not run */
	double seconds; /* from start to end */
	struct run_text out, err, events;
	unsigned err_lines;
	char last_line[1024];	/* of stderr */
	bool terminal_was_raw;	/* while it ran */
	bool terminal_restored; /* attributes before and after are the same */
};

/* Runs @count of them at the same time. Fails the test when one does not end within its limit, leaves a process behind,
 * or leaves other files than it announced. Free each result with run_free. */
void run_all(const struct run_request *requests, struct run_result *results, unsigned count);
void run_one(const struct run_request *request, struct run_result *result);
/* Only words, input from /dev/null. */
void run_words(struct run_result *result, ...) __attribute__((sentinel));
void run_free(struct run_result *result);

/* Fails with all that the run printed unless it ended with @status. */
#define run_expect_status(result, status) run_check_status(result, status, __FILE__, __LINE__)
void run_check_status(const struct run_result *result, int status, const char *file, int line);
/* The same, and stderr's last line matches the shell pattern @pattern. */
#define run_expect(result, status, pattern) run_check(result, status, pattern, __FILE__, __LINE__)
void run_check(const struct run_result *result, int status, const char *pattern, const char *file, int line);

/* The scratch folder of the test under way: the run's working directory and TMPDIR. cmocka set-up and tear-down. */
int run_make_scratch(void **state);
int run_remove_scratch(void **state);
const char *run_scratch(void);
/* A path in it, valid until the next call but three. */
const char *run_path(const char *name);
void run_write_file(const char *name, const void *bytes, size_t len);
/* Its contents, NUL-terminated; the caller frees them. */
char *run_read_file(const char *name, size_t *len);

/* The path of a bare guest's image: "guest-pvh", "minimal", ... */
const char *run_guest(const char *name);

/* 0, or the status to leave main() with: RUN_SKIP without a usable /dev/kvm, 1 when VMM_REQUIRE_KVM=1 forbids that. */
int run_require_kvm(const char *program);

/* Does the processor offer hardware virtualization, so that KVM needs no emulator? */
bool run_has_hardware_virtualization(void);

#endif
