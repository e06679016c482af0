/* SPDX-License-Identifier: Apache-2.0 */
/* Why a file that is there was not executed: errno alone says "not found" of a script whose interpreter is missing. */
#ifndef VMM_INIT_EXPLAIN_H
#define VMM_INIT_EXPLAIN_H

#include "sender.h"

/* Sends a note about @path, which execve refused with @error; none when there is nothing to add. */
void explain_refusal(struct sender *sender, const char *path, int error);

#endif
