// SPDX-License-Identifier: GPL-2.0-only
/* mkdir() returns a dentry. */
#include <linux/fs.h>

struct dentry *probe_mkdir(struct mnt_idmap *idmap, struct inode *dir,
			   struct dentry *dentry, umode_t mode)
{
	return NULL;
}

const struct inode_operations probe = {
	.mkdir = probe_mkdir,
};
