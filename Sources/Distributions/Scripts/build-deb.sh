# SPDX-License-Identifier: GPL-2.0-only
# Builds the packages of a Debian source tree. The kernels are those whose headers are in the chroot.
#
# Runs in a root: TARBALL RELEASE modules|"" PROFILES
exec >/build.log 2>&1
set -e
umask 022
mkdir /build
cd /build
tar -xf "/release/$1"
cd "$2"
if [ "$3" = modules ]; then
  kernels=
  for folder in /lib/modules/*; do
    [ ! -e "$folder/build/Makefile" ] || kernels="$kernels ${folder##*/}"
  done
  [ -n "$kernels" ] || { echo "error: the chroot has no kernel headers"; exit 1; }
  debian/rules control KERNELS="$kernels"
fi
dpkg-buildpackage -us -uc -b ${4:+-P"$4"}
cd ..
mkdir /packages
mv -- *.deb *.buildinfo *.changes /packages
