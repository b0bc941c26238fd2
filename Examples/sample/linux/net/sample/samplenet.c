// SPDX-License-Identifier: GPL-2.0-only
/*
 * samplenet: a short log of messages.
 *
 * Whoever likes may post a message; network devices do so without knowing,
 * whenever they come or go. The log forgets a message when it is too old or
 * when there are too many.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/list.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/timer.h>
#include <net/net_namespace.h>

#include <linux/sample/samplenet.h>
#include <linux/sample/version.h>
#include <uapi/linux/sample/sample.h>

static unsigned int keep = 64;
module_param(keep, uint, 0644);
MODULE_PARM_DESC(keep, "Number of messages to keep");

static unsigned int lifetime = 3600;
module_param(lifetime, uint, 0644);
MODULE_PARM_DESC(lifetime, "Seconds after which a message is forgotten (0: never)");

struct samplenet_message {
	struct list_head	link;
	time64_t		when;	/* seconds since boot */
	char			source[SAMPLE_SOURCE_MAX];
	char			text[SAMPLE_MESSAGE_MAX];
};

/* Oldest message first. The timer runs while there is one that can expire. */
static struct samplenet_log {
	spinlock_t		lock;	/* of all that follows */
	struct list_head	messages;
	unsigned int		count;
	struct timer_list	timer;
} samplenet_log = {
	.lock		= __SPIN_LOCK_UNLOCKED(samplenet_log.lock),
	.messages	= LIST_HEAD_INIT(samplenet_log.messages),
};

static struct samplenet_message *samplenet_oldest(struct samplenet_log *log)
{
	return list_first_entry_or_null(&log->messages,
					struct samplenet_message, link);
}

static void samplenet_forget(struct samplenet_log *log,
			     struct samplenet_message *msg)
{
	list_del(&msg->link);
	log->count--;
	kfree(msg);
}

/* Wakes at the latest in an hour, since the lifetime may be changed till then. */
static void samplenet_arm(struct samplenet_log *log, time64_t now)
{
	struct samplenet_message *msg = samplenet_oldest(log);
	time64_t left;

	if (!msg || !lifetime)
		return;

	left = clamp_t(time64_t, msg->when + lifetime - now, 1, 3600);
	mod_timer(&log->timer, jiffies + (unsigned long)left * HZ);
}

static void samplenet_expire(struct timer_list *t)
{
	struct samplenet_log *log = timer_container_of(log, t, timer);
	time64_t now = ktime_get_boottime_seconds();
	struct samplenet_message *msg;

	guard(spinlock)(&log->lock);

	while ((msg = samplenet_oldest(log)) && lifetime &&
	       msg->when + lifetime <= now)
		samplenet_forget(log, msg);

	samplenet_arm(log, now);
}

/**
 * samplenet_post - add a message to the log
 * @source: who says so; cut to SAMPLE_SOURCE_MAX
 * @fmt: what there is to say, on one line; cut to SAMPLE_MESSAGE_MAX
 *
 * Context: May sleep.
 * Return: 0, or -ENOMEM.
 */
int samplenet_post(const char *source, const char *fmt, ...)
{
	struct samplenet_log *log = &samplenet_log;
	struct samplenet_message *msg;
	va_list args;

	msg = kmalloc_obj(*msg);
	if (!msg)
		return -ENOMEM;

	msg->when = ktime_get_boottime_seconds();
	strscpy(msg->source, source);
	va_start(args, fmt);
	vscnprintf(msg->text, sizeof(msg->text), fmt, args);
	va_end(args);

	guard(spinlock_bh)(&log->lock);

	list_add_tail(&msg->link, &log->messages);
	log->count++;
	while (log->count > max(keep, 1U))
		samplenet_forget(log, samplenet_oldest(log));

	samplenet_arm(log, msg->when);
	return 0;
}
EXPORT_SYMBOL_GPL(samplenet_post);

/**
 * samplenet_show - write the log to a seq_file, oldest message first
 * @m: where to
 *
 * Return: 0, as a seq_file's show operation wants it.
 */
int samplenet_show(struct seq_file *m)
{
	struct samplenet_log *log = &samplenet_log;
	struct samplenet_message *msg;

	guard(spinlock_bh)(&log->lock);

	list_for_each_entry(msg, &log->messages, link)
		seq_printf(m, "[%6lld] %s: %s\n",
			   msg->when, msg->source, msg->text);
	return 0;
}
EXPORT_SYMBOL_GPL(samplenet_show);

static int samplenet_netdev_event(struct notifier_block *nb,
				  unsigned long event, void *info)
{
	struct net_device *dev = netdev_notifier_info_to_dev(info);

	if (net_eq(dev_net(dev), &init_net))
		samplenet_post(dev->name, "%s", netdev_cmd_to_name(event));

	return NOTIFY_DONE;
}

static struct notifier_block samplenet_netdev_notifier = {
	.notifier_call	= samplenet_netdev_event,
};

static void samplenet_cleanup(void)
{
	struct samplenet_log *log = &samplenet_log;
	struct samplenet_message *msg;

	timer_shutdown_sync(&log->timer);
	while ((msg = samplenet_oldest(log)))
		samplenet_forget(log, msg);
}

static int __init samplenet_init(void)
{
	int err;

	timer_setup(&samplenet_log.timer, samplenet_expire, 0);

	/* This also tells of the devices that are already there. */
	err = register_netdevice_notifier(&samplenet_netdev_notifier);
	if (err) {
		samplenet_cleanup();
		return err;
	}

	pr_info("version %s\n", SAMPLE_VERSION);
	return 0;
}
module_init(samplenet_init);

static void __exit samplenet_exit(void)
{
	unregister_netdevice_notifier(&samplenet_netdev_notifier);
	samplenet_cleanup();
}
module_exit(samplenet_exit);

MODULE_DESCRIPTION("Sample message log");
MODULE_LICENSE("GPL");
MODULE_VERSION(SAMPLE_VERSION);
