/* SPDX-License-Identifier: GPL-2.0-only */
/* Compiles where a directory's create() is not told whether the file may be there already. */
#include <linux/fs.h>

static int create(struct mnt_idmap *idmap, struct inode *dir,
		  struct dentry *dentry, umode_t mode)
{
	return 0;
}

extern const struct inode_operations overlay_create;
const struct inode_operations overlay_create = { .create = create };
