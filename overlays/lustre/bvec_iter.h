/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct bvec_iter: bi_bvec_done, how far the bio_vec at hand is done, is now
 * called bi_offset. Nothing else about it has changed, neither its unit (bytes)
 * nor how for_each_bvec() uses it.
 */
#ifndef _LRELEASE_OVERLAYS_BVEC_ITER_H
#define _LRELEASE_OVERLAYS_BVEC_ITER_H

#define bi_bvec_done bi_offset

#endif /* _LRELEASE_OVERLAYS_BVEC_ITER_H */
