/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sample_compat: what Linux 7.2 has and the kernel at hand has not.
 *
 * Included before the first line of every source file (gcc -include), so that
 * these can be written for one kernel alone. What the kernel at hand has is
 * found out by probe.sh, which compiles each file in probes/ and writes the
 * outcome to config.h. No kernel version is tested anywhere: distributions
 * carry new interfaces to old kernels.
 *
 * To add a shim: add a probe that compiles where the shim is *not* needed, and
 * the shim, within #ifndef HAVE_THAT, after including the headers that a
 * source file would include for it.
 */
#ifndef _SAMPLE_COMPAT_H
#define _SAMPLE_COMPAT_H

#if !__has_include("config.h")
#error "sample_compat/config.h is missing: run 'sh sample_compat/probe.sh' first"
#endif
#include "config.h"

/*
 * Headers included from here must not settle pr_fmt() before the source file
 * does. All of ours define it so, and to define the same twice is allowed.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "core.h"
#include "fs.h"

#endif /* _SAMPLE_COMPAT_H */
