/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands. Each takes its own words (argv[0] is its name) and returns the process's exit status. Main thread.
 */
#ifndef VMM_COMMANDS_H
#define VMM_COMMANDS_H

#include <stdint.h>

/* @start_ns: when the process started, CLOCK_MONOTONIC. */
int cmd_run(int argc, char *argv[], uint64_t start_ns);
int cmd_matrix(int argc, char *argv[], uint64_t start_ns);
int cmd_doctor(int argc, char *argv[], uint64_t start_ns);

#endif
