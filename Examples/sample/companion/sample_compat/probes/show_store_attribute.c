// SPDX-License-Identifier: GPL-2.0-only
/* DEFINE_SHOW_STORE_ATTRIBUTE(): a seq_file to write to. */
#include <linux/fs.h>
#include <linux/seq_file.h>

int probe_show(struct seq_file *m, void *unused);
ssize_t probe_write(struct file *file, const char __user *buf, size_t count,
		    loff_t *ppos);
DEFINE_SHOW_STORE_ATTRIBUTE(probe);

const struct file_operations *probe = &probe_fops;
