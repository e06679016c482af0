/* SPDX-License-Identifier: Apache-2.0 */
/* System calls without libc. All return what the kernel returns: -errno when they fail. */
#ifndef VMM_INIT_SYS_H
#define VMM_INIT_SYS_H

#include <asm/ioctls.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/time_types.h>
#include <stddef.h>
#include <stdint.h>

#define SYS_PATH_MAX 4096

/* What st_mode says about the kind (inode(7)): <linux/stat.h> leaves it to libc. */
#define SYS_KIND	     0170000u
#define SYS_FILE	     0100000u
#define SYS_FOLDER	     0040000u
#define SYS_LINK	     0120000u
#define SYS_CHARACTER_DEVICE 0020000u

/* getdents64(2) */
struct sys_dirent {
	uint64_t ino;
	int64_t offset;
	uint16_t size; /* of this entry */
	uint8_t type;
	char name[];
};

static inline long sys_call3(long nr, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
}

static inline long sys_call6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

/* Calls run(argument) in a child that has its own stack and, until it has executed another program or ended, its
 * parent's memory while the parent waits: as vfork(2), but nothing of the parent's stack is touched. */
long sys_spawn(long flags, void *stack_top, void (*run)(void *argument), void *argument);

static inline int sys_open(const char *path, int flags, unsigned mode)
{
	return (int)sys_call3(__NR_open, (long)path, flags, (long)mode);
}

static inline int sys_openat(int folder, const char *name, int flags)
{
	return (int)sys_call6(__NR_openat, folder, (long)name, flags, 0, 0, 0);
}

static inline int sys_close(int fd)
{
	return (int)sys_call3(__NR_close, fd, 0, 0);
}

static inline long sys_read(int fd, void *to, size_t size)
{
	return sys_call3(__NR_read, fd, (long)to, (long)size);
}

static inline long sys_write(int fd, const void *from, size_t size)
{
	return sys_call3(__NR_write, fd, (long)from, (long)size);
}

static inline int sys_mkdir(const char *path, unsigned mode)
{
	return (int)sys_call3(__NR_mkdir, (long)path, (long)mode, 0);
}

static inline int sys_mount(const char *type, const char *path, unsigned long flags, const char *options)
{
	return (int)sys_call6(__NR_mount, (long)type, (long)path, (long)type, (long)flags, (long)options, 0);
}

static inline int sys_ioctl(int fd, unsigned long request, const void *argument)
{
	return (int)sys_call3(__NR_ioctl, fd, (long)request, (long)argument);
}

static inline int sys_ioperm(unsigned port, unsigned count, int on)
{
	return (int)sys_call3(__NR_ioperm, (long)port, (long)count, on);
}

static inline int sys_dup2(int from, int to)
{
	return (int)sys_call3(__NR_dup2, from, to, 0);
}

static inline int sys_fstat(int fd, struct stat *st)
{
	return (int)sys_call3(__NR_fstat, fd, (long)st, 0);
}

static inline void sys_sleep_ms(unsigned ms)
{
	const struct __kernel_timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long long)(ms % 1000) * 1000000};

	sys_call3(__NR_nanosleep, (long)&time, 0, 0);
}

static inline void sys_exit(int status)
{
	for (;;)
		sys_call3(__NR_exit_group, status, 0, 0);
}

static inline void sys_outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t sys_inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

#endif
