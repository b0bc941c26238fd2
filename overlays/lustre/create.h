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

#define lrelease_create(name, IDMAP, DIR, DENTRY, MODE, EXCL)		\
	name##_excl(IDMAP, DIR, DENTRY, MODE, EXCL);			\
	static int name(struct mnt_idmap *idmap, struct inode *dir,	\
			struct dentry *dentry, umode_t mode)		\
	{								\
		return name##_excl(idmap, dir, dentry, mode, true);	\
	}								\
	static int name##_excl(IDMAP, DIR, DENTRY, MODE, EXCL)

/* llite/namei.c */
#define ll_create_nd(IDMAP, DIR, DENTRY, MODE, EXCL) \
	lrelease_create(ll_create_nd, IDMAP, DIR, DENTRY, MODE, EXCL)

/* osd-wbcfs/wbcfs.c */
#define memfs_create_nd(IDMAP, DIR, DENTRY, MODE, EXCL) \
	lrelease_create(memfs_create_nd, IDMAP, DIR, DENTRY, MODE, EXCL)

#endif /* _LRELEASE_OVERLAYS_CREATE_H */
