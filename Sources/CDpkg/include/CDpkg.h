/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LRELEASE_CDPKG_H
#define LRELEASE_CDPKG_H

#include <stddef.h>

/*
 * The part of libdpkg that is used. Every function may be called from any thread; they wait for each other.
 * Each returns 0 when all is well, and otherwise -1 with one line of text in `error`, cut to `size` bytes
 * with the zero at the end.
 */

/* Checks that `version` is a legal Debian version, strictly. */
int lr_dpkg_version_check(const char *version, char *error, size_t size);

/* Compares two versions: -1, 0 or 1 in `result` as `a` is older than, as old as, or newer than `b`. */
int lr_dpkg_version_compare(const char *a, const char *b, int *result, char *error, size_t size);

/* Checks the control file of a binary package, given as text of `length` bytes. Warnings count as errors. */
int lr_dpkg_control_check(const char *text, size_t length, char *error, size_t size);

#endif
