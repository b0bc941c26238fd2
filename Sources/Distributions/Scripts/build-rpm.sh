# SPDX-License-Identifier: GPL-2.0-only
# Builds the packages of a spec. SUSE's finds the kernels by itself; headers alone bring no /lib/modules in the others.
#
# Runs in a root: TARBALL RELEASE modules|"" PAYLOAD DIGEST FORMAT [--with NAME|--without NAME …]
exec >/build.log 2>&1
set -e
umask 022
mkdir /build
cd /build
printf '%%_binary_payload %s\n%%_binary_filedigest_algorithm %s\n%%_rpmformat %s\n' "$4" "$5" "$6" \
  >/root/.rpmmacros
tarball=/release/$1
modules=$3
shift 6
if [ "$modules" != modules ]; then
  rpmbuild -tb --define "_topdir /build/all" "$@" "$tarball"
elif [ -n "$(rpm --eval '%{?suse_version}')" ]; then
  rpmbuild -tb --define "_topdir /build/all" --with modules "$@" "$tarball"
else
  kernels=$(for makefile in /usr/src/kernels/*/Makefile /lib/modules/*/build/Makefile; do
    [ ! -e "$makefile" ] || echo "$makefile" | sed 's,/build/Makefile$,,; s,/Makefile$,,; s,.*/,,'
  done | sort -u)
  [ -n "$kernels" ] || { echo "error: the chroot has no kernel headers"; exit 1; }
  for kernel in $kernels; do
    rpmbuild -tb --define "_topdir /build/$kernel" --with modules --define "kernel $kernel" "$@" "$tarball"
  done
fi
mkdir /packages
find /build -name '*.rpm' -exec mv -n -t /packages {} +
