/* SPDX-License-Identifier: GPL-2.0-only */
/* Compiles where mm_segment_t is left over, and nothing is called get_fs or set_fs. */
#include <linux/uaccess.h>

static inline mm_segment_t get_fs(void)
{
	return (mm_segment_t) { };
}

static inline void set_fs(mm_segment_t fs)
{
}

mm_segment_t overlay_set_fs(void);

mm_segment_t overlay_set_fs(void)
{
	mm_segment_t fs = get_fs();

	set_fs(fs);
	return fs;
}
