// SPDX-License-Identifier: GPL-2.0-only
/* ram_aops: the page cache of ramfs, for others to use. */
#include <linux/fs.h>

const struct address_space_operations *probe = &ram_aops;
