// SPDX-License-Identifier: GPL-2.0-only
/* guard(): unlocks at the end of the block. */
#include <linux/spinlock.h>

void probe(spinlock_t *lock)
{
	guard(spinlock)(lock);
}
