/* SPDX-License-Identifier: GPL-2.0-only */
/* Compiles where struct bvec_iter has its place in the current bio_vec in bi_offset. */
#include <linux/bvec.h>

unsigned int overlay_bvec_iter(struct bvec_iter *iter);

unsigned int overlay_bvec_iter(struct bvec_iter *iter)
{
	return iter->bi_offset;
}
