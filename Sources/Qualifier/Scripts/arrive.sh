# SPDX-License-Identifier: GPL-2.0-only
# Installs the packages that lie in the chroot for later: deb|rpm COMMAND…
exec 2>&1
format=$1
shift
"$@" /later/*."$format"
