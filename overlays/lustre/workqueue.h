/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A workqueue is bound to the CPU on which work is queued (WQ_PERCPU) or not
 * (WQ_UNBOUND), and whoever makes one must say which. It was bound where nothing
 * was said. It still is, but with a warning and a stack trace in the log.
 *
 * Lustre says nothing for that of its hash tables, cfs_rh. This says what was
 * meant.
 */
#ifndef _LRELEASE_OVERLAYS_WORKQUEUE_H
#define _LRELEASE_OVERLAYS_WORKQUEUE_H

#include <linux/workqueue.h>

static inline unsigned int lrelease_workqueue_flags(unsigned int flags)
{
	return flags & (WQ_UNBOUND | WQ_PERCPU) ? flags : flags | WQ_PERCPU;
}

/* A macro where allocations are profiled. */
#ifdef alloc_workqueue
#undef alloc_workqueue
#define alloc_workqueue(format, flags, ...)				\
	alloc_hooks(alloc_workqueue_noprof(format,			\
		lrelease_workqueue_flags(flags), __VA_ARGS__))
#else
#define alloc_workqueue(format, flags, ...)				\
	alloc_workqueue(format, lrelease_workqueue_flags(flags), __VA_ARGS__)
#endif

#endif /* _LRELEASE_OVERLAYS_WORKQUEUE_H */
