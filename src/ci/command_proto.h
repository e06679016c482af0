/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract between vmm and its init in the guest (guest-drivers/init), which runs a command there and tells how it
 * ended. Included by both sides, freestanding. x86-64 only: numbers are little-endian and naturally aligned.
 *
 * vmm leaves COMMAND_FILE beside the init in the initramfs. The init answers with frames, through the window (memory
 * that both see, and a doorbell port) or, where the kernel gives it neither, through COM2.
 */
#ifndef VMM_CI_COMMAND_PROTO_H
#define VMM_CI_COMMAND_PROTO_H

#include <stdint.h>

/* Raised with every change that an older side would misread. */
#define COMMAND_PROTO_VERSION 1

#define COMMAND_FOLDER ".vmm"
#define COMMAND_INIT   "/.vmm/init"
#define COMMAND_FILE   "/.vmm/command" /* removed by the init before the command starts: it holds the token */
#define COMMAND_OUT    "/out"

#define COMMAND_MAGIC 0x444d434d4d56ULL /* "VMMCMD" */

/* The command's standard streams are the console's terminal, which is its controlling one. Without it, its output goes
 * through the channel as it is, and only its input comes from the console. */
#define COMMAND_FLAG_TTY 1u
/* Standard input is /dev/null. */
#define COMMAND_FLAG_NO_INPUT 2u
/* COMMAND_OUT is made, and sent at the end. */
#define COMMAND_FLAG_OUT 4u

#define COMMAND_TOKEN_SIZE 16

/* COMMAND_FILE: this, then nr_arguments + nr_variables + 1 NUL-terminated strings: the arguments, the environment as
 * NAME=value, the working directory (may be empty: /). */
struct command_file {
	uint64_t magic;
	uint32_t version;
	uint32_t size; /* of the whole file */
	uint8_t token[COMMAND_TOKEN_SIZE];
	uint32_t flags;
	uint32_t nr_arguments; /* at least 1 */
	uint32_t nr_variables;
	uint16_t rows, columns;	 /* of the terminal; 0: unknown */
	uint64_t window_address; /* guest-physical, page-aligned; 0: there is no window */
	uint32_t window_size;	 /* bytes of the ring behind the control page, a power of two */
	uint16_t doorbell_port;	 /* a write of any byte */
	uint16_t reserved;
};

#define COMMAND_FILE_MAX_SIZE (1u << 20)

/* The window: one page with this at its beginning, then the ring. Both counters run freely modulo 2^32; byte n lies at
 * n % window_size. The guest writes bytes, then head, then rings the doorbell; the host takes what it can and writes
 * tail. While head != tail the guest rings again: there is no interrupt. */
struct command_window {
	uint32_t head; /* written by the guest */
	uint8_t unshared[60];
	uint32_t tail; /* written by the host */
};

#define COMMAND_WINDOW_PAGE 4096u

enum command_frame_type {
	COMMAND_FRAME_HELLO = 1,   /* struct command_hello: the init runs */
	COMMAND_FRAME_STARTED = 2, /* empty: the command was executed */
	COMMAND_FRAME_OUTPUT = 3,  /* what the command wrote, standard output and error in one stream */
	COMMAND_FRAME_NOTE = 4,	   /* text for the user: what the kernel refused, and the option it lacks */
	COMMAND_FRAME_EXIT = 5,	   /* struct command_exit: once, after the command's last output */
	COMMAND_FRAME_OUT = 6,	   /* a piece of COMMAND_OUT's content, a newc cpio stream that ends with a trailer */
	COMMAND_FRAME_DONE = 7,	   /* struct command_done: all is sent, the init powers off now */
};

#define COMMAND_FRAME_MAX_PAYLOAD 32768u

/* Before each payload. A frame whose token or CRC is wrong is not a frame: the reader looks for the next one, so that
 * whatever else reaches COM2 can neither forge nor, for long, disturb. */
struct command_frame {
	uint8_t token[COMMAND_TOKEN_SIZE];
	uint32_t sequence; /* 0, 1, 2 ...: what is lost is noticed */
	uint32_t type;
	uint32_t length; /* of the payload */
	uint32_t crc;	 /* CRC-32 (IEEE 802.3, as zlib's) of sequence, type, length and the payload */
};

enum command_transport { COMMAND_BY_WINDOW = 1, COMMAND_BY_SERIAL = 2 };

struct command_hello {
	uint32_t version;
	uint32_t transport;
};

enum command_end {
	COMMAND_EXITED = 1,	 /* value: the status, 0-255 */
	COMMAND_KILLED = 2,	 /* value: the signal */
	COMMAND_NOT_STARTED = 3, /* value: the errno of execve, or of chdir (see step) */
	COMMAND_INIT_FAILED = 4, /* value: an errno; the init could not do its work */
};

/* What COMMAND_NOT_STARTED and COMMAND_INIT_FAILED failed at. */
enum command_step { COMMAND_STEP_NONE, COMMAND_STEP_EXEC, COMMAND_STEP_CHDIR, COMMAND_STEP_FORK, COMMAND_STEP_FILE };

struct command_exit {
	uint32_t end;
	uint32_t value;
	uint32_t step;
};

struct command_done {
	uint32_t lost; /* files and folders of COMMAND_OUT that are not sent, or not whole */
};

_Static_assert(sizeof(struct command_file) == 64, "the layout is an ABI");
_Static_assert(sizeof(struct command_window) == 68, "head and tail are on cache lines of their own");
_Static_assert(sizeof(struct command_frame) == 32, "the layout is an ABI");
_Static_assert(sizeof(struct command_hello) == 8, "the layout is an ABI");
_Static_assert(sizeof(struct command_exit) == 12, "the layout is an ABI");
_Static_assert(sizeof(struct command_done) == 4, "the layout is an ABI");

#endif
