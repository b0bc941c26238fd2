/* SPDX-License-Identifier: GPL-2.0-only */
/* The version of this program. The Makefile reads it from here, too. */
#ifndef CVERSION_H
#define CVERSION_H

#define LRELEASE_VERSION "0.1.0"

/* The version, and where the Makefile named it the commit: `0.1.0 (v0.1.0-3-g0123abc)`. A file of its own, so that a
 * new commit compiles nothing else again. */
const char *_Nonnull lr_version(void);

#endif
