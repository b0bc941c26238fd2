# SPDX-License-Identifier: GPL-2.0-only
# Lets headers of another architecture be installed where only a cross-compiler is: an empty package stands for the
# compilers that they ask for. ROOT ARCHITECTURE PACKAGE…
set -eu
root=$1
architecture=$2
shift 2
mkdir -p "$root/tmp/stand-in/DEBIAN"
cat >"$root/tmp/stand-in/DEBIAN/control" <<END
Package: lrelease-cross
Version: 1
Architecture: $architecture
Maintainer: nobody <nobody@localhost>
Provides: $(echo "$*" | sed 's/ /, /g')
Description: stands for the compilers of another architecture
END
chroot "$root" dpkg-deb --build --root-owner-group /tmp/stand-in /tmp/stand-in.deb
chroot "$root" dpkg --install /tmp/stand-in.deb
rm -r "$root/tmp/stand-in" "$root/tmp/stand-in.deb"
