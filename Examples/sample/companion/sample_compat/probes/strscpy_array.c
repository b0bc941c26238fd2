// SPDX-License-Identifier: GPL-2.0-only
/* strscpy() of two arguments: takes the size from an array. */
#include <linux/string.h>

void probe(const char *src, char (*dst)[8])
{
	strscpy(*dst, src);
}
