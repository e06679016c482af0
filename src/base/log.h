/* SPDX-License-Identifier: Apache-2.0 */
/* One-line messages on stderr, prefixed "vmm: ". Any thread. Never carries guest memory contents. A line that stderr
 * does not take within a second is dropped. */
#ifndef VMM_BASE_LOG_H
#define VMM_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum log_level { LOG_ERR, LOG_WARN, LOG_NOTE, LOG_DEBUG };

/* The least urgent level still printed; LOG_NOTE at start. Call before any thread is created. */
void log_set_level(enum log_level level);

void log_print(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_err(...)   log_print(LOG_ERR, __VA_ARGS__)
#define log_warn(...)  log_print(LOG_WARN, __VA_ARGS__)
#define log_note(...)  log_print(LOG_NOTE, __VA_ARGS__)
#define log_debug(...) log_print(LOG_DEBUG, __VA_ARGS__)

/* A token bucket for messages that a guest can provoke: a burst, then one a second; the rest is counted. */
struct log_limit {
	uint64_t refill_ns;
	unsigned tokens;
	uint64_t suppressed;
	bool started;
};

#define LOG_LIMIT_BURST 5

/* Prints at LOG_WARN unless @limit is exhausted. One thread per @limit, or the caller's lock. */
void log_guest(struct log_limit *limit, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
