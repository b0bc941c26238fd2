/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * security_inode_listsecurity() says which extended attribute holds the label
 * of a file. It had a buffer and its size, and returned the length of the name
 * with its NUL, 0 where there is no label; nothing was written where the name
 * did not fit. Now it moves on the end of a list and what is left of its room,
 * as xattr_list_one() does, and returns 0 or an error.
 *
 * Lustre asks for the length first, without a buffer, and then for the name. It
 * wants one name, so it gets the first where security modules list several.
 */
#ifndef _LRELEASE_OVERLAYS_LISTSECURITY_H
#define _LRELEASE_OVERLAYS_LISTSECURITY_H

#include <linux/security.h>
#include <linux/string.h>
#include <linux/xattr.h>

static inline int lrelease_inode_listsecurity(struct inode *inode,
					      char *buffer, size_t size)
{
	char names[XATTR_NAME_MAX + 1];
	char *end = names;
	ssize_t left = sizeof(names);
	size_t length;
	int rc;

	rc = security_inode_listsecurity(inode, &end, &left);
	if (end == names)
		return rc;
	/* Where a second name found no room, the first is complete. */
	length = strnlen(names, sizeof(names) - 1) + 1;
	if (buffer && length <= size)
		memcpy(buffer, names, length);
	return length;
}

#define security_inode_listsecurity(inode, buffer, size) \
	lrelease_inode_listsecurity(inode, buffer, size)

#endif /* _LRELEASE_OVERLAYS_LISTSECURITY_H */
