// SPDX-License-Identifier: GPL-2.0-only
/* The same with a struct user_namespace, as it was for two years. */
#include <linux/fs.h>

int probe_rename(struct user_namespace *userns, struct inode *old_dir,
		 struct dentry *old_dentry, struct inode *new_dir,
		 struct dentry *new_dentry, unsigned int flags)
{
	inode_init_owner(userns, d_inode(new_dentry), new_dir, 0);
	return 0;
}

const struct inode_operations probe = {
	.rename = probe_rename,
};
