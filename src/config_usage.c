/* SPDX-License-Identifier: Apache-2.0 */
/* The text of `vmm run --help`. */
#include "config.h"

const char *config_usage(void)
{
	return "Usage: vmm run [-k] KERNEL [options] [-- COMMAND ARGUMENTS...]\n"
	       "\n"
	       "Boots KERNEL (bzImage, vmlinux, an ELF with a PVH note or a Multiboot ELF) and ends with its status.\n"
	       "With a COMMAND, runs that in the guest and ends with the command's status.\n"
	       "\n"
	       "  -k, --kernel FILE     the kernel, when it is not given as the first word\n"
	       "  -m, --mem SIZE        memory, 2M and up: 512M, 4G (default 256M)\n"
	       "  -c, --cpus N          virtual CPUs, 1 to 64 (default 1)\n"
	       "  -i, --initrd FILE     initial ramdisk; may be given several times, they are concatenated\n"
	       "      --initrd-dir DIR  a folder packed as initial ramdisk; may be given several times\n"
	       "  -a, --append STR      adds to the kernel's command line; may be given several times\n"
	       "      --cmdline STR     replaces its beginning, \"" CONFIG_DEFAULT_CMDLINE
	       "\"\n"
	       "      --boot PROTOCOL   auto, linux, pvh or multiboot (default auto)\n"
	       "      --timeout DUR     ends the guest after 90s, 5m, 1h with exit status 124\n"
	       "      --console WHERE   stdio, file=PATH or null (default stdio; Ctrl-A x quits, Ctrl-A c shows the "
	       "state)\n"
	       "      --console-time    each line of the console begins with its time\n"
	       "      --fail-on WHAT    exit status 1 when the kernel complains: oops or warn (default nothing)\n"
	       "      --events TO       JSON lines to a file or to fd:N\n"
	       "      --assist MODE     complete instructions for KVM: auto, on, off (default auto)\n"
	       "      --dump-fdt FILE   writes the machine's device tree and ends; - is stdout\n"
	       "      --dry-run         prints the machine and ends\n"
	       "      --stats           prints exits and completed instructions at the end\n"
	       "      --env NAME=VALUE  the command's environment; may be given several times\n"
	       "      --chdir DIR       the command's working directory in the guest (default /)\n"
	       "      --tty MODE        the command's terminal: auto, on, off (default auto: when vmm has one)\n"
	       "      --out DIR         brings what the command leaves in /out to DIR\n"
	       "      --out-limit SIZE  and no more than that (default 1G)\n"
	       "  -q, --quiet           no notes, only errors and the last line\n"
	       "  -h, --help            this text\n"
	       "\n"
	       "Exit status: 0-123 the guest's or the command's; 124 timeout; 125 vmm failed; 126 command not "
	       "executable;\n"
	       "127 command not found; 128+n vmm or the command ended by signal n; 254 reset or triple fault; 255 "
	       "kernel\n"
	       "panic, or no status of the command. `man vmm` has the details.\n";
}
