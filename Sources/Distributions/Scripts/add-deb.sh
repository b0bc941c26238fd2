# SPDX-License-Identifier: GPL-2.0-only
# Adds packages to a chroot, and keeps others in /later with what they need: PACKAGES LATER…
set -eu
packages=$1
shift
# No initramfs of a chroot is ever booted; to make one takes long.
export INITRD=No
mkdir -p /var/lib/apt/lists/partial /var/cache/apt/archives/partial
apt-get update --quiet -o APT::Update::Error-Mode=any
# shellcheck disable=SC2086 # names of packages have no spaces
[ -z "$packages" ] || apt-get install --yes --quiet --no-install-recommends $packages
if [ $# -gt 0 ]; then
  mkdir -p /later/partial
  apt-get install --yes --quiet --download-only -o Dir::Cache::archives=/later "$@"
  rm -rf /later/partial /later/lock
fi
