// SPDX-License-Identifier: GPL-2.0-only
/* What every kernel must have, and a sign that its headers are in order. */
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/module.h>
#include <linux/netdevice.h>

int probe(struct fs_context *fc, int (*fill_super)(struct super_block *,
						   struct fs_context *))
{
	return get_tree_nodev(fc, fill_super);
}
