/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINUX_SAMPLE_SAMPLENET_H
#define _LINUX_SAMPLE_SAMPLENET_H

#include <linux/compiler_attributes.h>

struct seq_file;

__printf(2, 3) int samplenet_post(const char *source, const char *fmt, ...);
int samplenet_show(struct seq_file *m);

#endif /* _LINUX_SAMPLE_SAMPLENET_H */
