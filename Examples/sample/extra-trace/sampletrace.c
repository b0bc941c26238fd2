// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sampletrace: writes the messages of samplenet to the kernel's log.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/notifier.h>

#include <linux/sample/samplenet.h>
#include <linux/sample/version.h>

static int sampletrace_message(struct notifier_block *nb, unsigned long unused,
			       void *text)
{
	pr_info("%s\n", (const char *)text);
	return NOTIFY_DONE;
}

static struct notifier_block sampletrace_notifier = {
	.notifier_call	= sampletrace_message,
};

static int __init sampletrace_init(void)
{
	return samplenet_register_listener(&sampletrace_notifier);
}
module_init(sampletrace_init);

static void __exit sampletrace_exit(void)
{
	samplenet_unregister_listener(&sampletrace_notifier);
}
module_exit(sampletrace_exit);

MODULE_DESCRIPTION("Sample message trace");
MODULE_LICENSE("Dual BSD/GPL");
MODULE_VERSION(SAMPLE_VERSION);
