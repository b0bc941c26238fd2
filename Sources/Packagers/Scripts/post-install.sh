#!/bin/sh
#@ SPDX-License-Identifier: GPL-2.0-only
# Called by dkms after each installation: post-install KERNEL ARCH. When a kernel comes, no package looks at what dkms does.
# shellcheck shell=sh disable=SC2034,SC2154,SC2317
#@SITE@

# The package does so itself.
[ -z "${DKMS_SITE-}" ] || exit 0
log=/dev/null
index "$1"
! check "$1" || exit 0
say "the modules were built for kernel $1 and could not be installed: $wrong$(why "$1")"
# dkms does not call them installed then, and tries again at the next boot.
rm -f "$home/kernel-$1-$2"
exit 1
