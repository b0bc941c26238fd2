// SPDX-License-Identifier: GPL-2.0
/* The release that ceph.ko was built from, as modinfo and DKMS see it. See Kbuild. */
#include <linux/module.h>

MODULE_VERSION(CEPH_RELEASE);
