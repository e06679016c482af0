/* SPDX-License-Identifier: Apache-2.0 */
/* vmm-exit [STATUS]: ends the machine at once; the VMM exits with STATUS (0 to 255, default 0). Also serves as a whole
 * /init. */
#include "tiny.h"

int tiny_main(int argc, char **argv, char **envp)
{
	(void)envp;
	tiny_exit_machine((uint32_t)tiny_parse(argc > 1 ? argv[1] : NULL, 0));
	return 125;
}
