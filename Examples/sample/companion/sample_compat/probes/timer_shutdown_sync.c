// SPDX-License-Identifier: GPL-2.0-only
/* timer_shutdown_sync(): stops a timer for good. */
#include <linux/timer.h>

int probe(struct timer_list *t)
{
	return timer_shutdown_sync(t);
}
