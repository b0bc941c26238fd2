// SPDX-License-Identifier: GPL-2.0-only
/* kmalloc_obj(): allocates by type. */
#include <linux/slab.h>

int *probe(void)
{
	int *object = kmalloc_obj(*object);

	return object;
}
