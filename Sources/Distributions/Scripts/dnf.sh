# SPDX-License-Identifier: GPL-2.0-only
# Runs a command while a root has what scripts of packages expect of a system: ROOT COMMAND…
#
# It runs in a mount namespace of its own, where all of this ends with it.
set -eu
umask 022
root=$1
shift
mkdir -p "$root/dev" "$root/proc"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
# librepo makes a folder for root's agent of gpg, by which every gpg of root would then find its agent.
[ ! -d /run/user ] || mount -t tmpfs -o mode=755 tmpfs /run/user
exec "$@"
