// SPDX-License-Identifier: GPL-2.0-only
/* filemap_splice_read(): was generic_file_splice_read(). */
#include <linux/fs.h>

const struct file_operations probe = {
	.splice_read = filemap_splice_read,
};
