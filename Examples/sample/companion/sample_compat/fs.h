/* SPDX-License-Identifier: GPL-2.0-only */
/* The virtual file system: what it offers, and what it asks for. */
#ifndef _SAMPLE_COMPAT_FS_H
#define _SAMPLE_COMPAT_FS_H

#include <linux/dcache.h>
#include <linux/fs.h>

/*
 * What it offers.
 */

#ifndef HAVE_SIMPLE_INODE_INIT_TS
static inline struct timespec64 simple_inode_init_ts(struct inode *inode)
{
	struct timespec64 now = current_time(inode);

	inode->i_atime = now;
	inode->i_mtime = now;
	inode->i_ctime = now;
	return now;
}
#endif

#ifndef HAVE_INODE_SET_CTIME_CURRENT
static inline struct timespec64 inode_set_ctime_current(struct inode *inode)
{
	inode->i_ctime = current_time(inode);
	return inode->i_ctime;
}
#endif

#ifndef HAVE_INODE_SET_MTIME_TO_TS
static inline struct timespec64 inode_set_mtime_to_ts(struct inode *inode,
						      struct timespec64 ts)
{
	inode->i_mtime = ts;
	return ts;
}
#endif

#ifndef HAVE_INODE_JUST_DROP
#define inode_just_drop generic_delete_inode
#endif

#ifndef HAVE_FILEMAP_SPLICE_READ
#define filemap_splice_read generic_file_splice_read
#endif

#ifndef HAVE_MMAP_PREPARE
#define mmap_prepare mmap
#define generic_file_mmap_prepare generic_file_mmap
#endif

#ifndef HAVE_RAM_AOPS
static const struct address_space_operations compat_ram_aops __maybe_unused = {
	.readpage	= simple_readpage,
	.write_begin	= simple_write_begin,
	.write_end	= simple_write_end,
	.set_page_dirty	= noop_set_page_dirty,
};

#define ram_aops compat_ram_aops
#endif

#ifndef HAVE_D_MAKE_PERSISTENT
/*
 * A dentry that stays without anybody using it is one with a reference too
 * many, which kill_litter_super() drops at the end.
 */
static inline struct dentry *d_make_persistent(struct dentry *dentry,
					       struct inode *inode)
{
	d_instantiate(dentry, inode);
	return dget(dentry);
}

#define kill_anon_super kill_litter_super
#endif

/*
 * What it asks for: operations with other parameters or another result.
 *
 * The name of such an operation of ours becomes a macro, which turns the
 *
 *	static int samplefs_create(parameters)
 *
 * that opens its definition into three things: a declaration of the operation
 * as we wrote it, under the name native_create; an operation as this kernel
 * wants it, which calls native_create; and the opening of the definition of
 * native_create. In ".create = samplefs_create" no parenthesis follows, so the
 * macro is left alone and the name is that of the adapter.
 */

struct mnt_idmap;

#if defined(HAVE_OPS_WITH_IDMAP)
#define COMPAT_IDMAP_PARAM	struct mnt_idmap *idmap,
#define compat_idmap		idmap
#elif defined(HAVE_OPS_WITH_USERNS)
/* Never looked into on the way to inode_init_owner(), which turns it back. */
#define COMPAT_IDMAP_PARAM	struct user_namespace *userns,
#define compat_idmap		((struct mnt_idmap *)userns)
#define inode_init_owner(idmap, inode, dir, mode) \
	inode_init_owner((struct user_namespace *)(idmap), inode, dir, mode)
#else
#define COMPAT_IDMAP_PARAM
#define compat_idmap		NULL
#define inode_init_owner(idmap, inode, dir, mode) \
	inode_init_owner(inode, dir, mode)
#endif

#if defined(HAVE_CREATE_WITHOUT_EXCL)
/* It had been true for years, whatever the caller of open(2) asked for. */
#define COMPAT_EXCL_PARAM
#define compat_excl		true
#else
#define COMPAT_EXCL_PARAM	, bool excl
#define compat_excl		excl
#endif

#if !defined(HAVE_OPS_WITH_IDMAP) || defined(HAVE_CREATE_WITHOUT_EXCL)
#define samplefs_create(...)						\
	native_create(__VA_ARGS__);					\
static int samplefs_create(COMPAT_IDMAP_PARAM struct inode *dir,	\
			   struct dentry *dentry, umode_t mode		\
			   COMPAT_EXCL_PARAM)				\
{									\
	return native_create(compat_idmap, dir, dentry, mode, compat_excl); \
}									\
static int native_create(__VA_ARGS__)
#endif

#ifndef HAVE_MKDIR_RETURNS_DENTRY
#define samplefs_mkdir(...)						\
	native_mkdir(__VA_ARGS__);					\
static int samplefs_mkdir(COMPAT_IDMAP_PARAM struct inode *dir,		\
			  struct dentry *dentry, umode_t mode)		\
{									\
	return PTR_ERR_OR_ZERO(native_mkdir(compat_idmap, dir, dentry,	\
					    mode));			\
}									\
static struct dentry *native_mkdir(__VA_ARGS__)
#endif

#endif /* _SAMPLE_COMPAT_FS_H */
