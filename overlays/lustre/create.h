/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The create() of inode_operations has lost its last argument, "excl". It said
 * that the file must not be there yet, and had been true in every call since
 * lookup_open() makes the other files by itself. So it is true here.
 *
 * Lustre has two such functions, each defined once, as "static int NAME(…)" with
 * five arguments, and never called by name. Each definition becomes one of a
 * function of four arguments, which the kernel gets, and one of the function
 * that it calls.
 */
#ifndef _LRELEASE_OVERLAYS_CREATE_H
#define _LRELEASE_OVERLAYS_CREATE_H

#define lrelease_create(name, idmap, dir, dentry, mode, excl)		\
	name##_excl(idmap, dir, dentry, mode, excl);			\
	static int name(struct mnt_idmap *lr_idmap,			\
			struct inode *lr_dir,				\
			struct dentry *lr_dentry, umode_t lr_mode)	\
	{								\
		return name##_excl(lr_idmap, lr_dir, lr_dentry,		\
				   lr_mode, true);			\
	}								\
	static int name##_excl(idmap, dir, dentry, mode, excl)

/* llite/namei.c */
#define ll_create_nd(idmap, dir, dentry, mode, excl) \
	lrelease_create(ll_create_nd, idmap, dir, dentry, mode, excl)

/* osd-wbcfs/wbcfs.c */
#define memfs_create_nd(idmap, dir, dentry, mode, excl) \
	lrelease_create(memfs_create_nd, idmap, dir, dentry, mode, excl)

#endif /* _LRELEASE_OVERLAYS_CREATE_H */
