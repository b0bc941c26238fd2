/* SPDX-License-Identifier: GPL-2.0-only */
/* As in <stdio.h> of glibc and <linux/fs.h>. */
int renameat2(int old_folder, const char *old_path, int new_folder, const char *new_path, unsigned int flags);
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#endif
