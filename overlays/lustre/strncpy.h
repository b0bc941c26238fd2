/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel has no strncpy() any more: the last of its own callers went over
 * to strscpy(), strtomem() and memcpy_and_pad(). Lustre has some 70 callers, on
 * the wire and in ioctls among them, which want what C says: at most size
 * characters, the rest filled with NUL, and no NUL where there is no room.
 *
 * memcpy() and memset() are the kernel's, and with them its check of what is
 * written (FORTIFY_SOURCE), as with the strncpy() that it had.
 */
#ifndef _LRELEASE_OVERLAYS_STRNCPY_H
#define _LRELEASE_OVERLAYS_STRNCPY_H

#include <linux/string.h>

static __always_inline char *strncpy(char *to, const char *from, size_t size)
{
	size_t length = 0;

	while (length < size && from[length])
		length++;
	memcpy(to, from, length);
	memset(to + length, 0, size - length);
	return to;
}

#endif /* _LRELEASE_OVERLAYS_STRNCPY_H */
