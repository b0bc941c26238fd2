/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the configure script of nvidia-fs would find out, as far as its headers ask for it.
 */
#ifndef NVFS_CONFIG_HOST_H
#define NVFS_CONFIG_HOST_H

/* Newer kernels have the declarations of block integrity in a header of their own. */
#if __has_include(<linux/blk-integrity.h>)
#define HAVE_BLK_INTEGRITY_H 1
#endif

/* The name that Lustre has for what nvidia-fs calls NVFS_BAD_REQ: not a request for the GPU. */
#define NVFS_CPU_REQ -2

#endif
