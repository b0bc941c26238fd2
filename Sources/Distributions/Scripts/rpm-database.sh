# SPDX-License-Identifier: GPL-2.0-only
# Puts the database of packages where the rpm of a root looks for it, in a format that it reads: ROOT MADE PACKAGES
#
# Each release has a place of its own, and some have another format than the rpm of this machine writes. So the rpm of
# the root is asked. If it cannot read what the rpm of this machine wrote, it writes its own, from the files of the
# packages, which are in PACKAGES. MADE is where the database is, seen from the root.
set -eu
umask 022
root=$1
made=$2
packages=$3
mount -t proc proc "$root/proc"
fail() {
  echo "Error: $*" >&2
  exit 1
}
inner() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C "$@"; }
# Keys are packages to rpm.
sorted() { grep -v '^gpg-pubkey-' | sort; }
rpm --root "$root" --dbpath "$made" --query --all | sorted >installed
place=$(inner rpm --eval '%{_dbpath}') || fail "the rpm of the root cannot run"
case $place in
/*) ;;
*) fail "the rpm of the root says '$place' where its database should be" ;;
esac
inner mkdir -p "$place"
inner find "$place" -mindepth 1 -delete
# shellcheck disable=SC2016 # For the shell in the root.
inner sh -c 'mv "$1"/* "$2"; rm -rf "$1"' move "$made" "$place"
inner rpm --query --all 2>/dev/null | sorted >seen || :
if ! cmp -s installed seen; then
  inner find "$place" -mindepth 1 -delete
  inner rpm --initdb
  mkdir "$root/packages"
  mount --bind "$packages" "$root/packages"
  # Relations were checked, scripts were run and files are there already.
  inner sh -c 'find /packages -name "*.rpm" -exec rpm --install --justdb --force --nodeps --noscripts --notriggers \
    --nosignature --nodigest --ignoresize {} +'
  umount "$root/packages"
  rmdir "$root/packages"
  inner rpm --query --all | sorted >seen
  cmp -s installed seen || fail "the rpm of the root does not see the packages in it: its database is in $place"
fi
