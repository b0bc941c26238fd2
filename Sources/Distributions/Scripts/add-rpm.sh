# SPDX-License-Identifier: GPL-2.0-only
# Adds packages to a root, and keeps others in /later with what they need: RELEASEVER PACKAGES LATER…
set -eu
umask 022
release=$1
packages=$2
shift 2
# The repositories name their keys from here.
cd /run/lrelease
install() {
  dnf --assumeyes --quiet --noplugins --setopt=skip_if_unavailable=False --setopt=reposdir=/run/lrelease/repos \
    --releasever="$release" --setopt=install_weak_deps=False install "$@"
}
# shellcheck disable=SC2086 # names of packages have no spaces
[ -z "$packages" ] || install $packages
if [ $# -gt 0 ]; then
  mkdir -p /later
  install --downloadonly --destdir=/later "$@"
fi
