/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

int cmd_doctor(int argc, char *argv[], uint64_t start_ns)
{
	(void)argc;
	(void)argv;
	(void)start_ns;
	return 0;
}
