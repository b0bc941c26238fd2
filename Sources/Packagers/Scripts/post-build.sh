#!/bin/sh
#@ SPDX-License-Identifier: GPL-2.0-only
# Called by dkms in the build folder after each build: post-build KERNEL ARCH. What others build against stays with the
# modules that were built.
set -eu
mkdir -p "../$1/$2"
# Which of them there are may depend on the kernel.
cp -f @KEEP@ "../$1/$2/" 2>/dev/null || :
