/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * set_fs(KERNEL_DS) made system calls and ioctls take memory of the kernel for
 * memory of a program. An architecture without CONFIG_SET_FS, such as x86 since
 * 5.10, has nothing in its place: what takes a program's memory takes no other.
 *
 * Lustre uses it once, before the kernel has fileattr_set() (5.13): to set the
 * project ID of a copy in a persistent client cache by FS_IOC_FSSETXATTR of the
 * file system that holds the cache. It cannot be done there, and the caller is
 * told what it is told of a file system without project quota: it says so once,
 * and keeps the cache without charging it to projects. To lend it a page of the
 * program would be no way out: the program could change the page, and with it
 * what is set, between the copying and the ioctl.
 *
 * Any other ioctl called by Lustre does not compile with this.
 */
#ifndef _LRELEASE_OVERLAYS_SET_FS_H
#define _LRELEASE_OVERLAYS_SET_FS_H

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/uaccess.h>

#define KERNEL_DS ((mm_segment_t) { })
#define get_fs() KERNEL_DS
#define set_fs(fs) ((void)(fs))

#define unlocked_ioctl(file, command, argument)				\
	unlocked_ioctl == NULL ? -ENOTTY :				\
		((void)(argument), -EOPNOTSUPP) +			\
		BUILD_BUG_ON_ZERO((command) != FS_IOC_FSSETXATTR)

#endif /* _LRELEASE_OVERLAYS_SET_FS_H */
