// SPDX-License-Identifier: GPL-2.0-only
/*
 * samplefs: files and directories that live in the page cache and the dcache,
 * and nowhere else.
 */
#include <linux/fs.h>
#include <linux/pagemap.h>

#include "internal.h"

static const struct file_operations samplefs_file_fops = {
	.read_iter	= generic_file_read_iter,
	.write_iter	= generic_file_write_iter,
	.mmap_prepare	= generic_file_mmap_prepare,
	.fsync		= noop_fsync,
	.splice_read	= filemap_splice_read,
	.splice_write	= iter_file_splice_write,
	.llseek		= generic_file_llseek,
};

static const struct inode_operations samplefs_file_iops = {
	.setattr	= simple_setattr,
	.getattr	= simple_getattr,
};

static void samplefs_init_file(struct inode *inode)
{
	inode->i_op = &samplefs_file_iops;
	inode->i_fop = &samplefs_file_fops;
	inode->i_mapping->a_ops = &ram_aops;
	mapping_set_gfp_mask(inode->i_mapping, GFP_HIGHUSER);
	mapping_set_unevictable(inode->i_mapping);
}

static void samplefs_init_dir(struct inode *inode)
{
	inode->i_op = &samplefs_dir_iops;
	inode->i_fop = &simple_dir_operations;
	inc_nlink(inode);	/* for its own "." */
}

static int samplefs_add(struct mnt_idmap *idmap, struct inode *dir,
			struct dentry *dentry, umode_t mode)
{
	struct inode *inode = new_inode(dir->i_sb);

	if (!inode)
		return -ENOMEM;

	inode->i_ino = get_next_ino();
	inode_init_owner(idmap, inode, dir, mode);
	simple_inode_init_ts(inode);

	if (S_ISDIR(mode)) {
		samplefs_init_dir(inode);
		inc_nlink(dir);	/* for the ".." in it */
	} else {
		samplefs_init_file(inode);
	}

	d_make_persistent(dentry, inode);
	inode_set_mtime_to_ts(dir, inode_set_ctime_current(dir));
	return 0;
}

static int samplefs_create(struct mnt_idmap *idmap, struct inode *dir,
			   struct dentry *dentry, umode_t mode, bool excl)
{
	return samplefs_add(idmap, dir, dentry, mode | S_IFREG);
}

static struct dentry *samplefs_mkdir(struct mnt_idmap *idmap, struct inode *dir,
				     struct dentry *dentry, umode_t mode)
{
	return ERR_PTR(samplefs_add(idmap, dir, dentry, mode | S_IFDIR));
}

const struct inode_operations samplefs_dir_iops = {
	.lookup		= simple_lookup,
	.create		= samplefs_create,
	.link		= simple_link,
	.unlink		= simple_unlink,
	.mkdir		= samplefs_mkdir,
	.rmdir		= simple_rmdir,
	.rename		= simple_rename,
};
