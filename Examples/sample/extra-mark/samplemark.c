// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * samplemark: writes a mark to the kernel's log at intervals.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/workqueue.h>

static unsigned int interval = 1200;
module_param(interval, uint, 0444);
MODULE_PARM_DESC(interval, "seconds between two marks, at most a day");

static void samplemark_write(struct work_struct *unused);
static DECLARE_DELAYED_WORK(samplemark_work, samplemark_write);

static void samplemark_write(struct work_struct *unused)
{
	pr_info("mark\n");
	schedule_delayed_work(&samplemark_work,
			      clamp(interval, 1U, 86400U) * HZ);
}

static int __init samplemark_init(void)
{
	schedule_delayed_work(&samplemark_work, 0);
	return 0;
}
module_init(samplemark_init);

static void __exit samplemark_exit(void)
{
	cancel_delayed_work_sync(&samplemark_work);
}
module_exit(samplemark_exit);

MODULE_DESCRIPTION("Sample mark in the log");
MODULE_LICENSE("Dual BSD/GPL");
MODULE_VERSION(SAMPLEMARK_VERSION);
