#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
# The first process of the guest. The shell of busybox takes its own programs before those of the target, so it only
# prepares. What programs write goes to a serial line of its own, so that the kernel's console is the kernel's.
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /mnt /root /var/tmp /busybox
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
/bin/busybox --install -s /busybox
export PATH=/usr/sbin:/usr/bin:/busybox HOME=/root TMPDIR=/tmp LC_ALL=C
programs=/dev/ttyS2
: 2>/dev/null >$programs || programs=/dev/console
exec /usr/bin/sh /etc/steps </dev/null >$programs 2>&1
