// SPDX-License-Identifier: GPL-2.0-only
/*
 * samplefs: a file system without a device.
 *
 * Each mount is a file system of its own, empty but for three files: version,
 * kernel and messages. The last one shows the log of samplenet, which is one
 * for all; writing to it posts a message.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/utsname.h>

#include <linux/sample/samplenet.h>
#include <linux/sample/version.h>
#include <uapi/linux/sample/sample.h>

#include "internal.h"

static int samplefs_version_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%s\n", SAMPLE_VERSION);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(samplefs_version);

static int samplefs_kernel_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%s\n", utsname()->release);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(samplefs_kernel);

static int samplefs_messages_show(struct seq_file *m, void *unused)
{
	return samplenet_show(m);
}

/* One write is one message, of one line. */
static ssize_t samplefs_messages_write(struct file *file,
				       const char __user *buf, size_t count,
				       loff_t *ppos)
{
	char *text;
	int err;

	if (count > SAMPLE_MESSAGE_MAX)
		return -EMSGSIZE;

	text = memdup_user_nul(buf, count);
	if (IS_ERR(text))
		return PTR_ERR(text);

	text[strcspn(text, "\n")] = '\0';
	err = samplenet_post(current->comm, "%s", text);
	kfree(text);
	return err ?: count;
}
DEFINE_SHOW_STORE_ATTRIBUTE(samplefs_messages);

/* An index here is an inode number, and 1 is the root. */
static const struct tree_descr samplefs_files[] = {
	[2] = { SAMPLEFS_VERSION, &samplefs_version_fops, 0444 },
	[3] = { SAMPLEFS_KERNEL, &samplefs_kernel_fops, 0444 },
	[4] = { SAMPLEFS_MESSAGES, &samplefs_messages_fops, 0644 },
	[5] = { "" },
};

static const struct super_operations samplefs_super_ops = {
	.statfs		= simple_statfs,
	.drop_inode	= inode_just_drop,
};

static int samplefs_fill_super(struct super_block *sb, struct fs_context *fc)
{
	int err;

	err = simple_fill_super(sb, SAMPLEFS_MAGIC, samplefs_files);
	if (err)
		return err;

	sb->s_op = &samplefs_super_ops;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	d_inode(sb->s_root)->i_op = &samplefs_dir_iops;
	return 0;
}

static int samplefs_get_tree(struct fs_context *fc)
{
	return get_tree_nodev(fc, samplefs_fill_super);
}

static const struct fs_context_operations samplefs_context_ops = {
	.get_tree	= samplefs_get_tree,
};

static int samplefs_init_fs_context(struct fs_context *fc)
{
	fc->ops = &samplefs_context_ops;
	return 0;
}

static struct file_system_type samplefs_type = {
	.owner			= THIS_MODULE,
	.name			= "samplefs",
	.init_fs_context	= samplefs_init_fs_context,
	.kill_sb		= kill_anon_super,
};
MODULE_ALIAS_FS("samplefs");

static int __init samplefs_init(void)
{
	int err;

	err = register_filesystem(&samplefs_type);
	if (err)
		return err;

	pr_info("version %s\n", SAMPLE_VERSION);
	return 0;
}
module_init(samplefs_init);

static void __exit samplefs_exit(void)
{
	unregister_filesystem(&samplefs_type);
}
module_exit(samplefs_exit);

MODULE_DESCRIPTION("Sample file system");
MODULE_LICENSE("GPL");
MODULE_VERSION(SAMPLE_VERSION);
