/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * set_fs(KERNEL_DS) made system calls and ioctls take memory of the kernel for
 * memory of a program. An architecture without CONFIG_SET_FS, such as x86 since
 * 5.10, has nothing in its place: what takes a program's memory takes no other.
 *
 * Lustre uses it once, before the kernel has fileattr_set() (5.13): to set the
 * project ID of a copy in a persistent client cache by FS_IOC_FSSETXATTR of the
 * file system that holds the cache. It cannot be done there: the file system is
 * asked for an ioctl that no one has, and the caller is told -ENOTTY, as by a
 * file system without project quota. It says so once, and keeps the cache without
 * charging it to projects. To lend it a page of the program would be no way out:
 * the program could change the page, and with it what is set, between the copying
 * and the ioctl.
 *
 * What a program itself asks for, with memory of its own, Lustre passes on in a
 * variable, and so it stays.
 */
#ifndef _LRELEASE_OVERLAYS_SET_FS_H
#define _LRELEASE_OVERLAYS_SET_FS_H

#include <linux/fs.h>
#include <linux/uaccess.h>

#define KERNEL_DS ((mm_segment_t) { })
#define get_fs() KERNEL_DS
#define set_fs(fs) ((void)(fs))

#define lrelease_of_lustre(command)					\
	(__builtin_constant_p(command) && (command) == FS_IOC_FSSETXATTR)

#define unlocked_ioctl(file, command, argument)				\
	unlocked_ioctl(file,						\
		       lrelease_of_lustre(command) ? 0 : (command),	\
		       lrelease_of_lustre(command) ? 0UL : (argument))

#endif /* _LRELEASE_OVERLAYS_SET_FS_H */
