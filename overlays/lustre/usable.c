/* SPDX-License-Identifier: GPL-2.0-only */
/* Compiles for every kernel. Where it does not, the other answers mean nothing. */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/security.h>
#include <linux/uaccess.h>

int overlay_usable(struct super_block *sb);

int overlay_usable(struct super_block *sb)
{
	return atomic_read(&sb->s_active);
}
