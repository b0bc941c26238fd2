// SPDX-License-Identifier: GPL-2.0-only
/* guard(spinlock_bh): came later than its brothers. */
#include <linux/spinlock.h>

void probe(spinlock_t *lock)
{
	guard(spinlock_bh)(lock);
}
