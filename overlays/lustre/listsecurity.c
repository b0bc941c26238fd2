/* SPDX-License-Identifier: GPL-2.0-only */
/* Compiles where a security module adds its attribute to a list, as xattr_list_one() does. */
#include <linux/security.h>

int overlay_listsecurity(struct inode *inode, char **end, ssize_t *left);

int overlay_listsecurity(struct inode *inode, char **end, ssize_t *left)
{
	return security_inode_listsecurity(inode, end, left);
}
