/* SPDX-License-Identifier: GPL-2.0-only */
/* Compiles where a workqueue is said to be bound to a CPU. */
#include <linux/workqueue.h>

unsigned int overlay_workqueue(void);

unsigned int overlay_workqueue(void)
{
	return WQ_PERCPU;
}
