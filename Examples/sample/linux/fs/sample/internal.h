/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SAMPLEFS_INTERNAL_H
#define _SAMPLEFS_INTERNAL_H

#include <linux/fs.h>

extern const struct inode_operations samplefs_dir_iops;

#endif /* _SAMPLEFS_INTERNAL_H */
