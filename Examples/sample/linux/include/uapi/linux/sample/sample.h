/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
#ifndef _UAPI_LINUX_SAMPLE_SAMPLE_H
#define _UAPI_LINUX_SAMPLE_SAMPLE_H

#define SAMPLEFS_MAGIC		0x53414d50	/* "SAMP" */

/* Files that every samplefs has in its root. */
#define SAMPLEFS_VERSION	"version"
#define SAMPLEFS_KERNEL		"kernel"
#define SAMPLEFS_MESSAGES	"messages"

/* Sizes with the terminating NUL. */
#define SAMPLE_SOURCE_MAX	16
#define SAMPLE_MESSAGE_MAX	240

#endif /* _UAPI_LINUX_SAMPLE_SAMPLE_H */
