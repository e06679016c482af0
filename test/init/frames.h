/* SPDX-License-Identifier: Apache-2.0 */
/* What the guest's init sent (command_proto.h), taken apart; any byte that is not part of a good frame fails the test.
 */
#ifndef VMM_TEST_FRAMES_H
#define VMM_TEST_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ci/command_proto.h"

#define FRAMES_MAX_OUTPUT (4u << 20)
#define FRAMES_MAX_NOTES  16384

struct frames {
	char order[4096]; /* one letter a frame, by type from A; a run of equal ones is one letter */
	unsigned count;
	struct command_hello hello;
	struct command_exit exit;
	struct command_done done;
	uint8_t *output, *out; /* with a NUL behind them */
	size_t output_len, out_len;
	char notes[FRAMES_MAX_NOTES]; /* each with a newline */
	size_t notes_len;
};

void frames_init(struct frames *frames);
void frames_fini(struct frames *frames);

/* Takes whole frames; returns how many bytes of @stream they take. */
size_t frames_take(struct frames *frames, const uint8_t token[COMMAND_TOKEN_SIZE], const uint8_t *stream, size_t len);

#endif
