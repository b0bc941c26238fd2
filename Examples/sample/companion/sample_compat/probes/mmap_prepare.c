// SPDX-License-Identifier: GPL-2.0-only
/* mmap_prepare(): maps a file from a description, not from a VMA. */
#include <linux/fs.h>

const struct file_operations probe = {
	.mmap_prepare = generic_file_mmap_prepare,
};
