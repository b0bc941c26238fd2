/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINUX_SAMPLE_VERSION_H
#define _LINUX_SAMPLE_VERSION_H

/* In the kernel tree, the version is the kernel's; a release brings its own. */
#ifndef SAMPLE_VERSION
#include <generated/utsrelease.h>
#define SAMPLE_VERSION UTS_RELEASE
#endif

#endif /* _LINUX_SAMPLE_VERSION_H */
