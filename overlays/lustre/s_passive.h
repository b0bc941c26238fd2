/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A super block has its passive references in s_passive, a refcount_t, where it
 * had them in s_count, an int. It is the same number: what keeps the structure
 * in memory, beside s_active, which keeps the file system mounted.
 *
 * Lustre prints it, in a debug message of umount -f, and does nothing else with
 * it; it read s_count without the lock too.
 */
#ifndef _LRELEASE_OVERLAYS_S_PASSIVE_H
#define _LRELEASE_OVERLAYS_S_PASSIVE_H

#include <linux/fs.h>
#include <linux/maple_tree.h>	/* has a member s_count of its own */

#define s_count s_passive.refs.counter

#endif /* _LRELEASE_OVERLAYS_S_PASSIVE_H */
