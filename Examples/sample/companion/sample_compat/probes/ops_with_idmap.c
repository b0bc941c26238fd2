// SPDX-License-Identifier: GPL-2.0-only
/* Inode operations take a struct mnt_idmap, and so does inode_init_owner(). */
#include <linux/fs.h>

int probe_rename(struct mnt_idmap *idmap, struct inode *old_dir,
		 struct dentry *old_dentry, struct inode *new_dir,
		 struct dentry *new_dentry, unsigned int flags)
{
	inode_init_owner(idmap, d_inode(new_dentry), new_dir, 0);
	return 0;
}

const struct inode_operations probe = {
	.rename = probe_rename,
};
